"""Forms of the allocation of a waiting list and of drafts of offers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.plain_forms import PlainForm
from referral.models import CaseState
from referral.selectors.allocation import Choices
from referral.services.allocation import MOST_KM

STATES = (
    (CaseState.IN_PROGRESS, _("Under handläggning")),
    (CaseState.RECEIVED, _("Inkomna: föreslås, men ska tas innan de kan få ett utkast")),
    (CaseState.WATCHED, _("Bevakade: föreslås, men ska återupptas innan de kan få ett utkast")),
)


class AllocationForm(PlainForm):
    """Whom to allocate and how far they may be sent."""

    clinics = forms.MultipleChoiceField(label=_("Kliniker"), widget=forms.CheckboxSelectMultiple)
    kva_codes = forms.MultipleChoiceField(
        label=_("Åtgärder"),
        required=False,
        help_text=_("Ingen vald betyder alla."),
        widget=forms.CheckboxSelectMultiple,
    )
    case_states = forms.MultipleChoiceField(
        label=_("Ärenden"),
        choices=STATES,
        initial=[CaseState.IN_PROGRESS],
        widget=forms.CheckboxSelectMultiple,
    )
    max_km = forms.IntegerField(
        label=_("Längsta avstånd, km"),
        required=False,
        min_value=1,
        max_value=MOST_KM,
        help_text=_("Fågelvägen. Patientens egen gräns gäller också, om den är kortare."),
    )

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._units = {str(unit.pk): unit for unit, _cases in choices.clinics}
        clinics, codes = self.fields["clinics"], self.fields["kva_codes"]
        clinics.choices = [  # type: ignore[attr-defined]
            (str(unit.pk), f"{unit.name} ({cases})") for unit, cases in choices.clinics
        ]
        codes.choices = [  # type: ignore[attr-defined]
            (kva, f"{name} {kva} ({cases})") for kva, name, cases in choices.procedures
        ]

    def wanted(self) -> dict[str, Any]:
        """What the service asks for."""
        clinics = [self._units[key] for key in self.cleaned_data["clinics"]]
        return self.cleaned_data | {"clinics": clinics}
