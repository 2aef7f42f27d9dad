"""What is chosen on the dashboard; the choice stands in the URL."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from contracts.models import Procedure
from organisations.models import CareUnit, MedicalArea
from statistics.counted import Conditions
from statistics.forms import StatisticsForm
from statistics.months import Month


@dataclass(frozen=True)
class Choice:
    """The month and which cases are asked for."""

    month: Month
    clinic: CareUnit | None = None
    mvo: str = ""
    procedure: str = ""

    @property
    def only(self) -> Conditions:
        """The conditions on the cases, but for the clinic."""
        conditions: Conditions = {}
        if self.mvo:
            of_area = Procedure.objects.filter(medical_area_id=self.mvo)
            conditions["kva__in"] = of_area.values_list("kva", flat=True)
        if self.procedure:
            conditions["kva__startswith"] = self.procedure
        return conditions

    @property
    def of_clinic(self) -> Conditions:
        return {"sending_unit_id": self.clinic.pk} if self.clinic else {}


class DashboardForm(StatisticsForm):
    """``by_procedure``: for those who see the cases. Others choose month and clinic only, for each
    further choice would be a way to work a small number out."""

    mvo = forms.ChoiceField(
        label=_("Verksamhetsområde"),
        required=False,
        error_messages={"invalid_choice": _("Verksamhetsområdet finns inte.")},
    )
    procedure = forms.CharField(
        label=_("Åtgärd (KVÅ)"),
        required=False,
        max_length=5,
        validators=[
            RegexValidator(
                r"^[A-Za-z]{2}[A-Za-z0-9]?[0-9]{0,3}$",
                _("Skriv en KVÅ-kod eller dess början, till exempel NGB49 eller NGB."),
            )
        ],
    )

    def __init__(
        self, data: Any, *, clinics: list[CareUnit], today: date, by_procedure: bool
    ) -> None:
        super().__init__(data, clinics=clinics, today=today)
        if not by_procedure:
            del self.fields["mvo"], self.fields["procedure"]
            return
        areas = MedicalArea.objects.filter(pk__in=Procedure.objects.values("medical_area"))
        self.fields["mvo"].choices = [  # type: ignore[attr-defined]
            ("", _("Alla")),
            *((area.pk, str(area)) for area in areas),
        ]

    def clean_procedure(self) -> str:
        return str(self.cleaned_data["procedure"]).upper()

    def choice(self) -> Choice:
        """What is asked for; what could not be read is left out."""
        month, clinic = self.chosen()
        cleaned = getattr(self, "cleaned_data", {})
        return Choice(month, clinic, cleaned.get("mvo") or "", cleaned.get("procedure") or "")
