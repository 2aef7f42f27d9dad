"""Counted months: kept, counted anew when they are due, and read by the pages."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Min

from organisations.sweeps import claim_due
from referral.models import Case
from statistics.facts.build import make_facts
from statistics.facts.counting import count_month
from statistics.facts.models import CaseFact, MonthRow, MonthState
from statistics.facts.sources import month_of
from statistics.facts.upkeep import RegionMonth, making_alone, mark_due
from statistics.months import Month

MONTHS_AT_ONCE = 20
CASES_IN_A_BATCH = 5000


def count_due(*, now: datetime, limit: int = MONTHS_AT_ONCE) -> int:
    """Sweep: count the months that are due; returns how many.

    Each in its own transaction, so that who marks a month waits for that month only.
    """
    _begin_months(now)
    for counted in range(limit):
        with transaction.atomic():
            due = claim_due(MonthState.objects.filter(due_at__isnull=False), now=now, limit=1)
            if not due:
                return counted
            _count(due[0], now=now)
    return limit


def _count(state: MonthState, *, now: datetime) -> None:
    """Count a locked month and keep what was found."""
    month = Month.of(state.month)
    table = count_month(state.region_id, month)
    MonthRow.objects.filter(region=state.region_id, month=state.month).delete()
    MonthRow.objects.bulk_create(
        MonthRow(
            region_id=state.region_id,
            month=state.month,
            dimension=dimension,
            key=key,
            figures=figures,
        )
        for (dimension, key), figures in table.items()
    )
    state.due_at, state.counted_at = None, now
    state.save(update_fields=["due_at", "counted_at"])


def _begin_months(now: datetime) -> None:
    """A new month has begun: whatever is open is counted at its end, though nothing happens."""
    this_month = month_of(now)
    latest = MonthState.objects.values_list("region_id").annotate(Max("month")).order_by()
    begun: set[RegionMonth] = set()
    for region, last in latest:
        month = Month.of(last).back(-1)
        while month <= this_month:
            begun.add((region, month))
            month = month.back(-1)
    mark_due(begun, now=now)


def rebuild(region: str, *, now: datetime) -> tuple[int, int]:
    """Make all facts of the region and count all its months; returns how many of each."""
    return make_all(region, now=now), count_all(region, now=now)


def make_all(region: str, *, now: datetime) -> int:
    """Make the facts of all the region's cases anew; returns how many.

    In batches with a transaction each: pages and upkeep go on meanwhile.
    """
    made, last = 0, 0
    of_region = Case.objects.filter(region_id=region).order_by("pk")
    while True:
        keys = of_region.filter(pk__gt=last).values_list("pk", flat=True)
        batch = list(keys[:CASES_IN_A_BATCH])
        if not batch:
            return made
        with making_alone():
            make_facts(batch)
        made, last = made + len(batch), batch[-1]


def count_all(region: str, *, now: datetime) -> int:
    """Count every month from the region's first case to this one."""
    with transaction.atomic():
        first = CaseFact.objects.filter(region_id=region).aggregate(at=Min("received_at"))["at"]
        months = list(_months_to(month_of(now), first))
        kept = [month.first_day for month in months]
        MonthState.objects.filter(region_id=region).exclude(month__in=kept).delete()
        MonthRow.objects.filter(region_id=region).exclude(month__in=kept).delete()
        mark_due({(region, month) for month in months}, now=now)
    for month in months:
        with transaction.atomic():
            states = MonthState.objects.select_for_update()
            _count(states.get(region_id=region, month=month.first_day), now=now)
    return len(months)


def plan(region: str, *, now: datetime) -> tuple[int, int]:
    """How many cases and months :func:`rebuild` would go through."""
    cases = Case.objects.filter(region_id=region)
    first = cases.aggregate(at=Min("received_at"))["at"]
    return cases.count(), len(list(_months_to(month_of(now), first)))


def _months_to(last: Month, first: datetime | None) -> Iterable[Month]:
    month = month_of(first) if first else last.back(-1)
    while month <= last:
        yield month
        month = month.back(-1)
