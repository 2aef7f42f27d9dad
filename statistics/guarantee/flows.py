"""A month's flows, of the region and its clinics, and what of them those who see figures only do
not know: what all pages hide."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from django.db.models import Count, F, Min, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from organisations.suppression import SMALL
from referral.models import Case
from statistics.circulation import ENOUGH
from statistics.counted import counted
from statistics.frozen.hidden import CLOSED_TREATED, ENDED
from statistics.frozen.hiding import Group, Hiding, Node, Table
from statistics.guarantee.balance import LEAST_TOLD, Clinic, MonthEnd
from statistics.months import Month

KINDS = ("received", "treated", CLOSED_TREATED, "closed")
# The wholes by which what waits and is in work changes.
WHOLES = ("received", "treated", "closed")

Counts = dict[str, dict[Group, int]]
Waiting = Counter[Clinic]


def month_end(table: Table, hiding: Hiding, waiting: Mapping[Clinic, int]) -> MonthEnd:
    """The month of ``table``, of which ``hiding`` tells what is hidden, with the waiting after it.

    Of those who ended without treatment, the reasons that are shown are known and taken away. One
    of the others can be as many as all of them (docs/decisions/0035).
    """
    hidden: dict[tuple[str, Clinic], int] = {}
    or_none: set[tuple[str, Clinic]] = set()
    for clinic in waiting:
        group = ("clinic", str(clinic))
        away = {one for one in (*KINDS, *ENDED) if is_away(hiding, one, group)}
        hidden |= {(kind, clinic): _count(table, {kind}, group) for kind in KINDS if kind in away}
        or_none |= {(kind, clinic) for kind in hiding.everywhere.intersection(KINDS)}
        if CLOSED_TREATED in away:
            reasons = away.intersection(ENDED)
            hidden["ended", clinic] = _count(table, reasons, group)
            if not _count(table, reasons - hiding.everywhere, group):
                or_none.add(("ended", clinic))
    totals = totals_hidden(table, hiding)
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
    first = last if began is None else min(last, Month.of(timezone.localdate(began)))
    return first.until(last)


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


def hidden_with_few_waiting(table: Table, waiting: Mapping[Clinic, int]) -> frozenset[Node]:
    """Which flows of clinics a month hides since fewer than five wait at a clinic when it ends.

    Were all that came and left since known, they would follow from what waited before. What left
    is hidden there, and what came when that is few, together with the smallest such flow of a
    clinic where many wait: there can be more or fewer by as much. Where no such clinic had any,
    that flow is hidden of all.
    docs/decisions/0038-flows-hidden-for-the-waiting.md
    """
    found: set[Node] = set()
    clinics = waiting.keys() | changes_of(table).keys()
    for kind in WHOLES:
        counts = table.get(kind, {})
        flows = {one: counts.get(("clinic", str(one)), 0) for one in clinics}
        away = {
            clinic
            for clinic, many in flows.items()
            if many and waiting.get(clinic, 0) < ENOUGH and (kind != "received" or many in SMALL)
        }
        if away:
            many_wait = [one for one in clinics if flows[one] and waiting.get(one, 0) >= LEAST_TOLD]
            beside = min(many_wait, key=lambda one: (flows[one], one), default=None)
            away |= clinics if beside is None else {beside}
        found |= {(kind, "clinic", str(clinic)) for clinic in away}
    return frozenset(found)


def waiting_at(region: str, month: Month) -> Waiting:
    """How many wait at each clinic when the month ends, or now where it runs."""
    waits = Case.objects.filter(
        Q(closed_at=None) | Q(closed_at__gte=month.end),
        Q(clock_stopped_on=None) | Q(clock_stopped_on__gte=month.back(-1).first_day),
        region=region,
        received_at__lt=month.end,
    )
    rows = waits.order_by().values_list("sending_unit")
    return Counter(dict(rows.annotate(n=Count("pk"))))


def waiting_until(last: Waiting, flows: Mapping[Month, Table]) -> dict[Month, Waiting]:
    """How many wait at each clinic when each month ends, told how many do at the last end: back
    over what came and left in the months, which are in order."""
    found = {}
    for month in reversed(list(flows)):
        found[month] = last
        change = changes_of(flows[month])
        last = Counter({one: last[one] - change[one] for one in last.keys() | change.keys()})
    return found


def waiting_since(flows: Mapping[Month, Table]) -> dict[Month, Waiting]:
    """The same, when nobody waited before the first month: of each clinic that had cases by then.

    One who was treated and later closed for another reason left twice: none are fewer than none.
    """
    found = {}
    waiting: Waiting = Counter()
    for month, table in flows.items():
        for clinic, change in changes_of(table).items():
            waiting[clinic] = max(0, waiting[clinic] + change)
        found[month] = waiting.copy()
    return found


def changes_of(table: Table) -> Waiting:
    """How many more wait at each clinic after what came in, was treated and ended."""
    change: Waiting = Counter()
    for kind, sign in (("received", 1), ("treated", -1), *((one, -1) for one in ENDED)):
        for (dimension, key), many in table.get(kind, {}).items():
            if dimension == "clinic":
                change[int(key)] += sign * many
    return change


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
