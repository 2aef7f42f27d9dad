"""The form that hands a waiting list in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.models import CareUnit
from organisations.plain_forms import PlainForm


class WaitingListForm(PlainForm):
    unit = forms.ModelChoiceField(
        label=_("Klinik"), queryset=CareUnit.objects.none(), to_field_name="hsa_id", required=False
    )
    file = forms.FileField(
        label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB och 50 000 rader.")
    )

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.units = list(units)
        choice: Any = self.fields["unit"]
        choice.queryset = units
        if len(self.units) <= 1:
            del self.fields["unit"]
        else:
            choice.required = True

    def chosen_unit(self) -> CareUnit | None:
        """Call only when the form is valid."""
        unit: CareUnit | None = self.cleaned_data.get("unit")
        return unit or (self.units[0] if self.units else None)


class ReadInForm(PlainForm):
    good_rows_only = forms.BooleanField(required=False)
