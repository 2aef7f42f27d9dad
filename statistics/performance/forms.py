"""What is chosen on the page of the agreement, and the file that is read in."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from statistics.months import Month
from statistics.performance.selectors import Source

YEARS = 6


class PerformanceForm(PlainForm):
    month = forms.ChoiceField(
        label=_("Månad"),
        required=False,
        error_messages={"invalid_choice": _("Månaden finns inte att välja.")},
    )
    source = forms.ChoiceField(
        label=_("Underlag"),
        required=False,
        choices=Source,
        error_messages={"invalid_choice": _("Underlaget finns inte att välja.")},
    )

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.default = Month.of(today).back(1)
        months = [Month.of(today).back(back) for back in range(12 * YEARS)]
        self.fields["month"].choices = [(str(m), m.label) for m in months]  # type: ignore[attr-defined]
        # Unsaid, the month that has ended; the list would show the one that runs.
        self.initial["month"] = str(self.default)

    def choice(self) -> dict[str, Any]:
        """What :func:`performance_for` takes; what could not be read falls back to the usual."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return {
            "month": Month.parse(cleaned.get("month") or "") or self.default,
            "source": cleaned.get("source") or Source.FILE,
        }


class FiguresFileForm(PlainForm):
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB."))
    good_rows_only = forms.BooleanField(
        label=_("Läs in de rader som stämmer även om andra har fel"), required=False
    )
