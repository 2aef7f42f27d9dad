"""The month's figures per region and clinic, from counted months or straight from the cases.

Definitions stand in ``DEFINITIONS`` and are shown on the page and in the downloads. Months are
calendar months in Europe/Stockholm.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Extract, TruncDate, TruncMonth
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor, as_product
from organisations.errors import NotAllowed
from organisations.models import CareUnit, Role
from referral.models import Case, DeclineReason
from statistics.counted import Conditions, counted
from statistics.frozen.hiding import Group, Hiding, Table
from statistics.hiding import DECLINED, hiding_of
from statistics.kept import counted_months, kept_figures
from statistics.months import Month

TREND_MONTHS = 13
SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3_600

MAY_SEE = frozenset({Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR, Role.CLINIC})
# These see the cases behind the figures; the others see figures only.
SEES_CASES = frozenset({Role.NAVIGATOR, Role.CLINIC})

DEFINITIONS = (
    (_("Inkomna"), _("Blanketter som kom in under månaden (första inskickningen).")),
    (_("Erbjudanden"), _("Erbjudanden som skickades under månaden.")),
    (_("Ja"), _("Svar under månaden där patienten tackade ja, och andelen av alla svar.")),
    (_("Behandlade"), _("Patienter med behandlingsdatum under månaden.")),
    (
        _("Handläggningstid"),
        _("Median, dagar från mottagen blankett till remissbekräftelse, bekräftade i månaden."),
    ),
    (_("Svarstid"), _("Median, timmar från erbjudande till svar, besvarade i månaden.")),
    (
        _("Vunna dagar"),
        _(
            "Förväntad väntan på hemkliniken när erbjudandet skickades, minus dagarna från "
            "erbjudande till behandling. Summa för månadens behandlade där väntan var känd."
        ),
    ),
    (_("Kostnad"), _("Avropens belopp för månadens behandlade, kronor.")),
)


class Median(Aggregate):
    """PostgreSQL's continuous median."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass
class Figures:
    """One month's figures of a clinic or a whole region. ``None``: unknown or hidden."""

    received: int | None = 0
    offered: int | None = 0
    answered: int | None = 0
    accepted: int | None = 0
    treated: int | None = 0
    handling_days: float | None = None
    answer_hours: float | None = None
    days_gained: int | None = None
    cost: Decimal | None = Decimal(0)
    # Not shown; what the shown figures rest on.
    declined: int | None = 0
    confirmed: int | None = 0
    gained: int | None = 0
    costed: int | None = 0
    hidden: set[str] = field(default_factory=set)

    @property
    def accepted_share(self) -> float | None:
        """Per cent of the month's answers that were yes."""
        if not self.answered or self.accepted is None:
            return None
        return 100 * self.accepted / self.answered


# The counts, by what the hiding calls them, and the figures that each tells something of.
TELL = {
    "received": ("received",),
    "offered": ("offered",),
    "answered": ("answered", "answer_hours"),
    "accepted": ("accepted",),
    "declined": ("declined",),
    "confirmed": ("confirmed", "handling_days"),
    "treated": ("treated", "gained", "days_gained", "costed", "cost"),
    "days_gained.n": ("gained", "days_gained"),
    "cost.n": ("costed", "cost"),
}
INTERNAL = frozenset({"declined", "confirmed", "gained", "costed", "hidden"})


@dataclass
class Statistics:
    """A month's page: the chosen clinic or the region, its clinics, and the months before."""

    month: Month
    region: str
    clinic: CareUnit | None
    total: Figures
    clinics: list[tuple[CareUnit, Figures]]
    declines: list[tuple[str, int | None]]
    trend: list[tuple[Month, Figures]]
    suppressed: bool


@as_product("statistics")
def clinics_of(actor: Actor) -> list[CareUnit]:
    """The clinics whose figures the actor may choose. Raises :class:`NotAllowed`."""
    if actor.role not in MAY_SEE or not actor.region:
        raise NotAllowed(_("Din roll ser ingen statistik."))
    # Units that no longer send keep their rows, or the rows would not add up to the total.
    has_sent = Exists(Case.objects.filter(sending_unit_id=OuterRef("pk")))
    units = CareUnit.objects.filter(Q(sends=True) | has_sent, region_id=actor.region)
    if actor.role == Role.CLINIC:
        units = units.filter(pk=actor.care_unit_id or 0)
    return list(units.order_by("name"))


