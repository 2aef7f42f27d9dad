"""The answer code of a case: ten characters that a person can type from a letter.

It is not drawn and kept but worked out from the case number under the installation's hash key
(organisations.keys), so that a text made again after a crash is the same text, and no code lies in
the database to be read (docs/decisions/0023-the-patients-own-page.md).
"""

import hmac
from collections.abc import Iterator

from organisations.keys import hash_ring

# Crockford's: no I, L, O or U, which are read as other characters or make words.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
MOST_TYPED = 40
_BITS = 5
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def answer_code(case_number: str, *, serial: int) -> str:
    """The code as it is sent, in two groups: ``7K2M9-QXA4T``. ``serial`` counts new codes."""
    return _grouped(next(_codes(case_number, serial)))


def is_code(typed: str, case_number: str, *, serial: int) -> bool:
    """Whether a person typed the case's code; also one sent under an older hash key."""
    given = read(typed).encode()
    held = [hmac.compare_digest(given, code.encode()) for code in _codes(case_number, serial)]
    return any(held)


def read(typed: str) -> str:
    """What a person typed as a code is spelled: capitals, without separators."""
    kept = "".join(character for character in typed.upper() if character.isalnum())
    return kept.translate(_READ_AS)[:MOST_TYPED]


def _codes(case_number: str, serial: int) -> Iterator[str]:
    """Under each key that is known, the current one's first."""
    for digest in hash_ring().digests(f"{case_number}/{serial}", context="answer code"):
        number = int(digest.rpartition(".")[2], 16)
        yield "".join(ALPHABET[number >> _BITS * place & 31] for place in range(LENGTH))


def _grouped(code: str) -> str:
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"
