"""ISO weeks as people write them and as pages show them."""

import re
from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_WEEK = re.compile(r"([0-9]{4})-?[WV]([0-9]{1,2})")
FORMAT = gettext_lazy("Skriv veckan som 2026-W50.")


def monday_of(text: str) -> date:
    """The Monday of a week written ``2026-W50`` or ``2026v50``; ValueError says what is wrong."""
    found = _WEEK.fullmatch(text.upper().replace(" ", "").replace(".", ""))
    if not found:
        raise ValueError(_("skriv veckan som 2026-W50."))
    try:
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        raise ValueError(_("%(text)s är ingen vecka.") % {"text": text[:20]}) from None


def sunday_of(text: str) -> date:
    """The last day of the week."""
    try:
        return monday_of(text) + timedelta(days=6)
    except OverflowError:
        raise ValueError(_("%(text)s är ingen vecka.") % {"text": text[:20]}) from None


def iso_week(day: date) -> str:
    """``2026-W50``, as ``<input type="week">`` and the API have it."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02d}"


def weeks_in_words(first: date, last: date) -> str:
    """``v. 50 2026``, ``v. 50–52 2026`` or ``v. 52 2026–v. 2 2027``."""
    (year, week, _a), (last_year, last_week, _b) = first.isocalendar(), last.isocalendar()
    if year != last_year:
        return f"v. {week} {year}–v. {last_week} {last_year}"
    return f"v. {week} {year}" if week == last_week else f"v. {week}–{last_week} {year}"


class WeekField(forms.CharField):
    """A week; its value is the Monday. Browsers without such a control show a text field."""

    widget = forms.TextInput(attrs={"type": "week", "placeholder": "2026-W50"})

    def __init__(self, **options: object) -> None:
        super().__init__(max_length=12, **options)  # type: ignore[arg-type]

    def to_python(self, value: object) -> date | str:  # type: ignore[override]
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return monday_of(text)
        except ValueError:
            raise forms.ValidationError(str(FORMAT)) from None

    def prepare_value(self, value: object) -> object:
        return iso_week(value) if isinstance(value, date) else value

    def run_validators(self, value: object) -> None:
        if not isinstance(value, date):
            super().run_validators(value)
