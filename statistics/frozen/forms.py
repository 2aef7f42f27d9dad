"""What is chosen on a month's page, kept in the address, and the reason for a new version."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from statistics.frozen.selectors import Choice
from statistics.frozen.services import LONGEST_REASON
from statistics.monthly.measures import MEASURES


class MonthForm(forms.Form):
    dimension = forms.ChoiceField(label=_("Indelning"), required=False)
    measure = forms.ChoiceField(label=_("Mått"), required=False)
    group = forms.CharField(label=_("Grupp"), required=False, max_length=100)
    version = forms.IntegerField(
        label=_("Version"),
        required=False,
        min_value=1,
        max_value=32_000,
        error_messages={"invalid": _("Skriv versionens nummer.")},
        widget=forms.NumberInput(attrs={"min": 1}),
    )

    def __init__(self, data: Any, *, dimensions: dict[str, str]) -> None:
        super().__init__(data)
        self.dimensions = dimensions
        choices: dict[str, list[tuple[str, Any]]] = {
            "dimension": list(dimensions.items()),
            "measure": [("", _("Alla mått")), *((k, m.label) for k, m in MEASURES.items())],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]
        self.fields["dimension"].error_messages["invalid_choice"] = _("Indelningen finns inte.")
        self.fields["measure"].error_messages["invalid_choice"] = _("Måttet finns inte.")
        for field in self.fields.values():
            field.widget.attrs["class"] = "ds-input"

    def chosen(self) -> Choice:
        """What could be read; the rest falls back to the whole month in its latest version."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return Choice(
            dimension=cleaned.get("dimension") or next(iter(self.dimensions)),
            measure=cleaned.get("measure") or "",
            group=cleaned.get("group") or "",
            version=cleaned.get("version"),
        )


class ReasonForm(PlainForm):
    reason = forms.CharField(
        label=_("Skäl"),
        max_length=LONGEST_REASON,
        help_text=_("Varför månaden publiceras på nytt. Skälet visas för alla som läser månaden."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
