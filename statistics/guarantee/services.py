"""Decide whose waiting at a month's end is shown, once for each month.

A month is decided when it has been frozen, so that what its pages hide is known, and after all
months before it. docs/decisions/0036-the-waiting-of-clinics.md
"""

from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from organisations.access import as_product
from statistics.frozen.models import FrozenMonth
from statistics.guarantee.balance import MonthEnd, told_of
from statistics.guarantee.flows import (
    after_few_of,
    flows_of,
    hidden_with_few_waiting,
    month_end,
    months_until,
    waiting_since,
)
from statistics.guarantee.models import WithheldWaiting, kept_nodes
from statistics.hiding import frozen_months, hiding_of, nodes_of
from statistics.months import Month

MONTHS_AT_ONCE = 24
_ONE_DECIDER = 0x6A7A  # advisory lock


def decide_due(*, now: datetime, limit: int = MONTHS_AT_ONCE) -> int:
    """Sweep: decide the frozen months that are not decided yet; returns how many."""
    done = 0
    while done < limit and (region := _due_region()) is not None:
        decided = _decide(region, now=now, limit=limit - done)
        if not decided:
            break
        done += decided
    return done


@as_product("small numbers")
def _due_region() -> str | None:
    """A region that has frozen a later month than it has decided."""
    frozen = FrozenMonth.objects.order_by().values_list("region").annotate(Max("first_day"))
    decided = dict(
        WithheldWaiting.objects.order_by().values_list("region").annotate(Max("first_day"))
    )
    due = (code for code, last in sorted(frozen) if code not in decided or decided[code] < last)
    return next(due, None)


@transaction.atomic
@as_product("small numbers")
def _decide(region: str, *, now: datetime, limit: int) -> int:
    """The region's next months, in order; none where another process is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_DECIDER])
        if not cursor.fetchone()[0]:
            return 0
    rows = WithheldWaiting.objects.filter(region=region)
    before = {Month.of(row.first_day): row for row in rows}
    last = FrozenMonth.objects.filter(region=region).aggregate(last=Max("first_day"))["last"]
    tables = flows_of(region, months_until(region, Month.of(last)))
    waiting = waiting_since(tables)
    frozen = frozen_months(region, tables)
    after_few = after_few_of(
        {month: [*frozen[month].tables, table] for month, table in tables.items()},
        ("region", region),
        decided={month: row.hidden_next for month, row in before.items()},
    )
    clinics = {
        month: before[month].hidden_nodes
        if month in before
        else hidden_with_few_waiting(table, waiting[month])
        for month, table in tables.items()
    }
    beside = {month: nodes_of(region, after_few[month]) | clinics[month] for month in tables}
    hidings = hiding_of(region, tables, beside=beside)
    past: list[MonthEnd] = []
    decided: list[WithheldWaiting] = []
    for month, table in tables.items():
        end = month_end(table, hidings[month], waiting[month])
        row = before.get(month)
        if row is None:
            if len(decided) == limit:
                break
            told = told_of([*past, end])
            row = WithheldWaiting(
                region_id=region,
                first_day=month.first_day,
                clinics=sorted(set(end.waiting) - told.clinics),
                region_withheld=not told.region,
                hidden_next=sorted(after_few[month.back(-1)]),
                hidden_flows=kept_nodes(clinics[month]),
                decided_at=now,
            )
            decided.append(row)
        told_clinics = frozenset(end.waiting) - set(row.clinics)
        past.append(replace(end, told=told_clinics, region_told=not row.region_withheld))
    return len(WithheldWaiting.objects.bulk_create(decided))
