"""The figures of the pages, read from counted months and facts instead of the cases.

Only where they are exactly what the cases say: a month that is due to be counted anew, or in which
something has happened that is not yet in the facts, is counted from the cases. Where whole cases
are counted, only those are counted from the cases to which something has happened that is not yet
in their facts.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case as Choose
from django.db.models import Q, QuerySet, When

from organisations.models import EventDelivery
from referral.models import Case, DeclineReason, Offer
from statistics.counted import Conditions
from statistics.facts.models import CaseFact, MonthRow, MonthState, OfferFact, StaleCase
from statistics.facts.sources import month_of
from statistics.facts.upkeep import CONSUMER
from statistics.months import Month

Kept = dict[tuple[Month, int | None], dict[str, Any]]
COUNTS = ("received", "offered", "answered", "accepted", "declined", "treated", "confirmed")


# With more than these the cases alone are counted.
MOST_CHANGED = 2_000
ANSWERED = Choose(When(~Q(answer_channel=""), then="answered_at"))
# What the page counts of an offer, by its fact and by itself.
OF_FACT = (
    *("sent_at", "answered_at", "decline_reason", "confirmed_at", "treated_on"),
    *("home_wait_days", "amount_sek"),
)
OF_OFFER = (
    *("sent_at", ANSWERED, "decline_reason", "referral__confirmed_at", "referral__treated_on"),
    *("home_wait_days", "call_off__amount_sek"),
)
Row = tuple[Any, ...]


def counted_months(region: str, months: Iterable[Month]) -> list[Month]:
    """Those of the months whose kept figures are what the cases say now."""
    changed = changed_cases(region)
    if changed is None:
        return []
    differing = {month.first_day for month in _months_that_differ(changed)}
    # Asked last: facts that were remade meanwhile have let their months be due.
    states = MonthState.objects.filter(
        region_id=region,
        due_at__isnull=True,
        month__in={month.first_day for month in months} - differing,
    )
    return sorted(Month.of(first_day) for first_day in states.values_list("month", flat=True))


def _months_that_differ(cases: list[int]) -> set[Month]:
    """Where what the page counts of the cases is another by their facts than by themselves."""
    if not cases:
        return set()
    received = _differing(
        CaseFact.objects.filter(pk__in=cases).values_list("pk", "received_at", "clinic"),
        Case.objects.filter(pk__in=cases).values_list("pk", "received_at", "sending_unit"),
    )
    offers = _differing(
        OfferFact.objects.filter(case__in=cases).values_list("pk", *OF_FACT),
        Offer.objects.filter(case__in=cases).values_list("pk", *OF_OFFER),
    )
    times = [at for at, _clinic in received]
    times += [at for one in offers for at in one if isinstance(at, date)]
    return {month_of(at) for at in times}


def _differing(facts: Iterable[Row], sources: Iterable[Row]) -> Iterator[Row]:
    """Each row, without its key, that is on one side only."""
    known, found = ({row[0]: row[1:] for row in rows} for rows in (facts, sources))
    for key in known.keys() | found.keys():
        if known.get(key) != found.get(key):
            yield from (side[key] for side in (known, found) if key in side)


def each_case_once(
    facts: "QuerySet[Any]", rows: "QuerySet[Any]", *, region: str | None, case: str = ""
) -> "list[QuerySet[Any]]":
    """What together is the same as ``rows``: the facts that say what their cases say now, and the
    rows of the other cases.

    ``case`` is the way from a row to its case, with ``__`` last. Without ``region`` all are meant.
    """
    changed = changed_cases(region)
    if changed is None:
        return [rows]
    return [facts.exclude(case__in=changed), rows.filter(**{f"{case}pk__in": changed})]


def of_facts(cases: Conditions) -> Q:
    """The conditions on cases as those on their facts."""
    names = {"sending_unit_id": "clinic_id"}
    return Q(**{names.get(name, name): value for name, value in cases.items()})


def changed_cases(region: str | None) -> list[int] | None:
    """The cases that may not be what their facts say, or ``None`` for too many.

    The events are read first: one that is delivered meanwhile has left its cases among the stale,
    and one of these that is remade meanwhile is in the facts when they are read.
    """
    numbers = set(_waiting(region).values_list("event__case_number", flat=True)[: MOST_CHANGED + 1])
    stale = StaleCase.objects.filter(**{"case__region_id": region} if region else {})
    changed = set(stale.values_list("case_id", flat=True)[: MOST_CHANGED + 1])
    if len(numbers) > MOST_CHANGED or len(changed) > MOST_CHANGED:
        return None
    if numbers:
        # As statistics.facts.upkeep.on_event has it: all cases of the patient.
        of_patients = Case.objects.filter(patient__cases__number__in=numbers)
        changed.update(of_patients.order_by().values_list("pk", flat=True))
    return sorted(changed)


def _waiting(region: str | None) -> "QuerySet[EventDelivery]":
    """What has happened and the facts have not been told of."""
    waiting = EventDelivery.objects.filter(consumer=CONSUMER, done_at__isnull=True)
    return waiting.filter(event__case_number__startswith=f"{region}-") if region else waiting


def kept_figures(region: str, months: list[Month], *, clinic: int | None = None) -> Kept:
    """By month and clinic what the page shows; ``None`` is the whole region.

    With ``clinic`` only that one, which then stands for the whole.
    """
    if not months:
        return {}
    rows = MonthRow.objects.filter(
        region_id=region,
        month__gte=months[0].first_day,
        month__lte=months[-1].first_day,
        dimension__in=["region", "clinic"],
    )
    if clinic is not None:
        rows = rows.filter(dimension="clinic", key=str(clinic))
    wanted = set(months)
    kept: Kept = {}
    for first_day, dimension, key, counted in rows.values_list(
        "month", "dimension", "key", "figures"
    ):
        month = Month.of(first_day)
        if month not in wanted:
            continue
        figures = _figures(counted)
        if dimension == "region":
            kept[month, None] = figures
        else:
            kept[month, int(key)] = figures
            if clinic is not None:
                kept[month, None] = figures
    return kept


def _figures(counted: dict[str, list[Any]]) -> dict[str, Any]:
    def part(measure: str, index: int) -> Any:
        return counted[measure][index] if measure in counted else None

    values: dict[str, Any] = {name: part(name, 0) or 0 for name in COUNTS}
    return values | {
        "handling_days": part("handling_days", 1),
        "answer_hours": part("answer_hours", 1),
        "days_gained": part("days_gained", 1),
        "gained": part("days_gained", 0) or 0,
        "costed": part("cost", 0) or 0,
        "cost": Decimal(part("cost", 1) or 0) / 100,
        "declines": [part(f"declined_{reason}", 0) or 0 for reason in DeclineReason.values],
    }
