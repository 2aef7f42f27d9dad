"""Languages by ISO 639 code with their Swedish names, and what a person has typed of them."""

import csv
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_LIST = Path(__file__).parent / "reference" / "languages.csv"
# What a person types when no interpreter is needed.
_NO_NEED = frozenset({"", "nej", "ingen", "inget", "behövs ej", "behövs inte", "ej behov"})
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=1)
def language_names() -> dict[str, str]:
    """Swedish name by code, in the order of the names."""
    names = {row["code"]: row["name"] for row in _rows()}
    return dict(sorted(names.items(), key=lambda item: item[1]))


def in_words(codes: Iterable[str]) -> str:
    """The names of the codes, in their order: ``arabiska, somaliska``."""
    names = language_names()
    return ", ".join(sorted(names.get(code, code) for code in codes))


@lru_cache(maxsize=4096)
def said_languages(text: str) -> frozenset[str]:
    """The codes of the languages named in a free text: any of them will do.

    ``tolk i arabiska`` gives ``ar``, ``serbokroatiska`` the codes it is one with, and what names
    no language in the list nothing.
    """
    folded = text.casefold()
    words = set(_WORD.findall(folded))
    known = _codes_by_word()
    return frozenset(code for word in words for code in known.get(word, ())) | frozenset(
        code for name, code in _phrases() if name in folded
    )


def needs_language(text: str) -> bool:
    """Whether the text of an interpreter's language says that one is needed."""
    plain = text.casefold().strip(" .,-–")
    return plain not in _NO_NEED and said_languages(text) != {"sv"}


@lru_cache(maxsize=1)
def _codes_by_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows():
        for word in (row["name"], *row["also"].split()):
            found[word] = (*found.get(word, ()), row["code"])
    return found


@lru_cache(maxsize=1)
def _phrases() -> tuple[tuple[str, str], ...]:
    """Names of more than one word."""
    return tuple((row["name"], row["code"]) for row in _rows() if " " in row["name"])


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    with _LIST.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
