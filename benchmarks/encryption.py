"""Encryption beside the library alone: fifty patients as a worklist page reads them, and a file.

``python -m benchmarks.encryption``
"""

import os
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from organisations.keys import encryption_ring
from organisations.sealing import seal, unseal

# Identity number, street, postal code, town and phone of each row.
VALUES = ("194001010002", "Provgatan 1", "30233", "Halmstad", "070-174 06 05") * 50
CONTEXT = "patients_patient.identity_number"
FILE = b"x" * (20 * 1024 * 1024)


def main() -> None:
    ring = encryption_ring()
    bare = AESGCM(ring.keys[ring.current])
    nonce = os.urandom(12)
    sealed = [seal(value, context=CONTEXT) for value in VALUES]
    raw = [bare.encrypt(nonce, value.encode(), CONTEXT.encode()) for value in VALUES]
    _key, file = ring.encrypt(FILE, context="file a")
    raw_file = bare.encrypt(nonce, FILE, b"file a")
    key = ring.current
    for title, ours, alone in (
        (
            "50 rows of 5 values, read",
            lambda: [unseal(text, context=CONTEXT) for text in sealed],
            lambda: [bare.decrypt(nonce, text, CONTEXT.encode()) for text in raw],
        ),
        (
            "20 MB file, read",
            lambda: ring.decrypt(key, file, context="file a"),
            lambda: bare.decrypt(nonce, raw_file, b"file a"),
        ),
    ):
        mine, theirs = median(ours), median(alone)
        print(f"{title:<28}{mine:>8.2f} ms, library alone {theirs:.2f} ms: {mine / theirs:.1f} x")


def median(work: Callable[[], object], rounds: int = 20) -> float:
    """Milliseconds of the median round."""
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[rounds // 2]


if __name__ == "__main__":
    main()
