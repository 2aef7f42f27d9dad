"""The month's figures per region and clinic, from counted months or straight from the cases.

Definitions stand in ``DEFINITIONS`` and are shown on the page and in the downloads. Months are
calendar months in Europe/Stockholm.
"""

from collections import defaultdict
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
from organisations.suppression import suppress
from referral.models import Case, DeclineReason, Offer, Referral
from statistics.kept import counted_months, kept_figures
from statistics.months import Month

TREND_MONTHS = 13
FEWEST_FOR_MEDIAN = 5
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


Conditions = dict[str, Any]


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
    hidden: set[str] = field(default_factory=set)

    @property
    def accepted_share(self) -> float | None:
        """Per cent of the month's answers that were yes."""
        if not self.answered or self.accepted is None:
            return None
        return 100 * self.accepted / self.answered


# Counts that are shown, or that a sum is made of, and so could be worked out by subtraction.
COUNTS = ("received", "offered", "accepted", "declined", "treated", "gained")
# What a hidden count takes with it.
FOLLOWS = {
    "treated": ("days_gained", "cost"),
    "gained": ("days_gained",),
    "accepted": ("answered", "answer_hours"),
    "declined": ("answered", "answer_hours"),
}
INTERNAL = frozenset({"declined", "confirmed", "gained", "hidden"})


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
def statistics_for(actor: Actor, *, month: Month, clinic: CareUnit | None = None) -> Statistics:
    """The figures of a month with the trend before it, in a fixed number of queries.

    Those who see figures only get small numbers hidden, computed over the whole region whatever
    is chosen, so that no choice of clinic or month gives them back.
    """
    clinics = clinics_of(actor)
    cases: Conditions = {"region_id": actor.region}
    if actor.role == Role.CLINIC:
        cases["sending_unit_id"] = actor.care_unit_id
        clinic = clinics[0] if clinics else None
    hide = actor.role not in SEES_CASES
    months = [month.back(back) for back in range(TREND_MONTHS - 1, -1, -1)]
    own = {} if hide or clinic is None else {"sending_unit_id": clinic.pk}
    table, declines = _counted(cases, own, months)
    shown = {}
    for one in months:
        _complete(table[one], [unit.pk for unit in clinics])
        shown[one] = _hide(table[one], declines[one]) if hide else declines[one]
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


Table = dict[Month, dict[int | None, Figures]]
Declines = dict[Month, list[int]]


def _counted(cases: Conditions, own: Conditions, months: list[Month]) -> tuple[Table, Declines]:
    """Figures by month and clinic, and no by month: kept ones, and the rest from the cases."""
    region, unit = cases["region_id"], cases.get("sending_unit_id")
    counted = counted_months(region, months)
    kept = kept_figures(region, counted, clinic=unit)
    left = sorted(set(months) - set(counted))
    table: Table = defaultdict(lambda: defaultdict(Figures))
    declines: Declines = defaultdict(lambda: [0] * len(DeclineReason.values))
    if left:
        table |= _table(cases, first=left[0], last=left[-1])
        declines |= _declines(cases | own, first=left[0], last=left[-1])
    chosen = own.get("sending_unit_id")
    for (month, clinic), values in kept.items():
        if clinic == chosen:
            declines[month] = values["declines"]
        shown = {name: value for name, value in values.items() if name != "declines"}
        table[month][clinic] = Figures(**shown)
    return table, declines


