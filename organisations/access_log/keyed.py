"""Keyed hashes of log rows and seals. The keys live in the environment, not in the database."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

MARK_BYTES = 8


class UnknownKey(Exception):
    """A row or seal bears the id of a key that the environment does not hold."""


def current_key() -> tuple[str, bytes]:
    """The id and the secret that new rows and seals are made with: the first in the setting."""
    key_id = next(iter(settings.ACCESS_LOG_KEYS))
    return key_id, key_named(key_id)


def key_named(key_id: str) -> bytes:
    try:
        return str(settings.ACCESS_LOG_KEYS[key_id]).encode()
    except KeyError as error:
        raise UnknownKey(key_id) from error


# The fields that the row's hash covers, in the order in which it covers them.
ROW_FIELDS = (
    *("at", "user_id", "actor_name", "role", "unit", "region", "home_region"),
    *("case_number", "form_id", "patient_id", "what"),
)


def row_mac(key: bytes, values: Sequence[Any]) -> bytes:
    """The keyed hash of a row's ``ROW_FIELDS``. JSON keeps neighbouring fields apart."""
    at, *rest = values
    return hmac.digest(key, _json([_instant(at), *rest]), "sha256")


def mark_of(row_id: int, mac: bytes) -> bytes:
    """Binds a row's hash to its place in the log."""
    return hashlib.sha256(row_id.to_bytes(8, "big") + mac).digest()[:MARK_BYTES]


def marks_of(rows: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(mark_of(row_id, bytes(mac)) for row_id, mac in rows)


def seal_mac(
    key: bytes,
    *,
    number: int,
    sealed_at: datetime,
    runs: Sequence[int],
    marks: bytes,
    previous: bytes,
) -> bytes:
    """The keyed hash of a seal: its rows and, through ``previous``, all that stands before."""
    head = _json([number, _instant(sealed_at), list(runs), previous.hex()])
    return hmac.digest(key, head + b"\n" + marks, "sha256")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


# ``json.dumps`` with options makes an encoder for each call; a page of fifty rows feels it.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(values: list[Any]) -> bytes:
    return _encode(values).encode()
