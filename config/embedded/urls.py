"""Addresses of the database and the broker, for the settings."""

import os
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from config.embedded.places import Places

DATABASE = "vardlots"


def database_url(data_dir: Path) -> str:
    """Return ``DATABASE_URL``, or the address of the embedded PostgreSQL of this data directory.

    Nothing is asked of the server: when it does not run, the first query fails with the path of
    the socket that it looked for.
    """
    return os.environ.get("DATABASE_URL") or postgres_url(Places(data_dir), database=DATABASE)


def redis_url(data_dir: Path) -> str:
    """Return ``REDIS_URL``, or the address of the embedded Valkey of this data directory."""
    return os.environ.get("REDIS_URL") or valkey_url(Places(data_dir))


def postgres_url(places: Places, *, database: str) -> str:
    """Return libpq's form of the embedded server's address; the role is named as the database.

    The application's role is no superuser: row-level security does not bind one.
    """
    return f"postgresql://{database}@/{database}?host={quote(os.fspath(places.postgres_sockets))}"


def valkey_url(places: Places, *, number: int = 0) -> str:
    """Return the embedded Valkey's address with the number of one of its databases."""
    return f"unix://{quote(os.fspath(places.valkey_socket))}?db={number}"


def celery_broker_url(url: str) -> str:
    """Return the broker's address in Celery's spelling, which differs for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"
