"""Write a text to a patient: choose language and version, fill in, and refuse what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from notices.texts.kinds import TextKind, fields_of
from notices.texts.models import TextVersion, WrittenOffer
from notices.texts.rules import read
from notices.texts.shipped import shipped_texts
from notices.texts.values import Values, from_json, refuse_missing, shown, values_of
from organisations.languages import said_languages
from organisations.models import Region
from referral.models import Case, Offer

SWEDISH = "sv"


@dataclass(frozen=True)
class Written:
    """A text as the patient reads it, with what it was made of.

    ``version`` is a row of the database, or a text the product comes with that has not been used
    before; :func:`notices.texts.services.kept` gives its row.
    """

    subject: str
    body: str
    version: TextVersion
    values: Values

    @property
    def kind(self) -> str:
        return self.version.kind

    @property
    def language(self) -> str:
        return self.version.language

    @property
    def easy(self) -> bool:
        return self.version.easy


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
    says which a kind has). An ``offer`` that was sent is told with the facts it was sent with, and
    without ``language`` in the words it was sent in.
    Raises :class:`MissingField`, and nothing may be sent, when a field that the kind needs has no
    value.
    """
    sent = _written(offer) if kind == TextKind.OFFER else None
    if sent is None:
        values = values_of(kind, case=case, now=now, offer=offer, extra=extra)
    else:
        values = from_json(kind, sent.values)
        same = (sent.version.language, sent.version.easy) == (language, easy)
        if language is None or same:
            return fill(sent.version, values)
        refuse_missing(kind, values)
    codes = [language] if language else sorted(said_languages(case.patient.language))
    return write_values(kind, values, region=case.region, codes=codes, easy=easy)


def _written(offer: Offer | None) -> WrittenOffer | None:
    """How the offer was written; one that an earlier version of the product sent has none."""
    return getattr(offer, "written", None)


def write_values(
    kind: str,
    values: Values,
    *,
    region: Region,
    codes: Iterable[str] = (),
    easy: bool = False,
    chance: Random | None = None,
) -> Written:
    """As :func:`write`, of values that are at hand, in the first language there is a text in.

    ``chance`` draws among the variants; without it the first is taken.
    """
    return fill(choose(kind, region=region, codes=codes, easy=easy, chance=chance), values)


def choose(
    kind: str,
    *,
    region: Region,
    codes: Iterable[str],
    easy: bool,
    chance: Random | None = None,
) -> TextVersion:
    """The text in use in the first language that has one: the region's own, else the product's."""
    own = in_use(kind, region)
    for code in (*codes, SWEDISH):
        for wanted in dict.fromkeys((easy, False)):
            variants = own.get((code, wanted))
            if variants:
                return chance.choice(variants) if chance else variants[0]
            source = shipped_version(kind, code, wanted)
            if source is not None:
                return source
    raise LookupError(f"there is no text of {kind}")


def in_use(kind: str, region: Region) -> dict[tuple[str, bool], list[TextVersion]]:
    """The region's own texts of the kind by language and ease, variants in order."""
    found: dict[tuple[str, bool], list[TextVersion]] = {}
    rows = TextVersion.objects.filter(
        region=region, kind=kind, state=TextVersion.State.PUBLISHED
    ).order_by("variant")
    for version in rows:
        found.setdefault((version.language, version.easy), []).append(version)
    return found


def shipped_version(kind: str, language: str, easy: bool) -> TextVersion | None:
    """The text the product comes with, not saved."""
    source = shipped_texts().get((kind, language, easy))
    if source is None:
        return None
    return TextVersion(
        kind=kind, language=language, easy=easy, subject=source.subject, body=source.body
    )


def languages(kind: str, region: Region) -> list[str]:
    """The codes of the languages in which the region has a text of the kind, its own or not."""
    ours = {language for language, _easy in in_use(kind, region)}
    return sorted(ours | {code for of, code, _easy in shipped_texts() if of == kind})


def fill(version: TextVersion, values: Values) -> Written:
    """Fill in a text. Raises :class:`BadText` for one that cannot be understood."""
    known = fields_of(version.kind)

    def show(name: str, value: Any) -> str:
        return shown(known[name], value, version.language)

    title, text = read(version.kind, subject=version.subject, body=version.body)
    return Written(
        subject=title.render(values, show=show)[:200],
        body=text.render(values, show=show) + "\n",
        version=version,
        values=values,
    )
