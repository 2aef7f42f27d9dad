"""The half-year that is shown, and what a region enters."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from referral.pathways import FirstTreatment, pathway_choices
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import OwnStep

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


def _pathway_or_all() -> list[tuple[str, Any]]:
    return [("", _("Alla tillsammans")), *pathway_choices()]


class CountForm(PlainForm):
    """What the two kinds of own counts share."""

    period = forms.CharField(label=_("Halvår"), max_length=6, help_text=_("Till exempel 2026H1."))
    pathway = forms.ChoiceField(label=_("Vårdförlopp"), required=False, choices=_pathway_or_all)
    source = forms.CharField(label=_("Källa"), max_length=160)

    needed_by_answer = frozenset({"pathway"})


class InclusionForm(CountForm):
    """``enter_inclusion``'s arguments."""

    new_cases = forms.IntegerField(label=_("Insjuknade i cancer"))
    included = forms.IntegerField(label=_("Av dem utredda i ett standardiserat vårdförlopp"))

    field_order = ("period", "pathway", "new_cases", "included", "source")


class LeadTimeForm(CountForm):
    """``enter_lead_time``'s arguments."""

    step = forms.ChoiceField(label=_("Steg"), choices=OwnStep.choices)
    patients = forms.IntegerField(
        label=_("Patienter"), help_text=_("Alla regionens, även de som behandlats hemma.")
    )
    within = forms.IntegerField(
        label=_("Av dem inom längsta ledtid"),
        required=False,
        help_text=_("Måste anges för hela ledtiden."),
    )
    median_days = forms.DecimalField(
        label=_("Median, dagar"),
        required=False,
        max_digits=5,
        decimal_places=1,
        localize=True,
    )

    field_order = ("period", "pathway", "step", "patients", "within", "median_days", "source")


class PathwayFileForm(PlainForm):
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB."))
    good_rows_only = forms.BooleanField(
        label=_("Läs in de rader som stämmer även om andra har fel"), required=False
    )
