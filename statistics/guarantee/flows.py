"""A month's flows, of the region and its clinics, and what of them those who see figures only do
not know: what all pages hide."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from organisations.suppression import SMALL
from referral.models import Case, CloseReason
from statistics.circulation import ENOUGH
from statistics.counted import counted
from statistics.frozen.hiding import Group, Hiding, Table
from statistics.guarantee.balance import Clinic, MonthEnd
from statistics.months import Month

CLOSED_TREATED = f"closed_{CloseReason.TREATED}"
ENDED = tuple(f"closed_{reason}" for reason in CloseReason.values if reason != CloseReason.TREATED)
KINDS = ("received", "treated", CLOSED_TREATED, "closed")
# The wholes by which what waits and is in work changes.
WHOLES = ("received", "treated", "closed")

Counts = dict[str, dict[Group, int]]


def month_end(table: Table, hiding: Hiding, waiting: Mapping[Clinic, int]) -> MonthEnd:
    """The month of ``table``, of which ``hiding`` tells what is hidden, with the waiting after it.

    Of those who ended without treatment, the reasons that are shown are known and taken away. One
    of the others can be as many as all of them (docs/decisions/0035).
    """
    hidden: dict[tuple[str, Clinic], int] = {}
    for clinic in waiting:
        group = ("clinic", str(clinic))
        away = {one for one in (*KINDS, *ENDED) if is_away(hiding, one, group)}
        hidden |= {(kind, clinic): _count(table, {kind}, group) for kind in KINDS if kind in away}
        if CLOSED_TREATED in away:
            hidden["ended", clinic] = _count(table, away.intersection(ENDED), group)
    totals = totals_hidden(table, hiding)
    or_none = {kind for kind in KINDS if kind in hiding.everywhere}
    if CLOSED_TREATED in or_none:
        or_none.add("ended")
    return MonthEnd(waiting, hidden, frozenset(or_none), totals=totals)


def totals_hidden(table: Table, hiding: Hiding) -> dict[str, int]:
    """The region's own flows that are not known: those of fewer than five, or after such a month.

    How many of the closed were treated is known where the closed are, by what waits.
    """
    kinds = hiding.everywhere.intersection(WHOLES)
    if "closed" in kinds:
        kinds.add(CLOSED_TREATED)
    return {kind: _count(table, {kind}, hiding.region) for kind in sorted(kinds)}


def is_away(hiding: Hiding, column: str, group: Group) -> bool:
    """Whether a reader does not know the count; a nought that cannot be other is known."""
    return hiding.is_hidden(column, group) and hiding.may_be_some(column, group)


def _count(table: Table, columns: Collection[str], group: Group) -> int:
    return sum(table.get(column, {}).get(group, 0) for column in columns)


def months_until(region: str, last: Month) -> list[Month]:
    """From the region's first case; the last one at least."""
    began = Case.objects.filter(region=region).aggregate(first=Min("received_at"))["first"]
    months = [last]
    while began is not None and Month.of(timezone.localdate(began)) < months[0]:
        months.insert(0, months[0].back(1))
    return months


def flows_of(region: str, months: Sequence[Month]) -> dict[Month, Counts]:
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


def hidden_next(hidden: Collection[str], tables: Sequence[Table], here: Group) -> frozenset[str]:
    """Of which wholes the next month hides the region's too: those of fewer than five, and those
    of nothing that were ``hidden`` after such a month.

    The sum of a month of few and the next follows from what waits and is in work, and with the
    next month shown the few would.
    """
    found = set()
    for kind in WHOLES:
        numbers = [table.get(kind, {}).get(here, 0) for table in tables]
        if any(number in SMALL for number in numbers) or (kind in hidden and not any(numbers)):
            found.add(kind)
    return frozenset(found)


def after_few_of(
    months: Mapping[Month, Sequence[Table]],
    here: Group,
    *,
    decided: Mapping[Month, Collection[str]],
    hidden: Collection[str] = (),
) -> dict[Month, frozenset[str]]:
    """Which wholes each month hides for the month before, the one after the last too.

    ``months`` in order, each with its pictures; what was ``decided`` of one stands. ``hidden`` is
    what the first of them hides.
    """
    found = {}
    kinds = frozenset(hidden)
    for month, tables in months.items():
        found[month] = kinds
        known = decided.get(month)
        kinds = hidden_next(kinds, tables, here) if known is None else frozenset(known)
        found[month.back(-1)] = kinds
    return found


def totals_of(region: str, months: Sequence[Month]) -> dict[Month, Counts]:
    """How many came in, were treated and closed in the region, counted to five at most: enough to
    know of which of it there is little."""
    found: dict[Month, Counts] = {}
    for month in months:
        events = counted({"region_id": region}, first=month, last=month)
        rows = {kind: events[kind].rows for kind in ("received", "treated")}
        rows["closed"] = _closed(region, [month])
        found[month] = {
            kind: {("region", region): every.order_by()[:ENOUGH].count()}
            for kind, every in rows.items()
        }
    return found


def _rows(region: str, months: Sequence[Month]) -> Iterator[tuple[int, date, tuple[str, ...], int]]:
    """The unit, its month, in which columns, and how many: one query for each kind of flow."""
    events = counted({"region_id": region}, first=months[0], last=months[-1])
    for kind in ("received", "treated"):
        unit = F(f"{events[kind].case}sending_unit_id")
        rows = events[kind].rows.order_by().annotate(unit=unit, month=TruncMonth(events[kind].at))
        for pk, first_day, many in rows.values_list("unit", "month").annotate(n=Count("pk")):
            yield pk, first_day, (kind,), many
    rows = _closed(region, months).order_by()
    rows = rows.annotate(unit=F("sending_unit_id"), month=TruncMonth("closed_at"))
    reasons = rows.values_list("unit", "month", "close_reason").annotate(n=Count("pk"))
    for pk, first_day, reason, many in reasons:
        yield pk, first_day, ("closed", f"closed_{reason}"), many


def _closed(region: str, months: Sequence[Month]) -> "QuerySet[Case]":
    return Case.objects.filter(
        region=region, closed_at__gte=months[0].start, closed_at__lt=months[-1].end
    )
