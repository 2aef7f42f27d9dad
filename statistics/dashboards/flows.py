"""From which region to which: a period's treated, by home region and provider's region."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, F

from organisations.access import Actor, as_product
from organisations.models import Region
from organisations.suppression import SMALL, suppress, suppress_table
from statistics.counted import Conditions, counted
from statistics.dashboards.forms import Choice, Period
from statistics.dashboards.funnel import conditions_of
from statistics.facts.models import CaseFact
from statistics.kept import each_case_once, of_facts
from statistics.open_data.models import Border
from statistics.open_data.selectors import Published, published_in
from statistics.selectors import SEES_CASES, clinics_of, statistics_for

HOME, AWAY = "offer__case__region_id", "offer__care_unit__region_id"
Counts = dict[tuple[str, str], int]


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
    """``only_own``: the other regions' rows are left out, because their period is the year."""

    period: Period
    columns: tuple[Region, ...]
    rows: tuple[FlowRow, ...]
    only_own: bool = False

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
    them. Other regions' rows are of whole calendar years, so that no two matrices overlap: any
    other period has the reader's own row alone. Where the months' page hides a month of the
    reader's region, the year's total is hidden as well; where the year would give a quarter back
    that the open data hide, nothing of the region is shown.
    """
    clinics_of(actor)  # asks who may see figures at all
    exact = actor.role in SEES_CASES
    period = choice.period if exact else choice.year
    with as_product("statistics"):
        nation = _counts({}, period) if period.is_year else {}
        own = _own(nation, conditions_of(actor, choice), period) if exact else {}
    codes = {code for pair in (*nation, *own) for code in pair} | {actor.region or ""}
    regions = {one.code: one for one in Region.objects.filter(code__in=codes).order_by("code")}
    columns = [code for code in regions if any(away == code for _home, away in (*nation, *own))]
    homes = [code for code in regions if any(home == code for home, _away in nation)]
    if exact and actor.region not in homes and (own or period.is_year):
        homes = sorted([*homes, actor.region or ""])
    table = [[nation.get((home, away), 0) for away in columns] for home in homes]
    hidden = suppress_table(table)
    places = tuple(regions[code] for code in columns)
    with as_product("statistics"):
        published = published_in(str(period.first.year)) if period.is_year else {}
    rows = []
    for place, home in enumerate(homes):
        if home == actor.region and exact:
            counts = [own.get((home, away), 0) for away in columns]
            row = FlowRow(regions[home], places, tuple(counts), sum(counts), own=True, exact=True)
        elif year_tells(nation, home, published):
            row = FlowRow(regions[home], places, (None,) * len(columns), None, home == actor.region)
            row = replace(row, withheld=True)
        elif home == actor.region and not _year_known(actor, period):
            row = _without_total(regions[home], places, table[place])
        else:
            row = _row(regions[home], places, table[place], hidden.cells[place])
            row = replace(row, own=home == actor.region)
        rows.append(row)
    return Flows(period, places, tuple(rows), only_own=not period.is_year)


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


def _year_known(actor: Actor, year: Period) -> bool:
    """Whether the months' page shows how many were treated in every month of the year."""
    statistics = statistics_for(actor, month=year.last, trend_months=12)
    return all(figures.treated is not None for _month, figures in statistics.trend)


def _own(nation: Counts, conditions: Conditions, period: Period) -> Counts:
    """The region's row, of the chosen cases."""
    if period.is_year and conditions.keys() == {"region_id"}:
        return {pair: n for pair, n in nation.items() if pair[0] == conditions["region_id"]}
    return _counts(conditions, period)


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


def _counts(conditions: Conditions, period: Period) -> Counts:
    # One offer alone of a case can lead to treatment: the one its fact tells of.
    facts = CaseFact.objects.filter(
        of_facts(conditions),
        treated_on__gte=period.first.first_day,
        treated_on__lt=period.last.back(-1).first_day,
    )
    treated = counted(conditions, first=period.first, last=period.last)["treated"]
    parts = each_case_once(
        facts.annotate(home=F("region_id"), away=F("care_unit__region_id")),
        treated.rows.annotate(home=F(HOME), away=F(AWAY)),
        case=treated.case,
        region=conditions.get("region_id"),
    )
    found: Counts = defaultdict(int)
    for part in parts:
        for home, away, n in part.order_by().values_list("home", "away").annotate(n=Count("*")):
            found[home, away] += n
    return dict(found)
