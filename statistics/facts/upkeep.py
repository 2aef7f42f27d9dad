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
from organisations.events import subscribe, subscribe_gathering
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
_ONE_MAKER = 0xFAC7  # advisory lock

RegionMonth = tuple[str, Month]
# Region and month, source, and all that is counted of it: how many there are.
_Happenings = Counter[tuple[RegionMonth, str, tuple[Any, ...]]]
# Region, and the row of sources.OPEN: first when the case came in, last when it closed.
_Open = tuple[str, tuple[Any, ...]]


def subscribe_all() -> None:
    """To everything that tells of a change in a case, its patient or its call-off."""
    told = {verb.event for verb in (*TRANSITIONS.values(), *PRIVACY.values()) if verb.event}
    for kind in sorted(told | {"case.submitted", "call_off.settled", "call_off.reopened"}):
        subscribe_gathering(kind, CONSUMER, on_events)
    subscribe(TYPE_CHANGED, CONSUMER, on_contract_type_changed)


def on_events(events: Sequence[DomainEvent], now: datetime) -> None:
    """The cases' facts, and those of the patients' other cases, are to be made anew."""
    numbers = {event.case_number for event in events}
    of_patient = Case.objects.filter(patient__cases__number__in=numbers)
    mark_stale(of_patient.values_list("pk", flat=True), now=now)


def on_contract_type_changed(event: DomainEvent, now: datetime) -> None:
    """Whose contract it is stands in the facts of every offer that was made under it."""
    offers = Offer.objects.filter(line__contract_id=event.payload["contract"])
    mark_stale(offers.values_list("case_id", flat=True), now=now)


def mark_stale(cases: Iterable[int], *, now: datetime) -> None:
    """A row for each, whoever else marks them: what one writes here nobody has to wait for."""
    StaleCase.objects.bulk_create(StaleCase(case_id=case, due_at=now) for case in set(cases))


@contextmanager
def making_alone() -> Iterator[None]:
    """Wait until nobody else makes facts, and keep everybody from it to the transaction's end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_MAKER])
        yield


def refresh_stale(*, now: datetime, limit: int = CASES_AT_ONCE) -> int:
    """Sweep: make the facts of stale cases anew; returns how many rows said so.

    Where another makes facts there is nothing to do: the other takes these rows next.
    """
    with transaction.atomic():
        if not _alone():
            return 0
        # A row is seen once what it tells of is there to be read, and is taken away by number: one
        # that is added meanwhile stays for the next round.
        stale = claim_due(StaleCase.objects.all(), now=now, limit=limit)
        if stale:
            StaleCase.objects.filter(pk__in=[row.pk for row in stale]).delete()
            remake({row.case_id for row in stale}, now=now)
    return len(stale)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_MAKER])
        return bool(cursor.fetchone()[0])


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
def forget(cases: Sequence[Case]) -> None:
    """The cases are about to be thinned: their months are counted anew without them.

    All at once: who marks months takes them in one order, or two would wait for each other.
    """
    now = timezone.now()
    before, opened = _happenings([case.pk for case in cases])
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