@as_product("statistics")
def statistics_for(
    actor: Actor,
    *,
    month: Month,
    clinic: CareUnit | None = None,
    trend_months: int = TREND_MONTHS,
    only: Conditions | None = None,
) -> Statistics:
    """The figures of a month with the trend before it, in a fixed number of queries.

    Those who see figures only get small numbers hidden, computed over the whole region whatever
    is chosen, so that no choice of clinic or month gives them back. ``only`` are further conditions
    on the cases, for those who see cases.
    """
    clinics = clinics_of(actor)
    if only and actor.role not in SEES_CASES:
        raise NotAllowed(_("Din roll kan inte välja ut ärenden så här."))
    cases: Conditions = {"region_id": actor.region} | (only or {})
    if actor.role == Role.CLINIC:
        cases["sending_unit_id"] = actor.care_unit_id
        clinic = clinics[0] if clinics else None
    hide = actor.role not in SEES_CASES
    months = [month.back(back) for back in range(trend_months - 1, -1, -1)]
    own = {} if hide or clinic is None else {"sending_unit_id": clinic.pk}
    table, declines = _counted(cases, own, months, kept=not only)
    for one in months:
        _complete(table[one], [unit.pk for unit in clinics])
    shown: dict[Month, Sequence[int | None]] = {one: declines[one] for one in months}
    if hide:
        live = {one: _counts(actor.region or "", table[one], declines[one]) for one in months}
        groups = [("clinic", str(unit.pk)) for unit in clinics]
        hiding = hiding_of(actor.region or "", live, groups=groups)
        for one in months:
            shown[one] = _hide(actor.region or "", table[one], declines[one], hiding[one])
    chosen = clinic.pk if clinic else None
    return Statistics(
        month=month,
        region=actor.region or "",
        clinic=clinic,
        total=table[month][chosen],
        clinics=[(unit, table[month][unit.pk]) for unit in clinics if clinic in {None, unit}],
        declines=list(zip(map(str, DeclineReason.labels), shown[month], strict=True)),
        trend=[(one, table[one][chosen]) for one in months],
        suppressed=hide,
    )


ByMonth = dict[Month, dict[int | None, Figures]]
Declines = dict[Month, list[int]]


def _counted(
    cases: Conditions, own: Conditions, months: list[Month], *, kept: bool
) -> tuple[ByMonth, Declines]:
    """Figures by month and clinic, and no by month: kept ones, and the rest from the cases."""
    region, unit = cases["region_id"], cases.get("sending_unit_id")
    ready = counted_months(region, months) if kept else []
    figures = kept_figures(region, ready, clinic=unit)
    left = sorted(set(months) - set(ready))
    table: ByMonth = defaultdict(lambda: defaultdict(Figures))
    declines: Declines = defaultdict(lambda: [0] * len(DeclineReason.values))
    if left:
        table |= _table(cases, first=left[0], last=left[-1])
        declines |= _declines(cases | own, first=left[0], last=left[-1])
    chosen = own.get("sending_unit_id")
    for (month, clinic), values in figures.items():
        if clinic == chosen:
            declines[month] = values["declines"]
        shown = {name: value for name, value in values.items() if name != "declines"}
        table[month][clinic] = Figures(**shown)
    return table, declines


def _table(cases: Conditions, *, first: Month, last: Month) -> ByMonth:
    """Figures by month and clinic; the key ``None`` is the whole region."""
    table: ByMonth = defaultdict(lambda: defaultdict(Figures))
    for per_clinic in (True, False):
        for rows in _measures(cases, first=first, last=last, per_clinic=per_clinic):
            for row in rows:
                figures = table[Month.of(row.pop("in_month"))][row.pop("clinic", None)]
                for name, value in row.items():
                    setattr(figures, name, value)
    return table


