"""What the fields of a text are for one case, and how a value is written in a language."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.conf.locale import LANG_INFO
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from notices.texts.kinds import FIELDS, Field, Sort, fields_of
from organisations.errors import InvalidInput
from organisations.languages import needs_language
from organisations.models import CareUnit
from referral.models import Case, Offer, Phase
from referral.texts import OfferFacts

Values = dict[str, Any]


class MissingField(InvalidInput):
    """A field that the text needs has no value; nothing is sent. ``missing`` names them."""

    code = "missing_field"

    def __init__(self, missing: list[Field]) -> None:
        self.missing = tuple(field.name for field in missing)
        told = " ".join(f"{field.label}. {field.where}".strip() for field in missing)
        super().__init__(
            _("Uppgift saknas: %(fields)s") % {"fields": told},
            fields={
                field.typed_as or field.name: _("Uppgift saknas: %(field)s. %(where)s")
                % {"field": field.label, "where": field.where}
                for field in missing
            },
        )


def values_of(
    kind: str,
    *,
    case: Case,
    now: datetime,
    facts: OfferFacts | None = None,
    offer: Offer | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Values:
    """The fields of ``kind`` for the case. Raises :class:`MissingField` with all that are missing.

    ``extra`` gives fields that only the caller knows, such as a campaign's last day.
    """
    if facts is None and offer is not None:
        facts = OfferFacts.of(offer)
    found = _of_case(case) | _of_unit(case.receiving_unit) | (_of_offer(facts) if facts else {})
    names = {field.name for field in FIELDS[kind]}
    unknown = (extra or {}).keys() - names
    if unknown:
        raise TypeError(f"no such fields of {kind}: {sorted(unknown)}")
    values = {name: value for name, value in (found | dict(extra or {})).items() if name in names}
    refuse_missing(kind, values)
    return {field.name: values.get(field.name) for field in FIELDS[kind]}


def refuse_missing(kind: str, values: Mapping[str, Any]) -> None:
    """Raise :class:`MissingField` unless every required field has a value."""
    missing = [field for field in FIELDS[kind] if field.required and _empty(values.get(field.name))]
    if missing:
        raise MissingField(missing)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _of_case(case: Case) -> Values:
    region, form = case.region, case.form
    return {
        "case_number": case.number,
        "procedure": case.procedure_name,
        "clinic": case.sending_unit.name,
        "region": region.name,
        "navigator_unit": region.navigator_unit_name,
        "navigator_phone": region.navigator_phone,
        "interpreter": form.interpreter if needs_language(form.interpreter) else "",
        "travel_phone": region.travel_phone,
        "travel_booked": {"booked": True, "afterwards": False}.get(region.travel_paid),
        "escort": form.escort,
        "first_visit": case.phase == Phase.FIRST_VISIT,
        "guarantee_days": case.guarantee_days,
        "last_day": case.last_day,
        "decision_day": case.decision_date,
    }


def _of_unit(unit: CareUnit | None) -> Values:
    if unit is None:
        return {}
    return {
        "provider": unit.name,
        "town": unit.municipality.name,
        "provider_phone": unit.phone,
    }


def _of_offer(facts: OfferFacts) -> Values:
    return _of_unit(facts.unit) | {
        "expected": facts.expected,
        "home_days": facts.home_wait_days,
        "home_expected": facts.home_expected,
        "home_same_day": facts.same_day == "yes",
        "stays_overnight": facts.same_day == "no",
        "message": facts.message.strip(),
        "answer_by": facts.answer_by,
    }


def shown(field: Field, value: Any, language: str) -> str:
    """The value as it stands in a text in ``language``; dates by numbers where nobody knows the
    language's months."""
    if field.sort == Sort.DAY:
        return _day(value, language)
    if field.sort == Sort.SPAN:
        return _span(value, language)
    if field.sort == Sort.CLOCK:
        return f"{value:%H.%M}" if language == "sv" else f"{value:%H:%M}"
    return " ".join(str(value).split("\n"))


def _day(day: date, language: str) -> str:
    if language not in LANG_INFO:
        return day.isoformat()
    with translation.override(language):
        return date_format(day, "j F Y")


def _span(span: date | tuple[date, date], language: str) -> str:
    """A day, or from one day to another, both included."""
    if isinstance(span, date):
        return _day(span, language)
    first, last = span
    same = (first.year, first.month) == (last.year, last.month)
    if language in {"sv", "en"} and same:
        return f"{first.day}–{_day(last, language)}"
    return f"{_day(first, language)} – {_day(last, language)}"


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON can keep them; :func:`from_json` gives them back."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def from_json(kind: str, values: Mapping[str, Any]) -> Values:
    """All fields of the kind; those that were not kept are empty."""
    return {field.name: _typed(field, values.get(field.name)) for field in FIELDS[kind]}


def typed(kind: str, values: Mapping[str, Any]) -> Values:
    """The given fields only."""
    known = fields_of(kind)
    return {name: _typed(known[name], value) for name, value in values.items()}


def _typed(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.sort == Sort.CLOCK:
        return time.fromisoformat(value)
    if field.sort in {Sort.DAY, Sort.SPAN}:
        if isinstance(value, list):
            return tuple(date.fromisoformat(part) for part in value)
        return date.fromisoformat(value)
    return value
