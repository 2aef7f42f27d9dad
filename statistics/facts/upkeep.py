"""Keeps the facts up by domain events (design 5.4), and says which months are to be counted anew.

An event says only that a case is stale; the sweep makes its facts anew from the sources. So events
may come late, doubled or in any order. Nothing is counted here: months that a change touches are
due, and statistics.facts.rollup counts them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from contracts.services.registry import TYPE_CHANGED
from organisations.access import as_product
from organisations.events import subscribe
from organisations.models import DomainEvent
from organisations.sweeps import claim_due
from referral.machine import TRANSITIONS
from referral.models import Case, Offer
from referral.privacy import PRIVACY
from statistics.facts.build import make_facts
from statistics.facts.models import CaseFact, StaleCase
from statistics.facts.sources import OPEN, SOURCES, month_of
from statistics.months import Month

CONSUMER = "statistics.facts"
CASES_AT_ONCE = 500
# A month in which much happens is not counted anew for each event.
REST = timedelta(minutes=5)

RegionMonth = tuple[str, Month]
# Region and month, source, and all that is counted of it: how many there are.
_Happenings = Counter[tuple[RegionMonth, str, tuple[Any, ...]]]
# Region, and the row of sources.OPEN: first when the case came in, last when it closed.
_Open = tuple[str, tuple[Any, ...]]


def subscribe_all() -> None:
    """To everything that tells of a change in a case, its patient or its call-off."""
    told = {verb.event for verb in (*TRANSITIONS.values(), *PRIVACY.values()) if verb.event}
    for kind in sorted(told | {"case.submitted", "call_off.settled", "call_off.reopened"}):
        subscribe(kind, CONSUMER, on_event)
    subscribe(TYPE_CHANGED, CONSUMER, on_contract_type_changed)


def on_event(event: DomainEvent, now: datetime) -> None:
    """The case's facts, and those of the patient's other cases, are to be made anew."""
    of_patient = Case.objects.filter(patient__cases__number=event.case_number)
    mark_stale(of_patient.values_list("pk", flat=True), now=now)


def on_contract_type_changed(event: DomainEvent, now: datetime) -> None:
    """Whose contract it is stands in the facts of every offer that was made under it."""
    offers = Offer.objects.filter(line__contract_id=event.payload["contract"])
    mark_stale(offers.values_list("case_id", flat=True), now=now)


def mark_stale(cases: Iterable[int], *, now: datetime) -> None:
    """In one order, so that two who mark the same cases wait for each other and no more."""
    rows = [StaleCase(case_id=case, due_at=now) for case in sorted(set(cases))]
    StaleCase.objects.bulk_create(rows, ignore_conflicts=True)


@contextmanager
def kept_alone(cases: Sequence[int], *, now: datetime) -> Iterator[None]:
    """Keep everybody else from making these cases' facts, to the end of the transaction."""
    with transaction.atomic():
        rows = [StaleCase(case_id=case, due_at=now) for case in sorted(cases)]
        StaleCase.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["case"], update_fields=["due_at"]
        )
        StaleCase.objects.filter(pk__in=cases).delete()
        yield


def refresh_stale(*, now: datetime, limit: int = CASES_AT_ONCE) -> int:
    """Sweep: make the facts of stale cases anew; returns how many.

    The row, claimed and taken away, keeps every other worker from the case.
    """
    with transaction.atomic():
        stale = claim_due(StaleCase.objects.all(), now=now, limit=limit)
        cases = [row.case_id for row in stale]
        if cases:
            # Before anything is read: whoever puts the row again waits until this is over, and
            # whoever did it just before is seen by what is read from here on.
            StaleCase.objects.filter(pk__in=cases).delete()
            remake(cases, now=now)
    return len(cases)


@transaction.atomic
def remake(cases: Collection[int], *, now: datetime) -> None:
    """Make the facts anew and let the months that differ by it be counted anew."""
    before, open_before = _happenings(cases)
    make_facts(list(cases))
    after, open_after = _happenings(cases)
    touched = {key[0] for key in before.keys() | after.keys() if before[key] != after[key]}
    touched |= _open_months(open_before, open_after, now=now)
    mark_due(touched, now=now)


@as_product("statistics")
def forget(case: Case) -> None:
    """The case is about to be thinned: its months are counted anew without it."""
    now = timezone.now()
    before, opened = _happenings([case.pk])
    mark_due({key[0] for key in before} | _open_months(opened, {}, now=now), now=now)


def mark_due(months: Collection[RegionMonth], *, now: datetime) -> None:
    """Let the months be counted at once, or when they have rested since they last were."""
    if not months:
        return
    rows = sorted((region, month.first_day) for region, month in months)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO statistics_monthstate (region_id, month, due_at)
            SELECT x.region, x.month, %(now)s
            FROM unnest(%(regions)s::text[], %(months)s::date[]) AS x (region, month)
            ON CONFLICT (region_id, month) DO UPDATE SET due_at = greatest(
                least(statistics_monthstate.counted_at, %(now)s) + %(rest)s::interval, %(now)s)
            WHERE statistics_monthstate.due_at IS NULL
            """,
            {
                "now": now,
                "rest": f"{REST.total_seconds()} seconds",
                "regions": [region for region, _month in rows],
                "months": [month for _region, month in rows],
            },
        )


def _happenings(cases: Collection[int]) -> tuple[_Happenings, dict[int, _Open]]:
    """Everything that the months count of the cases, and each case's time open."""
    regions = dict(CaseFact.objects.filter(pk__in=cases).values_list("pk", "region_id"))
    found: _Happenings = Counter()
    for source in SOURCES:
        for case, row in source.of_cases(cases):
            found[(regions[case], month_of(row[0])), source.name, row] += 1
    return found, {case: (regions[case], row) for case, row in OPEN.of_cases(cases)}


def _open_months(
    before: dict[int, _Open], after: dict[int, _Open], *, now: datetime
) -> set[RegionMonth]:
    """The months at whose end a case was open, where that or what it is divided by differs."""
    touched: set[RegionMonth] = set()
    this_month = month_of(now)
    for case in before.keys() | after.keys():
        was, stands = before.get(case), after.get(case)
        if was == stands:
            continue
        then, since = (_months_open(one, this_month) for one in (was, stands))
        only_the_end = was and stands and (was[0], was[1][:-1]) == (stands[0], stands[1][:-1])
        touched |= then ^ since if only_the_end else then | since
    return touched


def _months_open(opened: _Open | None, this_month: Month) -> set[RegionMonth]:
    """From receipt to the month before the closing, or to this month."""
    if opened is None:
        return set()
    region, row = opened
    month, closed_at = month_of(row[0]), row[-1]
    end = month_of(closed_at) if closed_at else max(month, this_month).back(-1)
    months = set()
    while month < end:
        months.add((region, month))
        month = month.back(-1)
    return months
