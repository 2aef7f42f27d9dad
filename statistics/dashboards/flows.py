"""From which region to which: patients treated in a year, by home region and provider's region."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count

from organisations.access import Actor, as_product
from organisations.models import Region
from organisations.suppression import SMALL, suppress, suppress_table
from statistics.counted import Conditions, counted
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import conditions_of
from statistics.months import Month
from statistics.open_data.models import Border
from statistics.open_data.selectors import Published, published_in
from statistics.selectors import SEES_CASES, clinics_of, statistics_for

HOME, AWAY = "offer__case__region_id", "offer__care_unit__region_id"


@dataclass(frozen=True)
class FlowRow:
    """A home region's row; ``None``: hidden. ``own``: the reader's own, exact and with links for
    those who see cases. ``withheld``: only small numbers, so that not even zeroes are shown."""

    region: Region
    columns: tuple[Region, ...]
    counts: tuple[int | None, ...]
    total: int | None
    own: bool = False
    exact: bool = False
    withheld: bool = False

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
    them. A year is the whole calendar year, so that no two matrices overlap. Where the months' page
    hides a month of the reader's region, the year's total is hidden as well; where the year would
    give a quarter back that the open data hide, nothing of the region is shown.
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
    places = tuple(regions[code] for code in columns)
    with as_product("statistics"):
        published = published_in(str(year))
    rows = []
    for place, home in enumerate(homes):
        if home == actor.region and exact:
            counts = [own.get((home, away), 0) for away in columns]
            row = FlowRow(regions[home], places, tuple(counts), sum(counts), own=True, exact=True)
        elif year_tells(nation, home, published):
            row = FlowRow(regions[home], places, (None,) * len(columns), None, home == actor.region)
            row = replace(row, withheld=True)
        elif home == actor.region and not _year_known(actor, year):
            row = _without_total(regions[home], places, table[place])
        else:
            row = _row(regions[home], places, table[place], hidden.cells[place])
            row = replace(row, own=home == actor.region)
        rows.append(row)
    return Flows(year, places, tuple(rows))


def _row(
    region: Region, places: tuple[Region, ...], counts: Sequence[int], hidden: Sequence[bool]
) -> FlowRow:
    """A row as its own column of counts. When its total must be hidden, nothing of it is shown:
    the reader may know the total from elsewhere."""
    if suppress(counts)[1]:
        return FlowRow(region, places, (None,) * len(counts), None, withheld=True)
    shown = tuple(None if gone else n for n, gone in zip(counts, hidden, strict=True))
    return FlowRow(region, places, shown, sum(counts))


def _without_total(region: Region, places: tuple[Region, ...], counts: Sequence[int]) -> FlowRow:
    """The row whose total would give a hidden month away."""
    away, _total = suppress(counts, hide_total=True)
    shown = tuple(None if gone else n for n, gone in zip(counts, away, strict=True))
    return FlowRow(region, places, shown, None, own=True)


def _year_known(actor: Actor, year: int) -> bool:
    """Whether the months' page shows how many were treated in every month of the year."""
    statistics = statistics_for(actor, month=Month(year, 12), trend_months=12)
    return all(figures.treated is not None for _month, figures in statistics.trend)


def year_tells(
    nation: Mapping[tuple[str, str], int], home: str, published: Mapping[tuple[str, str], Published]
) -> bool:
    """Whether the year, less the quarters that the open data show of the region, tells of one that
    they hide that it is small."""
    within = nation.get((home, home), 0)
    across = sum(many for (one, _away), many in nation.items() if one == home) - within
    for side, many in ((Border.WITHIN, within), (Border.ACROSS, across)):
        found = published.get((home, side.value), Published())
        if found.hidden and many - found.shown - (found.hidden - 1) <= SMALL[-1]:
            return True
    return False


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
