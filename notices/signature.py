"""Signatures between Vårdlots and the gateway: HMAC-SHA256 over time and body.

``t=<unix seconds>,v1=<hex>`` in ``X-Vardlots-Signature``; a message older than five minutes is
refused, so that a recorded one cannot be played again later (docs/integrations.md).
"""

import hashlib
import hmac
import re

HEADER = "X-Vardlots-Signature"
TOLERANCE_SECONDS = 300
_SHAPE = re.compile(r"^t=([0-9]{1,12}),v1=([0-9a-f]{64})$")


def sign(body: bytes, *, secret: str, at: float) -> str:
    """The header's value for a body sent at a Unix time."""
    stamp = str(int(at))
    return f"t={stamp},v1={_digest(stamp, body, secret)}"


def is_valid(header: str, body: bytes, *, secret: str, at: float) -> bool:
    """Whether the header signs this body and is at most five minutes from ``at``."""
    found = _SHAPE.match(header)
    if not found:
        return False
    stamp, digest = found.groups()
    fresh = abs(at - int(stamp)) <= TOLERANCE_SECONDS
    return hmac.compare_digest(digest, _digest(stamp, body, secret)) and fresh


def _digest(stamp: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
