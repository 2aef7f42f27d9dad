"""The keys that personal data is encrypted and found by (docs/decisions/0006-encryption.md).

A ring is written ``id:base64,id:base64``. The first key is the current one; the others are still
read, so that keys can be rotated while the product runs. No models here: the fields need it.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
NONCE_BYTES = 12
# Both alphabets of base64 are taken.
_STANDARD = str.maketrans("-_", "+/")


class CannotDecrypt(Exception):
    """A key is missing, or the value was changed or moved from where it was written."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id; the current one first. Its ``repr`` shows no key."""

    current: str
    keys: Mapping[str, bytes]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read ``id:base64,id:base64``. Raises :class:`ImproperlyConfigured`, without the keys."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _colon, encoded = part.partition(":")
            if not re.fullmatch(r"[a-z0-9]{1,16}", name) or name in keys:
                raise ImproperlyConfigured(
                    "A key's id is 1 to 16 of a-z and 0-9, each id once: id:base64,id:base64."
                )
            try:
                key = base64.b64decode(encoded.translate(_STANDARD), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if len(key) != KEY_BYTES:
                raise ImproperlyConfigured(f"The key {name} is not 32 bytes in base64.")
            keys[name] = key
        if not keys:
            raise ImproperlyConfigured("There is no key.")
        return cls(next(iter(keys)), keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.keys)})"

    def encrypt(self, plain: bytes, *, context: str) -> tuple[str, bytes]:
        """Return the current key's id and nonce + AES-256-GCM ciphertext, bound to ``context``."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self.keys[self.current])
        return self.current, nonce + cipher.encrypt(nonce, plain, context.encode())

    def decrypt(self, key_id: str, sealed: bytes, *, context: str) -> bytes:
        """Raises :class:`CannotDecrypt` for an unknown key and for what does not belong here."""
        key = self.keys.get(key_id)
        if key is None:
            raise CannotDecrypt(f"The key {key_id!r} is missing ({context}).")
        try:
            return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotDecrypt(f"A value of {context} was changed or moved.") from error

    def digests(self, value: str, *, context: str) -> list[str]:
        """HMAC-SHA-256 of the value under each key, the current one's first, with its key's id."""
        text = f"{context}\0{value}".encode()
        return [
            f"{name}.{hmac.new(key, text, hashlib.sha256).hexdigest()}"
            for name, key in self.keys.items()
        ]


def new_ring(key_id: str = "k1") -> str:
    """Text of a ring with one new random key."""
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def encryption_ring() -> KeyRing:
    return _parsed(settings.ENCRYPTION_KEYS)


def hash_ring() -> KeyRing:
    return _parsed(settings.HASH_KEYS)


_parsed = lru_cache(maxsize=16)(KeyRing.parse)
