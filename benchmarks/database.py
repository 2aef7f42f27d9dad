"""A database that a benchmark has for itself."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_database() -> Iterator[None]:
    """An embedded PostgreSQL with the product's tables and code lists, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vardlots-benchmark-") as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "VARDLOTS_DATA": folder}
        from config.embedded import Services

        with Services(Path(folder)):
            for command in ("migrate", "load_reference"):
                subprocess.run([sys.executable, "manage.py", command, "--verbosity=0"], check=True)
            import django

            django.setup()
            yield
