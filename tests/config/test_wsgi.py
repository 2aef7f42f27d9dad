"""The web process keeps what it has loaded out of the garbage collector's way."""

import subprocess
import sys

LOADED = """
import gc, sys
import config.wsgi
from django.conf import settings
assert settings.ROOT_URLCONF in sys.modules
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_what_is_loaded_before_the_first_request_is_frozen() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED], capture_output=True, text=True, check=True
    )
    frozen, looked_through = map(int, done.stdout.split())
    assert frozen > 100_000
    assert looked_through < frozen / 100
