"""The hiding of a month by region and clinic, for the pages that count it themselves.

The decision is that of the frozen months (``statistics.frozen.hiding``): what a page counts now and
every frozen version of the month hide the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from django.db.models import Max

from organisations.access import as_product
from organisations.suppression import SMALL
from referral.models import CloseReason, DeclineReason
from statistics.frozen.hidden import SPLITS, columns_of, counts_told
from statistics.frozen.hiding import Group, Hiding, Node, Table
from statistics.frozen.models import FigureCorrection, FrozenFigure, FrozenMonth
from statistics.frozen.picture import (
    Picture,
    cells_of,
    corrected,
    pictures_of,
    place_of,
)
from statistics.guarantee.flows import (
    after_few_of,
    flows_of,
    hidden_with_few_waiting,
    months_until,
    totals_of,
    waiting_at,
    waiting_until,
)
from statistics.guarantee.models import WithheldWaiting
from statistics.months import Month

DIMENSIONS = ("region", "clinic")
DECLINED = tuple(f"declined_{reason}" for reason in DeclineReason.values)
CLOSED = tuple(f"closed_{reason}" for reason in CloseReason.values)
# What is counted on these pages too.
MEASURES = (
    "received",
    "offered",
    "answered",
    "accepted",
    "declined",
    *DECLINED,
    "confirmed",
    "handling_days",
    "treated",
    "days_gained",
    "cost",
    "closed",
    *CLOSED,
)
MOST_KEPT = 600
MOST_UNDECIDED = 12


@dataclass(frozen=True)
class Frozen:
    """The versions of a month with their corrections, and what was small between them."""

    tables: list[Table] = field(default_factory=list)
    before: set[Node] = field(default_factory=set)
    # Its versions and their last recount.
    key: tuple[int, ...] = ()


# By the versions of a month and their last recount: neither ever changes.
_KEPT: dict[tuple[int, ...], Frozen] = {}
# By that and all counts: most months are asked for again unchanged.
_DECIDED: dict[bytes, Hiding] = {}


def hiding_of(
    region: str,
    live: Mapping[Month, Table],
    *,
    groups: Iterable[Group] = (),
    beside: Mapping[Month, Collection[Node]] | None = None,
) -> dict[Month, Hiding]:
    """What is hidden of each month, whose counts as of now are given. Two queries as a rule,
    and four more where a page by clinic has months that are not decided yet.

    ``beside``: what each hides whatever it is (:func:`hidden_beside`), where the caller knows.
    """
    groups = sorted(groups)
    frozen = frozen_months(region, live)
    if beside is None:
        beside = hidden_beside(region, live, by_clinic=_by_clinic(live.values()))
    return {
        month: _decided(table, frozen[month], groups, frozenset(beside[month]))
        for month, table in live.items()
    }


@as_product("small numbers")
def hidden_beside(
    region: str, months: Collection[Month], *, by_clinic: bool = True
) -> dict[Month, frozenset[Node]]:
    """What each of the months hides whatever it is, or what waits would tell of small numbers.

    As it was decided when the month was frozen, and until then by its counts. Without
    ``by_clinic`` not what it hides of clinics: the caller's page has none.
    """
    decided = _decisions(region)
    flows, whole = _undecided(region, months, decided, by_clinic=by_clinic)
    clinics = {month: row.hidden_nodes for month, row in decided.items()}
    if by_clinic and flows:
        waiting = waiting_until(waiting_at(region, max(flows)), flows)
        clinics |= {
            month: hidden_with_few_waiting(table, waiting[month]) for month, table in flows.items()
        }
    after_few = _after_few(region, decided, flows if whole else {})
    nothing = frozenset[Node]()
    return {
        month: nodes_of(region, after_few.get(month, ())) | clinics.get(month, nothing)
        for month in months
    }


def _by_clinic(tables: Iterable[Table]) -> bool:
    groups = (group for table in tables for column in table.values() for group in column)
    return any(dimension == "clinic" for dimension, _key in groups)


def nodes_of(region: str, wholes: Iterable[str]) -> frozenset[Node]:
    """The region's own counts of the wholes."""
    return frozenset((whole, "region", region) for whole in wholes)


@as_product("small numbers")
def hidden_after_few(region: str, months: Collection[Month]) -> dict[Month, frozenset[str]]:
    """Which wholes each month hides since the region had few of them in the month before."""
    decided = _decisions(region)
    flows, _whole = _undecided(region, months, decided, by_clinic=False)
    found = _after_few(region, decided, flows)
    return {month: found.get(month, frozenset()) for month in months}


def _decisions(region: str) -> dict[Month, WithheldWaiting]:
    rows = WithheldWaiting.objects.filter(region=region).order_by("first_day")
    return {Month.of(row.first_day): row for row in rows.defer("clinics")}