def _measures(
    cases: Conditions, *, first: Month, last: Month, per_clinic: bool
) -> list[QuerySet[Any, dict[str, Any]]]:
    """One grouped query for each event a figure is counted at."""
    events = counted(cases, first=first, last=last)

    def grouped(event: str, **values: Any) -> Any:
        rows, unit = events[event].rows, f"{events[event].case}sending_unit_id"
        keys: dict[str, Any] = {"in_month": TruncMonth(events[event].at)}
        keys |= {"clinic": F(unit)} if per_clinic else {}
        return rows.order_by().annotate(**keys).values(*keys).annotate(**values)

    waited = ExpressionWrapper(
        F("treated_on") - TruncDate("offer__sent_at"), output_field=DurationField()
    )
    return [
        grouped("received", received=Count("pk")),
        grouped("offered", offered=Count("pk")),
        grouped(
            "answered",
            answered=Count("pk"),
            accepted=Count("pk", filter=Q(decline_reason="")),
            declined=Count("pk", filter=~Q(decline_reason="")),
            answer_hours=Median(_seconds(F("answered_at") - F("sent_at")) / SECONDS_AN_HOUR),
        ),
        grouped(
            "confirmed",
            confirmed=Count("pk"),
            handling_days=Median(
                _seconds(F("confirmed_at") - F("offer__case__received_at")) / SECONDS_A_DAY
            ),
        ),
        grouped(
            "treated",
            treated=Count("pk"),
            gained=Count("offer__home_wait_days"),
            days_gained=Sum(F("offer__home_wait_days") - Extract(waited, "day")),
            costed=Count("offer__call_off__amount_sek"),
            cost=Sum("offer__call_off__amount_sek"),
        ),
    ]


def _seconds(difference: Any) -> Any:
    wrapped = ExpressionWrapper(difference, output_field=DurationField())
    return ExpressionWrapper(Extract(wrapped, "epoch"), output_field=FloatField())


def _complete(row: dict[int | None, Figures], clinics: list[int]) -> None:
    for key in (*clinics, None):
        row[key]


def _group(region: str, clinic: int | None) -> Group:
    return ("region", region) if clinic is None else ("clinic", str(clinic))


def _counts(region: str, row: dict[int | None, Figures], reasons: Sequence[int]) -> Table:
    """A month's counts as the hiding reads them."""
    found: dict[str, dict[Group, int]] = {
        column: {
            _group(region, key): getattr(figures, tell[0]) or 0 for key, figures in row.items()
        }
        for column, tell in TELL.items()
    }
    found["handling_days.n"] = found["confirmed"]
    for column, count in zip(DECLINED, reasons, strict=True):
        found[column] = {_group(region, None): count}
    return found


def _hide(
    region: str, row: dict[int | None, Figures], reasons: Sequence[int], hiding: Hiding
) -> list[int | None]:
    """Hide small counts of the clinics and of the region, and what hangs on them.

    Returns the counts of the region's no by ``reasons`` as they may be shown.
    """
    for key, figures in row.items():
        for column, tell in TELL.items():
            if hiding.is_hidden(column, _group(region, key)):
                figures.hidden.update(tell)
        figures.confirmed = None
        for name in figures.hidden:
            setattr(figures, name, None)
    return [
        None if hiding.is_hidden(column, _group(region, None)) else count
        for column, count in zip(DECLINED, reasons, strict=True)
    ]


def _declines(cases: Conditions, *, first: Month, last: Month) -> dict[Month, list[int]]:
    """No by month, in the order of the reasons."""
    rows = (
        counted(cases, first=first, last=last)["declined"]
        .rows.order_by()
        .annotate(in_month=TruncMonth("answered_at"))
        .values_list("in_month", "decline_reason")
        .annotate(n=Count("pk"))
    )
    counts: dict[Month, list[int]] = defaultdict(lambda: [0] * len(DeclineReason.values))
    for in_month, reason, n in rows:
        counts[Month.of(in_month)][DeclineReason.values.index(reason)] = n
    return counts


FIELD_NAMES = tuple(f.name for f in fields(Figures) if f.name not in INTERNAL)
