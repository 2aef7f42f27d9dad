"""What is chosen on the dashboard; the choice stands in the URL."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts.models import Procedure
from organisations.access import Actor
from organisations.models import CareUnit, MedicalArea, Role
from statistics.counted import Conditions
from statistics.forms import StatisticsForm
from statistics.months import Month
from statistics.selectors import SEES_CASES, clinics_of


class Span(models.TextChoices):
    """How long the funnel and the flows reach back from the chosen month."""

    YEAR = "year", _("Kalenderåret")
    TWELVE = "twelve", _("Tolv månader")


@dataclass(frozen=True)
class Period:
    """Whole months, the last one with them."""

    first: Month
    last: Month

    @classmethod
    def of_year(cls, year: int) -> "Period":
        return cls(Month(year, 1), Month(year, 12))

    @property
    def is_year(self) -> bool:
        return self == Period.of_year(self.first.year)

    def __str__(self) -> str:
        """As it stands in a heading: ``2026``, or ``april 2025–mars 2026``."""
        if self.is_year:
            return str(self.first.year)
        return f"{self.first.label}–{self.last.label}"


@dataclass(frozen=True)
class Choice:
    """The month, which cases are asked for and how far back."""

    month: Month
    clinic: CareUnit | None = None
    mvo: str = ""
    procedure: str = ""
    span: str = Span.YEAR

    @property
    def year(self) -> Period:
        """The calendar year of the month: the only period of those who see figures only, because
        no two years overlap (docs/decisions/0032-dashboards-and-hidden-numbers.md)."""
        return Period.of_year(self.month.year)

    @property
    def period(self) -> Period:
        """What is asked for, for those who see the cases."""
        if self.span == Span.TWELVE:
            return Period(self.month.back(11), self.month)
        return self.year

    @property
    def words(self) -> str:
        """Which cases, as it stands in a heading."""
        return ", ".join(
            [
                self.clinic.name if self.clinic else gettext("Alla kliniker"),
                *([gettext("verksamhetsområde %s") % self.mvo] if self.mvo else []),
                *([gettext("åtgärd %s") % self.procedure] if self.procedure else []),
            ]
        )

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


# The choices that only those who see the cases have.
FOR_CASES = ("mvo", "procedure", "span")


class DashboardForm(StatisticsForm):
    """What the actor may choose. Those who see figures only choose month and clinic, for each
    further choice would be a way to work a small number out. Raises :class:`NotAllowed`."""

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

    span = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=Span,
        error_messages={"invalid_choice": _("Perioden finns inte att välja.")},
    )

    def __init__(self, data: Any, *, actor: Actor, today: date) -> None:
        super().__init__(data, clinics=clinics_of(actor), today=today)
        self.is_clinic = actor.role == Role.CLINIC
        if actor.role not in SEES_CASES:
            for name in FOR_CASES:
                del self.fields[name]
            return
        areas = MedicalArea.objects.filter(pk__in=Procedure.objects.values("medical_area"))
        self.fields["mvo"].choices = [  # type: ignore[attr-defined]
            ("", _("Alla")),
            *((area.pk, str(area)) for area in areas),
        ]

    def clean_procedure(self) -> str:
        return str(self.cleaned_data["procedure"]).upper()

    def choice(self) -> Choice:
        """What is asked for; what could not be read is left out. A clinic has itself only."""
        month, clinic = self.chosen()
        if self.is_clinic:
            clinic = next(iter(self.clinics.values()), None)
        cleaned = getattr(self, "cleaned_data", {})
        return Choice(
            month,
            clinic,
            cleaned.get("mvo") or "",
            cleaned.get("procedure") or "",
            cleaned.get("span") or Span.YEAR,
        )
