"""What is chosen on the statistics page; the choice stands in the URL."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.models import CareUnit
from statistics.months import Month

MONTHS_TO_CHOOSE = 24


class StatisticsForm(forms.Form):
    month = forms.ChoiceField(
        label=_("Månad"),
        required=False,
        error_messages={"invalid_choice": _("Månaden finns inte att välja.")},
    )
    clinic = forms.ChoiceField(
        label=_("Klinik"),
        required=False,
        error_messages={"invalid_choice": _("Kliniken finns inte i din region.")},
    )

    def __init__(self, data: Any, *, clinics: list[CareUnit], today: date) -> None:
        super().__init__(data)
        self.default = Month.of(today)
        months = [self.default.back(back) for back in range(MONTHS_TO_CHOOSE)]
        self.fields["month"].choices = [(str(m), m.label) for m in months]  # type: ignore[attr-defined]
        self.fields["clinic"].choices = [  # type: ignore[attr-defined]
            ("", _("Alla kliniker")),
            *((unit.hsa_id, unit.name) for unit in clinics),
        ]
        self.clinics = {unit.hsa_id: unit for unit in clinics}
        for field in self.fields.values():
            field.widget.attrs["class"] = "ds-input"

    def chosen(self) -> tuple[Month, CareUnit | None]:
        """Month and clinic; what could not be read falls back to this month and all."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        month = Month.parse(cleaned.get("month") or "") or self.default
        return month, self.clinics.get(cleaned.get("clinic") or "")
