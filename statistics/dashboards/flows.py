"""From which region to which: patients treated in a year, by home region and provider's region."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from organisations.access import Actor, as_product
from organisations.models import Region
from organisations.suppression import suppress_table
from statistics.counted import Conditions, counted
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import conditions_of
from statistics.months import Month
from statistics.selectors import SEES_CASES, clinics_of

HOME, AWAY = "offer__case__region_id", "offer__care_unit__region_id"


@dataclass(frozen=True)
class FlowRow:
    """A home region's row; ``None``: hidden. ``own``: the reader's own, exact and with links for
    those who see cases. ``withheld``: only small numbers, so that not even zeroes are shown."""

    region: Region
    counts: tuple[int | None, ...]
    total: int | None
    own: bool
    exact: bool
    withheld: bool
    columns: tuple[Region, ...] = ()

    @property
    def cells(self) -> list[tuple[Region, int | None]]:
        return list(zip(self.columns, self.counts, strict=True))


@dataclass(frozen=True)
class Flow:
    """One arrow of the map. ``count`` is ``None`` when hidden."""

    home: Region
    away: Region
    count: int | None
    own: bool


@dataclass(frozen=True)
class Flows:
    year: int
    columns: tuple[Region, ...]
    rows: tuple[FlowRow, ...]

    @property
    def flows(self) -> list[Flow]:
        """The arrows, the reader's own last and so on top; none for zero or a withheld row."""
        found = [
            Flow(row.region, away, count, row.own)
            for row in self.rows
            if not row.withheld
            for away, count in zip(self.columns, row.counts, strict=True)
            if count != 0
        ]
        return sorted(found, key=lambda flow: flow.own)


def flows_of(actor: Actor, choice: Choice) -> Flows:
    """The nation's matrix with small numbers hidden for everybody, and the reader's own row: exact,
    and of the chosen cases, for those who see cases. Raises :class:`NotAllowed`.

    There are no column totals: a region that knows its own row would work out the others' from
    them. A year is the whole calendar year, so that no two matrices overlap.
    """
    clinics_of(actor)  # asks who may see figures at all
    year = choice.month.year
    exact = actor.role in SEES_CASES
    with as_product("statistics"):
        nation = _counts({}, year=year)
        own = _counts(conditions_of(actor, choice), year=year) if exact else {}
    codes = {code for pair in (*nation, *own) for code in pair} | {actor.region or ""}
    regions = {one.code: one for one in Region.objects.filter(code__in=codes).order_by("code")}
    columns = [code for code in regions if any(away == code for _home, away in (*nation, *own))]
    homes = [code for code in regions if any(home == code for home, _away in nation)]
    if exact and actor.region not in homes:
        homes = sorted([*homes, actor.region or ""])
    table = [[nation.get((home, away), 0) for away in columns] for home in homes]
    hidden = suppress_table(table)
    rows = []
    for home, counts, cells, total_away in zip(
        homes, table, hidden.cells, hidden.row_totals, strict=True
    ):
        mine = home == actor.region
        if mine and exact:
            counts = [own.get((home, away), 0) for away in columns]
            shown: list[int | None] = list(counts)
        else:
            # A row's total may be known to its own region from the months: a row that hides it
            # shows nothing.
            shown = [
                None if total_away or gone else count
                for count, gone in zip(counts, cells, strict=True)
            ]
        rows.append(
            FlowRow(
                region=regions[home],
                counts=tuple(shown),
                total=None if total_away and not (mine and exact) else sum(counts),
                own=mine,
                exact=mine and exact,
                withheld=total_away and not (mine and exact),
                columns=tuple(regions[code] for code in columns),
            )
        )
    return Flows(year, tuple(regions[code] for code in columns), tuple(rows))


def _counts(conditions: Conditions, *, year: int) -> dict[tuple[str, str], int]:
    rows = (
        counted(conditions, first=Month(year, 1), last=Month(year, 12))["treated"]
        .rows.order_by()
        .values_list(HOME, AWAY)
        .annotate(n=Count("pk"))
    )
    found: dict[tuple[str, str], int] = defaultdict(int)
    for home, away, many in rows:
        found[home, away] += many
    return dict(found)
