"""What is chosen on the care guarantee's page; the choice stands in the URL."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from referral.models import Phase
from statistics.forms import StatisticsForm
from statistics.guarantee.columns import Basis
from statistics.guarantee.selectors import Dimension
from statistics.selectors import SEES_CASES, clinics_of

UNKNOWN = _("Valet finns inte. Välj ett i listan.")


class GuaranteeForm(StatisticsForm):
    dimension = forms.ChoiceField(
        label=_("Visa per"),
        required=False,
        choices=Dimension,
        error_messages={"invalid_choice": UNKNOWN},
    )
    basis = forms.ChoiceField(
        label=_("Räkna väntan"),
        required=False,
        choices=Basis,
        error_messages={"invalid_choice": UNKNOWN},
    )
    phase = forms.ChoiceField(
        label=_("Vårdgarantins del"),
        required=False,
        choices=[("", _("Båda")), *Phase.choices],
        error_messages={"invalid_choice": UNKNOWN},
    )

    def __init__(self, data: Any, *, actor: Actor, today: date) -> None:
        super().__init__(data, clinics=clinics_of(actor), today=today)
        if actor.role not in SEES_CASES:
            # Crossed with clinics it would give small numbers back; it is a dimension instead.
            del self.fields["phase"]

    def choice(self) -> dict[str, Any]:
        """What :func:`guarantee_for` takes; what could not be read falls back to the usual."""
        month, clinic = self.chosen()
        cleaned = self.cleaned_data
        return {
            "month": month,
            "clinic": clinic,
            "dimension": cleaned.get("dimension") or Dimension.CLINIC,
            "basis": cleaned.get("basis") or Basis.WITHOUT,
            "phase": cleaned.get("phase") or "",
        }
