"""What an invoice file is read into, whatever its form, and where a case number is found."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from organisations.case_numbers import CaseNumber, InvalidCaseNumber
from organisations.masking import holds_identity_number, masked

MAX_LINES = 2_000
# Text of a line that is kept; the whole stands in the file.
MAX_TEXT = 200

# A case number as it is printed, alone or as the first part of a certificate's number.
_PRINTED = re.compile(r"(?<![0-9-])([0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9])(?:/([0-9]{1,3}))?(?![0-9/-])")
# The same where a whole field is meant to hold it: hyphens and spaces may be left out.
_WHOLE = re.compile(r"([0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{6}[ -]?[0-9])(?:/([0-9]{1,3}))?")


@dataclass(frozen=True)
class Quoted:
    """The reference that a line gives: as it stood, and the numbers it holds when they hold."""

    text: str = ""
    case_number: str = ""
    certificate_number: str = ""


@dataclass
class ReadLine:
    """One line as the file says it; SEK excluding VAT."""

    position: int
    line_id: str
    quoted: Quoted
    text: str
    treated_from: date | None
    treated_to: date | None
    quantity: Decimal
    amount_sek: Decimal
    vat_percent: Decimal
    has_identity_number: bool = False


@dataclass
class ReadInvoice:
    """One invoice or credit note as the file says it."""

    number: str
    is_credit_note: bool
    credits_number: str
    issued_on: date
    due_on: date | None
    seller: str  # organisation number, ten digits
    buyer: str  # the same; empty when the file does not say
    total_sek: Decimal
    lines: list[ReadLine] = field(default_factory=list)


def quoted_in(fields: Iterable[str], texts: Iterable[str]) -> Quoted:
    """The first reference found: in fields meant for one, then inside running text.

    A reference with the shape of a case number whose check digit is wrong is handed on as text
    alone, unless a later place has one that holds.
    """
    wrong = ""
    found = [_WHOLE.fullmatch(text.strip()) for text in fields]
    found += [match for text in texts for match in _PRINTED.finditer(text)]
    for match in found:
        if match is None:
            continue
        try:
            number = CaseNumber.parse(match[1]).value
        except InvalidCaseNumber:
            wrong = wrong or match[0]
            continue
        return Quoted(match[0], number, f"{number}/{match[2]}" if match[2] else "")
    return Quoted(wrong)


def certificate_in(texts: Iterable[str], case_number: str) -> str:
    """A certificate's number of the case somewhere in the texts, or any other one, or nothing."""
    numbers = [
        f"{match[1]}/{match[2]}"
        for text in texts
        for match in _PRINTED.finditer(text)
        if match[2] is not None
    ]
    own = [number for number in numbers if number.startswith(f"{case_number}/")]
    return (own or numbers or [""])[0]


def kept_text(texts: Iterable[str]) -> tuple[str, bool]:
    """What is kept of a line's words, without identity numbers, and whether there were any."""
    whole = [" ".join(text.split()) for text in texts]
    held = any(holds_identity_number(text) for text in whole)
    shown = " · ".join(dict.fromkeys(text for text in whole if text))
    return masked(shown)[:MAX_TEXT], held
