"""How an encrypted value is written in a text column: ``v1.<key id>.<base64>``."""

import base64
import binascii

from organisations.keys import CannotDecrypt, encryption_ring

PREFIX = "v1."
# What a sealed value looks like to the database, which thereby refuses plain text.
SHAPE = r"^v1\.[a-z0-9]{1,16}\.[A-Za-z0-9_-]{38,}={0,2}$"


def seal(plain: str, *, context: str) -> str:
    """Encrypt with the current key; ``context`` is where it is stored and must come back."""
    key_id, sealed = encryption_ring().encrypt(plain.encode(), context=context)
    return f"{PREFIX}{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(text: str, *, context: str) -> str:
    """Raises :class:`CannotDecrypt`, also for text that was never sealed."""
    version, _dot, rest = text.partition(".")
    key_id, _dot, encoded = rest.partition(".")
    if f"{version}." != PREFIX or not encoded:
        raise CannotDecrypt(f"A value of {context} is not encrypted.")
    try:
        sealed = base64.urlsafe_b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise CannotDecrypt(f"A value of {context} was changed.") from error
    return encryption_ring().decrypt(key_id, sealed, context=context).decode()


def current_prefix() -> str:
    """How all values begin that need no rotation."""
    return f"{PREFIX}{encryption_ring().current}."
