"""What is chosen in the situation view, and the file of waiting times."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from capacity.matching.scores import CRITERIA
from capacity.models import MatchingWeights
from capacity.situation import PERIODS, Choice, needs_reported
from contracts.codes import validate_kva
from organisations.plain_forms import PlainForm

UNIT, REGION = "unit", "region"
DEFAULT_DAYS, DEFAULT_SORT = 90, "median_days"
SHARES = (("", _("Alla")), *((str(n), _("Minst %(n)s %%") % {"n": n}) for n in (5, 10, 20, 30)))
COLUMNS = (
    ("name", _("Enhet eller region")),
    ("region", _("Region")),
    ("done", _("Utförda")),
    ("median_days", _("Median, dagar")),
    ("p80_days", _("80:e percentilen, dagar")),
    ("asa34_percent", _("ASA 3–4, %")),
    ("general_anaesthesia_percent", _("Narkos, %")),
    ("newest", _("Källa, till och med")),
)
ORDERS = tuple(
    (sign + key, label if not sign else _("%(label)s, fallande") % {"label": label})
    for key, label in COLUMNS
    for sign in ("", "-")
)


class SituationForm(PlainForm):
    """The choice stands in the address; what cannot be read is said at its field."""

    q = forms.CharField(
        label=_("Åtgärd, kod eller ord"),
        max_length=60,
        required=False,
        widget=forms.TextInput(
            attrs={"data-suggest": reverse_lazy("suggest-procedures"), "autocomplete": "off"}
        ),
    )
    days = forms.TypedChoiceField(
        label=_("Utförda de senaste"),
        choices=[(n, ngettext_lazy("%(n)s dagen", "%(n)s dagarna", n) % {"n": n}) for n in PERIODS],
        coerce=int,
    )
    level = forms.ChoiceField(
        label=_("Visa per"),
        choices=[(UNIT, _("Vårdenhet")), (REGION, _("Region"))],
    )
    asa34 = forms.ChoiceField(label=_("Andel ASA 3–4"), choices=SHARES, required=False)
    narcosis = forms.ChoiceField(label=_("Andel narkos"), choices=SHARES, required=False)
    need = forms.IntegerField(
        label=_("Medicinskt behov"),
        min_value=1,
        max_value=3650,
        required=False,
        widget=forms.Select(choices=[("", _("Alla"))]),
    )
    sort = forms.ChoiceField(label=_("Sortering"), choices=ORDERS)

    def __init__(self, data: Mapping[str, Any], *, today: date) -> None:
        chosen = {"days": DEFAULT_DAYS, "level": UNIT, "sort": DEFAULT_SORT}
        super().__init__(chosen | {key: value for key, value in data.items() if value})
        code = str(self.data.get("q", "")).split(" ")[0].strip().upper()
        if is_code(code):
            self.fields["need"].widget.choices = [
                ("", _("Alla")),
                *(
                    (days, _("Inom %(days)s dagar") % {"days": days})
                    for days in needs_reported(code, today=today)
                ),
            ]

    def choice(self, kva: str) -> Choice:
        """The choice for a code, once the form is valid."""
        data = self.cleaned_data
        return Choice(
            kva=kva,
            days=data["days"],
            by_region=data["level"] == REGION,
            need_within_days=data["need"],
            asa34_least=int(data["asa34"] or 0),
            general_anaesthesia_least=int(data["narcosis"] or 0),
        )


def is_code(text: str) -> bool:
    try:
        validate_kva(text)
    except forms.ValidationError:
        return False
    return True


class WaitingTimeFileForm(PlainForm):
    source = forms.CharField(
        label=_("Register"),
        max_length=60,
        help_text=_("Som det ska stå på sidorna, till exempel SPOR."),
    )
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB."))


def _weight(name: str) -> forms.IntegerField:
    label = str(getattr(MatchingWeights._meta.get_field(name), "verbose_name", name))
    return forms.IntegerField(label=label.capitalize(), min_value=0, max_value=100)


class WeightsForm(PlainForm):
    """A region's weights; ``seen`` is the version that the person read, ``kva`` what is tried."""

    # Who only tries does not have to say why.
    needed_by_answer = frozenset({"why", "kva"})

    wait, distance, price = _weight("wait"), _weight("distance"), _weight("price")
    quality, contract = _weight("quality"), _weight("contract")
    why = forms.CharField(
        label=_("Varför ändras vikterna?"),
        max_length=300,
        help_text=_("Sparas i historiken. Inga patientuppgifter."),
    )
    kva = forms.ChoiceField(label=_("Åtgärd att prova med"), required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, codes: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kva"].choices = list(codes)  # type: ignore[attr-defined]

    def values(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in CRITERIA}

    def total(self) -> int:
        return sum(self.values().values())
