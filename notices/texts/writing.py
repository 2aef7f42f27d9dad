"""Write a text to a patient: choose language and version, fill in, and refuse what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notices.texts.kinds import fields_of
from notices.texts.rules import read
from notices.texts.shipped import shipped_texts
from notices.texts.values import Values, shown, values_of
from organisations.languages import said_languages
from referral.models import Case, Offer

SWEDISH = "sv"


@dataclass(frozen=True)
class Written:
    """A text as the patient reads it, with what it was made of."""

    kind: str
    subject: str
    body: str
    language: str
    easy: bool
    values: Values


def write(
    kind: str,
    *,
    case: Case,
    now: datetime,
    offer: Offer | None = None,
    language: str | None = None,
    easy: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Written:
    """The text of ``kind`` for the case, in ``language`` or else the patient's own.

    Where there is no text in that language it is Swedish; where there is no easy one in the
    language, the ordinary one. ``extra`` holds the fields that only the caller knows (kinds.py
    says which a kind has). Raises :class:`MissingField`, and nothing may be sent, when a field
    that the kind needs has no value.
    """
    values = values_of(kind, case=case, now=now, offer=offer, extra=extra)
    return write_values(kind, values, case=case, language=language, easy=easy)


def write_values(
    kind: str, values: Values, *, case: Case, language: str | None = None, easy: bool = False
) -> Written:
    """As :func:`write`, of values that are at hand."""
    said = {language} if language else said_languages(case.patient.language)
    for code in (*sorted(said), SWEDISH):
        for wanted in (easy, False):
            source = shipped_texts().get((kind, code, wanted))
            if source is not None:
                return fill(
                    kind, source.subject, source.body, values, language=code, easy=source.easy
                )
    raise LookupError(f"there is no text of {kind}")


def fill(
    kind: str, subject: str, body: str, values: Values, *, language: str, easy: bool = False
) -> Written:
    """Fill in a text. Raises :class:`BadText` for one that cannot be understood."""
    known = fields_of(kind)

    def show(name: str, value: Any) -> str:
        return shown(known[name], value, language)

    title, text = read(kind, subject=subject, body=body)
    return Written(
        kind=kind,
        subject=title.render(values, show=show)[:200],
        body=text.render(values, show=show) + "\n",
        language=language,
        easy=easy,
        values=values,
    )
