"""Decide of which clinics the waiting at a month's end is shown, once for each month.

A month is decided when it has been frozen, so that what its pages hide is known, and after all
months before it. docs/decisions/0036-the-waiting-of-clinics.md
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min
from django.db.models.functions import TruncMonth
from django.utils import timezone

from organisations.access import as_product
from referral.models import Case
from statistics.counted import counted
from statistics.frozen.models import FrozenMonth
from statistics.guarantee.balance import Clinic, MonthEnd, clinics_told
from statistics.guarantee.flows import ENDED, KINDS, month_end
from statistics.guarantee.models import WithheldWaiting
from statistics.hiding import hiding_of
from statistics.months import Month

MONTHS_AT_ONCE = 24
_ONE_DECIDER = 0x6A7A  # advisory lock

Counts = dict[str, dict[tuple[str, str], int]]


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
    before = dict(WithheldWaiting.objects.filter(region=region).values_list("first_day", "clinics"))
    last = FrozenMonth.objects.filter(region=region).aggregate(last=Max("first_day"))["last"]
    months = _months(region, Month.of(last))
    past: list[MonthEnd] = []
    rows: list[WithheldWaiting] = []
    for month, end in zip(months, month_ends(region, months), strict=True):
        withheld = before.get(month.first_day)
        if withheld is None:
            if len(rows) == limit:
                break
            told = clinics_told([*past, end])
            withheld = sorted(set(end.waiting) - told)
            rows.append(
                WithheldWaiting(
                    region_id=region, first_day=month.first_day, clinics=withheld, decided_at=now
                )
            )
        past.append(replace(end, told=frozenset(end.waiting) - set(withheld)))
    return len(WithheldWaiting.objects.bulk_create(rows))


def _months(region: str, last: Month) -> list[Month]:
    """From the region's first case; a month that was frozen before that, at least."""
    began = Case.objects.filter(region=region).aggregate(first=Min("received_at"))["first"]
    months = [last]
    while began is not None and Month.of(timezone.localdate(began)) < months[0]:
        months.insert(0, months[0].back(1))
    return months


def month_ends(region: str, months: Sequence[Month]) -> list[MonthEnd]:
    """The waiting at each month's end of the clinics that had had cases by then, and which of
    their flows in the month are hidden. The caller acts as the product."""
    tables = _flows(region, months)
    hidings = hiding_of(region, tables)
    waiting: dict[Clinic, int] = {}
    ends = []
    for month in months:
        table = tables[month]
        for kind, sign in (("received", 1), ("treated", -1), *((one, -1) for one in ENDED)):
            for (dimension, key), count in table.get(kind, {}).items():
                if dimension == "clinic":
                    waiting[int(key)] = max(0, waiting.get(int(key), 0) + sign * count)
        ends.append(month_end(table, hidings[month], dict(waiting)))
    return ends


def _flows(region: str, months: Sequence[Month]) -> dict[Month, Counts]:
    """What came in, was treated and closed, in the region and at each clinic."""
    found: dict[Month, Counts] = {
        month: {column: defaultdict(int) for column in (*KINDS, *ENDED)} for month in months
    }
    for unit, first_day, columns, many in _rows(region, months):
        for column in columns:
            counts = found[Month.of(first_day)][column]
            counts["region", region] += many
            counts["clinic", str(unit)] += many
    return found


def _rows(region: str, months: Sequence[Month]) -> Iterator[tuple[int, date, tuple[str, ...], int]]:
    """The unit, its month, in which columns, and how many: one query for each kind of flow."""
    events = counted({"region_id": region}, first=months[0], last=months[-1])
    for kind in ("received", "treated"):
        unit = F(f"{events[kind].case}sending_unit_id")
        rows = events[kind].rows.order_by().annotate(unit=unit, month=TruncMonth(events[kind].at))
        for pk, first_day, many in rows.values_list("unit", "month").annotate(n=Count("pk")):
            yield pk, first_day, (kind,), many
    closed = Case.objects.filter(
        region=region, closed_at__gte=months[0].start, closed_at__lt=months[-1].end
    )
    rows = closed.order_by().annotate(unit=F("sending_unit_id"), month=TruncMonth("closed_at"))
    reasons = rows.values_list("unit", "month", "close_reason").annotate(n=Count("pk"))
    for pk, first_day, reason, many in reasons:
        yield pk, first_day, ("closed", f"closed_{reason}"), many