def _undecided(
    region: str,
    months: Collection[Month],
    decided: Mapping[Month, WithheldWaiting],
    *,
    by_clinic: bool,
) -> tuple[Mapping[Month, Table], bool]:
    """What came and left in the months that are not decided yet, and whether it is all of them.

    With too many, those asked for by clinic at most: nothing of what waits in the region is told
    then, and nothing of it need be hidden for that.
    """
    last = max(months) if by_clinic else max(months).back(1)
    found = max(decided).back(-1).until(last) if decided else months_until(region, last)
    whole = len(found) <= MOST_UNDECIDED
    if not whole:
        found = [month for month in found if by_clinic and month >= min(months)]
    return (flows_of if by_clinic else totals_of)(region, found) if found else {}, whole


def _after_few(
    region: str, decided: Mapping[Month, WithheldWaiting], flows: Mapping[Month, Table]
) -> dict[Month, frozenset[str]]:
    """Which wholes each month hides for the month before; ``flows`` of those not decided yet."""
    found = {month.back(-1): frozenset(row.hidden_next) for month, row in decided.items()}
    frozen = frozen_months(region, flows)
    return found | after_few_of(
        {month: [*frozen[month].tables, table] for month, table in flows.items()},
        ("region", region),
        decided={},
        hidden=decided[max(decided)].hidden_next if decided else (),
    )


def treated_after_few(region: str, months: Collection[Month]) -> bool:
    """Whether one of a period's months hides its treated for the month before: the period's sum
    would tell them."""
    return any("treated" in kinds for kinds in hidden_after_few(region, months).values())


def _decided(
    table: Table, frozen: Frozen, groups: Sequence[Group], beside: frozenset[Node]
) -> Hiding:
    counts = [(name, sorted(column.items())) for name, column in sorted(table.items())]
    key = blake2b(repr((frozen.key, groups, sorted(beside), counts)).encode()).digest()
    found = _DECIDED.get(key)
    if found is None:
        if len(_DECIDED) > MOST_KEPT:
            _DECIDED.clear()
        found = Hiding(
            [*frozen.tables, table], SPLITS, before=frozen.before | beside, groups=groups
        )
        _DECIDED[key] = found
    return found


@as_product("small numbers")
def frozen_months(region: str, months: Iterable[Month]) -> dict[Month, Frozen]:
    """What has been frozen of the months."""
    days = [month.first_day for month in months]
    versions: dict[Month, list[int]] = defaultdict(list)
    recounts: dict[Month, int] = defaultdict(int)
    rows = FrozenMonth.objects.filter(region_id=region, first_day__in=days).order_by("version")
    for pk, first_day, last in rows.annotate(last=Max("recounts")).values_list(
        "pk", "first_day", "last"
    ):
        versions[Month.of(first_day)].append(pk)
        recounts[Month.of(first_day)] = max(recounts[Month.of(first_day)], last or 0)
    keys = {month: (*found, recounts[month]) for month, found in versions.items()}
    # Another thread may empty what is kept at any moment.
    found = {key: kept for key in keys.values() if (kept := _KEPT.get(key)) is not None}
    missing = [key for key in keys.values() if key not in found]
    if missing:
        found |= _read(missing)
        if len(_KEPT) > MOST_KEPT:
            _KEPT.clear()
        _KEPT.update(found)
    return defaultdict(Frozen, {month: found[key] for month, key in keys.items()})


def _read(keys: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Frozen]:
    """The versions' figures and corrections, in two queries."""
    found = {}
    versions = [pk for *pks, _last in keys for pk in pks]
    here = {"dimension__in": DIMENSIONS, "measure__in": MEASURES}
    pictures: dict[int, Picture] = pictures_of(
        FrozenFigure.objects.filter(frozen__in=versions, **here)
    )
    corrections: dict[int, list[FigureCorrection]] = defaultdict(list)
    for row in (
        FigureCorrection.objects.filter(recount__frozen__in=versions, **here)
        .select_related("recount")
        .order_by("recount_id", "pk")
    ):
        corrections[row.recount.frozen_id].append(row)
    for key in keys:
        tables: list[Table] = []
        before: set[Node] = set()
        for pk in key[:-1]:
            picture, rows = pictures.get(pk, {}), corrections[pk]
            tables.append(columns_of(picture))
            if rows:
                tables.append(columns_of(corrected(picture, rows)))
            before |= {
                (name, *place_of(row)[:2])
                for row in rows
                for cell in cells_of(row)
                for name, count in counts_told(row.measure, cell)
                if count in SMALL
            }
        found[key] = Frozen(tables, before, key)
    return found
