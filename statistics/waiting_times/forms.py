"""What is chosen and handed in on the pages of the waiting-time database."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from statistics.months import Month
from statistics.waiting_times.layout import DONE, WAITING, Model
from statistics.waiting_times.services import window

MONTHS_TO_CHOOSE = 24
STATUSES = ((DONE, _("Genomförda")), (WAITING, _("Väntande")))


class OwnFileForm(PlainForm):
    month = forms.ChoiceField(
        label=_("Månad"),
        help_text=_("En månad kan lämnas och rättas i tre månader efter att den är slut."),
        error_messages={"invalid_choice": _("Månaden kan inte lämnas nu.")},
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["month"]
        choice.choices = [(str(month), month.label) for month in window(today)]

    def chosen(self) -> Month | None:
        """Call only when the form is valid."""
        return Month.parse(self.cleaned_data["month"])


class UploadForm(PlainForm):
    file = forms.FileField(
        label=_("Fil"),
        allow_empty_file=True,
        help_text=_("CSV med variablernas namn som rubriker, högst 20 MB."),
    )


class ReportingForm(PlainForm):
    """The choice of a reporting degree; what cannot be read falls back."""

    model = forms.ChoiceField(label=_("Modell"), choices=Model.choices, required=False)
    status = forms.ChoiceField(label=_("Kontakter"), choices=STATUSES, required=False)
    month = forms.ChoiceField(label=_("Månad"), required=False)

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.default = Month.of(today).back(1)
        months = [self.default.back(back) for back in range(MONTHS_TO_CHOOSE)]
        choice: Any = self.fields["month"]
        choice.choices = [(str(month), month.label) for month in months]

    def chosen(self) -> tuple[str, str, Month]:
        """Model, status and month; primary care reports what is done only."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        model = cleaned.get("model") or Model.SPECIALISED
        status = DONE if model == Model.PRIMARY else cleaned.get("status") or DONE
        return model, status, Month.parse(cleaned.get("month") or "") or self.default
