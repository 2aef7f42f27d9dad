"""The texts the product comes with: ``<kind>.<language>.txt`` and ``…-easy.txt``, subject first."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shipped:
    kind: str
    language: str
    easy: bool
    subject: str
    body: str


@lru_cache(maxsize=1)
def shipped_texts() -> dict[tuple[str, str, bool], Shipped]:
    """By kind, language and whether it is easy to read."""
    found: dict[tuple[str, str, bool], Shipped] = {}
    for path in sorted(_HERE.glob("*.txt")):
        kind, tag = path.stem.split(".")
        language, _dash, easy = tag.partition("-")
        subject, body = path.read_text(encoding="utf-8").split("\n", 1)
        found[kind, language, bool(easy)] = Shipped(
            kind, language, bool(easy), subject.strip(), body.strip()
        )
    return found
