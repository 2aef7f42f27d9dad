"""The half-year that is shown, and what a region enters."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from referral.pathways import FirstTreatment, pathway_choices
from statistics.pathways.halves import HalfYear

HALVES_BACK = 6


class PeriodForm(forms.Form):
    """One of the last half-years; anything else is the newest."""

    period = forms.ChoiceField(label=_("Halvår"), required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = HalfYear.of(today)
        halves = [self.newest]
        while len(halves) < HALVES_BACK:
            halves.append(halves[-1].before)
        field = self.fields["period"]
        field.choices = [(str(half), str(half)) for half in halves]  # type: ignore[attr-defined]
        field.widget.attrs["class"] = "ds-input"

    def chosen(self) -> HalfYear:
        found = HalfYear.parse(self.cleaned_data.get("period", "")) if self.is_valid() else None
        return found or self.newest


class LimitForm(PlainForm):
    """``enter_limit``'s arguments."""

    pathway = forms.ChoiceField(label=_("Vårdförlopp"), choices=pathway_choices)
    treatment = forms.ChoiceField(label=_("Första behandling"), choices=FirstTreatment.choices)
    days = forms.IntegerField(
        label=_("Längsta ledtid, dagar"),
        help_text=_("Kalenderdagar från välgrundad misstanke, enligt vårdförloppets beskrivning."),
        widget=forms.NumberInput(attrs={"min": 1, "max": 365}),
    )


class InclusionForm(PlainForm):
    """``enter_inclusion``'s arguments."""

    period = forms.CharField(label=_("Halvår"), max_length=6, help_text=_("Till exempel 2026H1."))
    new_cases = forms.IntegerField(label=_("Insjuknade i cancer, alla vårdförlopp"))
    included = forms.IntegerField(label=_("Av dem utredda i ett standardiserat vårdförlopp"))
    source = forms.CharField(label=_("Källa"), max_length=160)
