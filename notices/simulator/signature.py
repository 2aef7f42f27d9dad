"""Signatures of the gateway protocol, written apart from Vårdlots': each proves the other."""

import hashlib
import hmac
import time

HEADER = "X-Vardlots-Signature"
TOLERANCE_SECONDS = 300


def sign(body: bytes, secret: str) -> str:
    stamp = str(int(time.time()))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return f"t={stamp},v1={mac.hexdigest()}"


def verify(header: str, body: bytes, secret: str) -> bool:
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13):
        return False
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    fresh = abs(time.time() - int(stamp)) <= TOLERANCE_SECONDS
    return hmac.compare_digest(mac.hexdigest().encode(), given.encode()) and fresh
