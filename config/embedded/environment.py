"""Settings that belong to a data directory: ``<data>/environment.json``.

``manage.py start`` writes the addresses of what it runs there, so that ``manage.py`` in another
terminal finds the same gateway and the same secrets. Real environment variables win.
"""

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

# Not ``organisations.keys``: this is read before the settings, which that needs.
SECRETS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "VARDLOTS_GATEWAY_SECRET": lambda: secrets.token_urlsafe(50),
    "VARDLOTS_LOG_KEYS": lambda: secrets.token_urlsafe(50),
    "VARDLOTS_ENCRYPTION_KEYS": lambda: _key_ring(),
    "VARDLOTS_HASH_KEYS": lambda: _key_ring(),
}


def saved_environment(data_dir: Path) -> dict[str, str]:
    """Return the variables saved in the data directory, empty when there are none."""
    try:
        return dict(json.loads(_file(data_dir).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def save_environment(data_dir: Path, values: Mapping[str, str]) -> None:
    """Add the variables to the saved ones, in a file that only its owner reads."""
    merged = {**saved_environment(data_dir), **values}
    # A rename is atomic, so a reader never meets half a file; mkstemp gives mode 600.
    handle, name = tempfile.mkstemp(dir=data_dir, prefix=".environment-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(merged, file, indent=2, sort_keys=True)
        file.write("\n")
    Path(name).replace(_file(data_dir))


def ensure_secrets(data_dir: Path) -> None:
    """Make the data directory's secrets, once; later starts keep them."""
    saved = saved_environment(data_dir)
    missing = {name: make() for name, make in SECRETS.items() if name not in saved}
    if missing:
        save_environment(data_dir, missing)


def _key_ring() -> str:
    return "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _file(data_dir: Path) -> Path:
    return data_dir / "environment.json"
