"""Letters as PDF in a window envelope; an offer has an answer slip (docs/decisions/0027)."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from notices.letter_words import day_in_words, reasons_to_decline, words_of
from notices.models import Notice
from notices.outgoing import answer_place, how_to_answer, in_its_language
from organisations.typesetters import Setter
from organisations.typesetting import (
    SignsLacking,
    Standard,
    TypesettingStopped,
    compile_pdf,
    pages_of,
    qr_svg,
)

TEMPLATE = "notices/letter.typ"
# Archivable, and readable by those who listen.
STANDARDS: tuple[Standard, ...] = ("a-2a", "ua-1")
MAX_PAGES = 4
# What the print provider takes of one letter.
MAX_BYTES = 3_000_000
# More than four pages of the narrowest signs hold: not worth setting.
MAX_SIGNS = 60_000

# So many signs without a space may be broken anywhere, else they would leave the page. Typst breaks
# after the slashes of an address by itself.
_TOO_LONG = re.compile(r"[^\s/]{31,}")
# But not between digits.
_FRACTIONS = re.compile(r"[\d/]{31,}")
_PIECE = 30
_BREAK_HERE = "\u200b"
# Scripts without spaces between words; Typst knows where their lines break.
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
# A telephone, case number, date or time of day: groups of digits with signs between.
_NUMBER = re.compile(r"\+?\d(?:[\d /:.+\u2013-]*\d)?")


class LetterRefused(Exception):
    """The letter cannot be printed as it stands; the message says why, for people to mend."""


def letter_pdf(letter: Notice) -> tuple[bytes, int]:
    """The letter, PDF/A, and its number of pages. Raises :class:`LetterRefused`."""
    return set_letter(letter_data(letter), at=letter.due_at)


def letter_data(letter: Notice) -> dict[str, Any]:
    """What the letter's template is given; nothing after this reads the database.

    A patient with protected identity has no address here: Skatteverket forwards the letter, and
    neither name nor address stands on it.
    """
    with in_its_language(letter):
        return _data(letter)


def set_letter(
    data: dict[str, Any], *, at: datetime, setter: Setter = compile_pdf
) -> tuple[bytes, int]:
    """The PDF of the letter and its number of pages; may be called from several threads.

    Raises :class:`LetterRefused` rather than cut anything or print a sign that cannot be read.
    """
    try:
        content = setter(TEMPLATE, data, at=at, standards=STANDARDS, exact=True)
    except SignsLacking as error:
        told = _("Brevet har tecken som inget typsnitt kan visa: %(signs)s.")
        raise LetterRefused(told % {"signs": _named(error.signs)}) from error
    except TypesettingStopped as error:
        told = _("Namn och adress får inte plats i kuvertets fönster.")
        raise LetterRefused(told) from error
    pages = pages_of(content)
    if pages > MAX_PAGES:
        told = _("Brevet blir %(pages)s sidor, och ett brev får ha högst %(most)s.")
        raise LetterRefused(told % {"pages": pages, "most": MAX_PAGES})
    if len(content) > MAX_BYTES:
        raise LetterRefused(_("Brevet blir större än de 3 MB som tryckeriet tar emot."))
    return content, pages


def _data(letter: Notice) -> dict[str, Any]:
    case = letter.case
    region, place = case.region, answer_place(letter)
    return {
        "title": f"{letter.subject} {case.number}",
        "language": letter.language,
        "number": case.number,
        "subject": _line(letter.subject, from_right(letter.subject)),
        "subject_from_right": from_right(letter.subject),
        "body": _body(letter),
        "address": _address(letter),
        "clinic": case.sending_unit.name,
        "region": region.name,
        "navigator_unit": region.navigator_unit_name,
        "date": day_in_words(timezone.localdate(letter.due_at)),
        # A booked time that goes by post asks for no answer.
        "answerable": letter.kind == Notice.Kind.OFFER_LETTER,
        "reasons": reasons_to_decline(),
        "qr": qr_svg(case.number),
        # How and where the patient answers on the web; on the answer slip, if there is one.
        "link_qr": qr_svg(place.url) if place else "",
        "online": _paragraphs(how_to_answer(letter, place)) if place else [],
        "words": words_of(letter),
    }


def _body(letter: Notice) -> list[dict[str, Any]]:
    """The text's paragraphs. A subject that stands first is not said twice."""
    if len(letter.body) > MAX_SIGNS:
        raise LetterRefused(_("Brevet är längre än de fyra sidor som ett brev får ha."))
    first, _newline, rest = letter.body.lstrip().partition("\n")
    return _paragraphs(rest if first.strip() == letter.subject else letter.body)


def _paragraphs(text: str) -> list[dict[str, Any]]:
    """The text's paragraphs by their lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = [[line for line in part.split("\n") if line.strip()] for part in text.split("\n\n")]
    return [_paragraph(lines) for lines in parts if lines]


def _paragraph(lines: list[str]) -> dict[str, Any]:
    turned = from_right(" ".join(lines))
    return {"lines": [_line(line, turned) for line in lines], "from_right": turned}


def _line(text: str, turned: bool) -> str:
    return breakable(_NUMBER.sub(_kept_forward, text) if turned else text)


def _kept_forward(number: re.Match[str]) -> str:
    """The number between two marks for left to right, else Unicode's rules turn its groups."""
    return f"\u200e{number[0]}\u200e"


def from_right(text: str) -> bool:
    """Whether the text runs from right to left: as its first letter does (Unicode's rule P2)."""
    for sign in text:
        way = unicodedata.bidirectional(sign)
        if way in {"L", "R", "AL"}:
            return way != "L"
    return False


def breakable(text: str) -> str:
    """The text with places to break in what is too long for a line and has no space."""
    return _TOO_LONG.sub(lambda run: _broken(run[0]), _FRACTIONS.sub(_after_slashes, text))


def _after_slashes(run: re.Match[str]) -> str:
    return run[0].replace("/", f"/{_BREAK_HERE}")


def _broken(run: str) -> str:
    if _SPACELESS.search(run):
        return run
    made, since = "", 0
    for sign in run:
        if since >= _PIECE and not unicodedata.combining(sign):
            made += _BREAK_HERE
            since = 0
        made += sign
        since += 1
    return made


def _address(letter: Notice) -> list[str]:
    """The lines in the envelope's window: to whom, and nothing about what."""
    patient = letter.case.patient
    if patient.is_protected:
        return [_("Förmedlas av Skatteverket")]
    lines = [
        patient.full_name,
        *patient.street.splitlines(),
        f"{_spaced(patient.postal_code)} {patient.town}",
    ]
    return [line.strip() for line in lines if line.strip()]


def _spaced(postal_code: str) -> str:
    """The postal code as it is written: 302 32."""
    return f"{postal_code[:3]} {postal_code[3:]}" if len(postal_code) == 5 else postal_code


def _named(signs: set[str]) -> str:
    """The signs for the person who is to take them out, with their codes."""
    told = [f"{sign if sign.isprintable() else ''} (U+{ord(sign):04X})".strip() for sign in signs]
    return ", ".join(sorted(told)[:10])
