"""The forms of a provider's free places. They parse; the rules stand in the services."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from capacity.models import FreeCapacity
from capacity.slots.weeks import WeekField
from contracts.codes import validate_kva
from organisations.errors import InvalidInput
from organisations.models import CareUnit
from organisations.plain_forms import PlainForm, date_field

ASA = [(n, f"ASA {n}") for n in range(1, 5)]
# The form asks for weeks, the services for days.
WEEKS = {"first_day": "first_week", "last_day": "last_week"}


class SlotForm(PlainForm):
    """Post or change; ``units`` are those that the person may post for."""

    care_unit = forms.ModelChoiceField(
        label=_("Enhet"), queryset=CareUnit.objects.none(), empty_label=None
    )
    kva = forms.CharField(
        label=_("Åtgärd, KVÅ-kod"),
        max_length=60,  # words are typed to find the code
        help_text=_("Tre tecken för hela gruppen, till exempel NGB, eller hela koden."),
        widget=forms.TextInput(
            attrs={"data-suggest": reverse_lazy("suggest-procedures"), "autocomplete": "off"}
        ),
    )
    offered = forms.IntegerField(label=_("Antal platser"), min_value=1, max_value=999)
    first_week = WeekField(label=_("Från vecka"), help_text=_("Till exempel 2026-W50."))
    last_week = WeekField(label=_("Till och med vecka"), help_text=_("Samma vecka går bra."))
    book_by = date_field(_("Boka senast"), help_text=_("Dagen efter försvinner platserna."))
    asa_ceiling = forms.TypedChoiceField(
        label=_("Högsta ASA-klass"), choices=ASA, coerce=int, initial=2
    )
    age_min = forms.IntegerField(label=_("Från ålder"), min_value=0, max_value=120, required=False)
    age_max = forms.IntegerField(label=_("Till ålder"), min_value=0, max_value=120, required=False)
    contact = forms.CharField(
        label=_("Kontakt"),
        max_length=120,
        required=False,
        help_text=_("Vem vårdlotsen frågar, till exempel ett telefonnummer."),
    )
    note = forms.CharField(label=_("Anmärkning"), max_length=300, required=False)

    def __init__(self, *args: Any, units: QuerySet[CareUnit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["care_unit"].queryset = units  # type: ignore[attr-defined]

    def clean_kva(self) -> str:
        kva = self.cleaned_data["kva"].strip().upper()
        validate_kva(kva)
        return str(kva)

    def values(self) -> dict[str, Any]:
        """What the services take, once the form is valid."""
        data = dict(self.cleaned_data)
        data.pop("care_unit", None)
        data["first_day"] = data.pop("first_week")
        data["last_day"] = data.pop("last_week") + timedelta(days=6)
        return data

    def add_refusal(self, error: InvalidInput) -> None:
        fields = {WEEKS.get(name, name): text for name, text in error.fields.items()}
        super().add_refusal(InvalidInput(error.message, fields=fields))


class ChangeSlotForm(SlotForm):
    """The unit stays; another unit's places are other places."""

    care_unit = None  # type: ignore[assignment]

    def __init__(self, *args: Any, slot: FreeCapacity, **kwargs: Any) -> None:
        initial = {name: getattr(slot, name) for name in self.base_fields if hasattr(slot, name)}
        initial |= {"first_week": slot.first_day, "last_week": slot.last_day}
        super(SlotForm, self).__init__(*args, initial=initial, **kwargs)


class SlotFileForm(PlainForm):
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB."))
