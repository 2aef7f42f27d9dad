"""Suggestions from the shipped lists of procedures and diagnoses, found by code or by word."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.codes import covering_codes
from contracts.models import Procedure
from contracts.selectors import procedure_name
from referral.codes import normalise_icd10
from referral.reference.loader import diagnoses, diagnosis_name

MOST = 12


@dataclass(frozen=True)
class Suggestion:
    code: str
    name: str


def suggest_procedures(text: str) -> list[Suggestion]:
    """Procedures whose code, name, area or diagnoses hold every word; the nearest first.

    The official names are not what people say: the word katarakt leads to ``CJE20``
    (fakoemulsifikation …) by the names of its group and of its diagnoses.
    """
    procedures = list(Procedure.objects.all())
    names, groups = diagnoses(), {p.kva: p.name for p in procedures}
    candidates = []
    for procedure in procedures:
        around = [
            procedure.category,
            *(groups.get(code, "") for code in covering_codes(procedure.kva)),
        ]
        around += [names.get(code, "") for code in procedure.diagnoses]
        candidates.append((Suggestion(procedure.kva, procedure.name), " ".join(around)))
    return _best(text, candidates)


def suggest_diagnoses(text: str, *, kva: str = "") -> list[Suggestion]:
    """Diagnoses by code or word; those that belong to the procedure first, alone without text."""
    names = diagnoses()
    own = _diagnoses_of(kva)
    mine = [Suggestion(code, names[code]) for code in own if code in names]
    if not text.strip():
        return mine[:MOST]
    found = _best(text, [(s, "") for s in mine])
    rest = [(Suggestion(code, name), "") for code, name in names.items() if code not in own]
    return (found + _best(text, rest))[:MOST]


def procedure_label(kva: str) -> str:
    """The Swedish name of a code, its group's when it is not listed; empty when neither is."""
    code = _first_word(kva).upper()
    if not code:
        return ""
    name = procedure_name(code)
    return "" if name == code else name


def diagnosis_label(icd10: str) -> str:
    return diagnosis_name(normalise_icd10(_first_word(icd10)))


def _diagnoses_of(kva: str) -> list[str]:
    """The diagnoses of a procedure, else of its group."""
    codes = covering_codes(_first_word(kva).upper()) if len(_first_word(kva)) >= 3 else []
    listed = dict(Procedure.objects.filter(kva__in=codes).values_list("kva", "diagnoses"))
    return next((listed[code] for code in codes if listed.get(code)), [])


def _best(text: str, candidates: Iterable[tuple[Suggestion, str]]) -> list[Suggestion]:
    """Those that hold every word of ``text``: by code first, then own name, then what is around."""
    words = text.casefold().split()
    if not words:
        return []
    found = []
    for suggestion, around in candidates:
        code, name = suggestion.code.casefold(), suggestion.name.casefold()
        by_code = [
            code.startswith(word) or code.replace(".", "").startswith(word) for word in words
        ]
        if not all(
            hit or word in name or word in around.casefold()
            for hit, word in zip(by_code, words, strict=True)
        ):
            continue
        by_name = all(hit or word in name for hit, word in zip(by_code, words, strict=True))
        found.append((0 if all(by_code) else 1 if by_name else 2, suggestion.code, suggestion))
    return [suggestion for _rank, _code, suggestion in sorted(found, key=lambda f: f[:2])][:MOST]


def _first_word(text: str) -> str:
    """What stands where a code does; NUL, which PostgreSQL cannot look for, is in no code."""
    words = text.replace("\x00", " ").split()
    return words[0][:12] if words else ""