def _table(cases: Conditions, *, first: Month, last: Month) -> Table:
    """Figures by month and clinic; the key ``None`` is the whole region."""
    table: Table = defaultdict(lambda: defaultdict(Figures))
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
    span = (first.start, last.end)
    days = (first.first_day, last.back(-1).first_day)
    offer_cases = _prefixed(cases, "case__")
    referral_cases = _prefixed(cases, "offer__case__")

    def grouped(rows: Any, at: Any, clinic: str, **values: Any) -> Any:
        keys = {"in_month": TruncMonth(at)} | ({"clinic": F(clinic)} if per_clinic else {})
        return rows.order_by().annotate(**keys).values(*keys).annotate(**values)

    received = Case.objects.filter(
        _prefixed(cases, ""), received_at__gte=span[0], received_at__lt=span[1]
    )
    sent = Offer.objects.filter(offer_cases, sent_at__gte=span[0], sent_at__lt=span[1])
    answered = Offer.objects.filter(
        offer_cases,
        answered_at__gte=span[0],
        answered_at__lt=span[1],
        answer_channel__gt="",
    )
    confirmed = Referral.objects.filter(
        referral_cases, confirmed_at__gte=span[0], confirmed_at__lt=span[1]
    )
    treated = Referral.objects.filter(
        referral_cases, treated_on__gte=days[0], treated_on__lt=days[1]
    )
    waited = ExpressionWrapper(
        F("treated_on") - TruncDate("offer__sent_at"), output_field=DurationField()
    )
    unit = "case__sending_unit_id"
    return [
        grouped(received, "received_at", "sending_unit_id", received=Count("pk")),
        grouped(sent, "sent_at", unit, offered=Count("pk")),
        grouped(
            answered,
            "answered_at",
            unit,
            answered=Count("pk"),
            accepted=Count("pk", filter=Q(decline_reason="")),
            declined=Count("pk", filter=~Q(decline_reason="")),
            answer_hours=Median(_seconds(F("answered_at") - F("sent_at")) / SECONDS_AN_HOUR),
        ),
        grouped(
            confirmed,
            "confirmed_at",
            f"offer__{unit}",
            confirmed=Count("pk"),
            handling_days=Median(
                _seconds(F("confirmed_at") - F("offer__case__received_at")) / SECONDS_A_DAY
            ),
        ),
        grouped(
            treated,
            "treated_on",
            f"offer__{unit}",
            treated=Count("pk"),
            gained=Count("offer__home_wait_days"),
            days_gained=Sum(F("offer__home_wait_days") - Extract(waited, "day")),
            cost=Sum("offer__call_off__amount_sek"),
        ),
    ]


def _seconds(difference: Any) -> Any:
    wrapped = ExpressionWrapper(difference, output_field=DurationField())
    return ExpressionWrapper(Extract(wrapped, "epoch"), output_field=FloatField())


def _prefixed(cases: Conditions, prefix: str) -> Q:
    """The same conditions seen from a related table."""
    return Q(**{prefix + name: value for name, value in cases.items()})


def _complete(row: dict[int | None, Figures], clinics: list[int]) -> None:
    for key in (*clinics, None):
        row[key]


def _hide(row: dict[int | None, Figures], reasons: list[int]) -> list[int | None]:
    """Hide small counts of the clinics and of the region, and what hangs on them.

    Returns the counts of the region's no by ``reasons`` as they may be shown. Their sum is the
    sum of the clinics' no (answered less yes): what hides it in one table hides it in the other.
    """
    clinics = [figures for key, figures in row.items() if key is not None]
    total = row[None]
    columns = {name: [getattr(figures, name) or 0 for figures in clinics] for name in COUNTS}
    secret_no = suppress(reasons)[1] or suppress(columns["declined"])[1]
    for name, counts in columns.items():
        away, total_away = suppress(counts, hide_total=secret_no and name == "declined")
        for figures, hidden in zip([*clinics, total], [*away, total_away], strict=True):
            if hidden:
                figures.hidden.update({name, *FOLLOWS.get(name, ())})
    for figures in row.values():
        # A median of few says too much of each; medians do not add up, so no more is needed.
        if 0 < (figures.confirmed or 0) < FEWEST_FOR_MEDIAN:
            figures.hidden.add("handling_days")
        figures.confirmed = None
        for name in figures.hidden:
            setattr(figures, name, None)
    away = suppress(reasons, hide_total=secret_no)[0]
    return [None if hidden else count for count, hidden in zip(reasons, away, strict=True)]


def _declines(cases: Conditions, *, first: Month, last: Month) -> dict[Month, list[int]]:
    """No by month, in the order of the reasons."""
    rows = (
        Offer.objects.filter(
            _prefixed(cases, "case__"),
            ~Q(decline_reason=""),
            answered_at__gte=first.start,
            answered_at__lt=last.end,
            answer_channel__gt="",
        )
        .order_by()
        .annotate(in_month=TruncMonth("answered_at"))
        .values_list("in_month", "decline_reason")
        .annotate(n=Count("pk"))
    )
    counts: dict[Month, list[int]] = defaultdict(lambda: [0] * len(DeclineReason.values))
    for in_month, reason, n in rows:
        counts[Month.of(in_month)][DeclineReason.values.index(reason)] = n
    return counts


FIELD_NAMES = tuple(f.name for f in fields(Figures) if f.name not in INTERNAL)
