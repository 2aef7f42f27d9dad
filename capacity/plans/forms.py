"""What a person types about a delivery plan. The rules stand in services and database."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from capacity.models import DeliveryPlan
from capacity.models.plans import MOST_PER_WEEK
from capacity.plans.forecast import Forecast
from capacity.plans.weeks import Week, distribute, weeks_of, working_days
from contracts.models import ContractLine
from organisations.plain_forms import PlainForm

EVENLY, WORKING_DAYS, PROPOSED = "evenly", "working_days", "proposed"
MOST_PER_YEAR = MOST_PER_WEEK * 53


class LineChoice(forms.ModelChoiceField):
    def label_from_instance(self, line: Any) -> str:
        contract = line.contract
        return f"{contract.provider.name}: {line.kva}, {line.care_unit.name} ({contract.number})"


class NewPlanForm(PlainForm):
    line = LineChoice(ContractLine.objects.none(), label=_("Vårdgivare, åtgärd och enhet"))
    whole_provider = forms.BooleanField(
        label=_("Planen gäller vårdgivarens alla enheter"), required=False
    )
    year = forms.TypedChoiceField(label=_("År"), coerce=int)

    def __init__(
        self, *args: Any, lines: QuerySet[ContractLine], today: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].queryset = lines  # type: ignore[attr-defined]
        this = Week.of(today).year
        years = [(year, str(year)) for year in range(this, this + 3)]
        self.fields["year"].choices = years  # type: ignore[attr-defined]


class WeeksForm(PlainForm):
    """All weeks of the plan's year, and how a yearly sum is laid out over them."""

    total = forms.IntegerField(
        label=_("Årssumma"), min_value=0, max_value=MOST_PER_YEAR, required=False
    )
    way = forms.ChoiceField(
        label=_("Fördela"),
        choices=[
            (EVENLY, _("jämnt")),
            (WORKING_DAYS, _("efter arbetsdagar (helgdagar borträknade)")),
            (PROPOSED, _("som förslaget")),
        ],
    )
    first = forms.TypedChoiceField(label=_("Från och med vecka"), coerce=int)
    share = forms.IntegerField(
        label=_("Vårdgivarens andel av behovet, %"), min_value=1, max_value=100
    )
    behind_percent = forms.IntegerField(
        label=_("Flagga när utfallet är under, %"), min_value=1, max_value=100
    )
    behind_weeks = forms.IntegerField(label=_("räknat över, veckor"), min_value=1, max_value=26)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        plan: DeliveryPlan,
        volumes: Mapping[int, int],
        share: int,
        today: date,
        fixed: bool,
    ) -> None:
        """``fixed``: weeks that have ended were agreed and cannot be changed."""
        self.weeks = weeks_of(plan.year)
        self.open = [week for week in self.weeks if not (fixed and week.has_ended(today))]
        coming = [week for week in self.weeks if not week.has_ended(today)] or self.weeks[-1:]
        initial = {
            "total": sum(volumes.values()) or None,
            "way": PROPOSED,
            "first": coming[0].number,
            "share": share,
            "behind_percent": plan.behind_percent,
            "behind_weeks": plan.behind_weeks,
        } | {f"w{number}": volume for number, volume in volumes.items()}
        super().__init__(data, initial=initial)
        for week in self.weeks:
            field = forms.IntegerField(
                label=_("Vecka %(n)s") % {"n": week.number},
                min_value=0,
                max_value=MOST_PER_WEEK,
                initial=volumes.get(week.number, 0),
                disabled=week not in self.open,
                widget=forms.NumberInput(attrs={"class": "ds-input", "inputmode": "numeric"}),
                error_messages={"required": _("Skriv ett tal, 0 om ingen.")},
            )
            self.fields[f"w{week.number}"] = field
        self.fields["first"].choices = [  # type: ignore[attr-defined]
            (week.number, str(week.number)) for week in coming
        ]

    def rows(self) -> Iterable[tuple[Week, int, Any]]:
        """Each week with its working days and its field."""
        return [(week, working_days(week), self[f"w{week.number}"]) for week in self.weeks]

    def settings(self) -> list[Any]:
        return [self["behind_percent"], self["behind_weeks"]]

    def distribution(self) -> list[Any]:
        return [self[name] for name in ("share", "total", "way", "first")]

    def volumes(self) -> dict[int, int]:
        return {week.number: self.cleaned_data[f"w{week.number}"] for week in self.weeks}

    def distributed(self, forecast: Forecast | None) -> dict[int, int] | None:
        """The weeks with the yearly sum laid out; ``None`` with a fault at its field."""
        chosen, volumes = self.cleaned_data, self.volumes()
        laid_out = [week for week in self.open if week.number >= chosen["first"]]
        way, total = chosen["way"], chosen["total"]
        proposed = dict(forecast.weeks) if forecast else {}
        if way == PROPOSED and forecast is None:
            self.add_error("way", _("Det finns inget förslag: för få ärenden i regionen."))
            return None
        kept = sum(volumes.values()) - sum(volumes[week.number] for week in laid_out)
        if total is None and way == PROPOSED:
            total = kept + sum(proposed.get(week, 0) for week in laid_out)
        if total is None:
            self.add_error("total", _("Skriv hur många patienter som planeras under året."))
            return None
        if total < kept:
            self.add_error(
                "total",
                _("Veckorna före har redan %(n)s patienter; årssumman är lägre.") % {"n": kept},
            )
            return None
        weights = {
            EVENLY: [1.0 for _week in laid_out],
            WORKING_DAYS: [float(working_days(week)) for week in laid_out],
            PROPOSED: [float(proposed.get(week, 0)) for week in laid_out],
        }[way]
        shares = distribute(total - kept, weights)
        if max(shares) > MOST_PER_WEEK:
            self.add_error("total", _("Det blir för många per vecka."))
            return None
        return volumes | {week.number: n for week, n in zip(laid_out, shares, strict=True)}


class AgreeForm(PlainForm):
    agreed_with = forms.CharField(
        label=_("Vem hos vårdgivaren har sagt ja?"),
        max_length=120,
        help_text=_("Namn eller funktion, till exempel produktionschefen."),
    )


class ReasonForm(PlainForm):
    reason = forms.CharField(label=_("Varför?"), max_length=300)


class PlanFileForm(PlainForm):
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX med vecka och volym."))
