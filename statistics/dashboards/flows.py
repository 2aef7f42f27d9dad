"""From which region to which: patients treated in a year, by home region and provider's region."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, F

from organisations.access import Actor, as_product
from organisations.models import Region
from organisations.suppression import suppress, suppress_table
from statistics.counted import Conditions, counted
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import conditions_of
from statistics.facts.models import CaseFact
from statistics.kept import each_case_once, of_facts
from statistics.months import Month
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
    hides a month of the reader's region, the year's total is hidden as well.
    """
    clinics_of(actor)  # asks who may see figures at all
    year = choice.month.year
    exact = actor.role in SEES_CASES
    with as_product("statistics"):
        nation = _counts({}, year=year)
        own = _own(nation, conditions_of(actor, choice), year=year) if exact else {}
    codes = {code for pair in (*nation, *own) for code in pair} | {actor.region or ""}
    regions = {one.code: one for one in Region.objects.filter(code__in=codes).order_by("code")}
    columns = [code for code in regions if any(away == code for _home, away in (*nation, *own))]
    homes = [code for code in regions if any(home == code for home, _away in nation)]
    if exact and actor.region not in homes:
        homes = sorted([*homes, actor.region or ""])
    table = [[nation.get((home, away), 0) for away in columns] for home in homes]
    hidden = suppress_table(table)
    places = tuple(regions[code] for code in columns)
    rows = []
    for place, home in enumerate(homes):
        if home == actor.region and exact:
            counts = [own.get((home, away), 0) for away in columns]
            row = FlowRow(regions[home], places, tuple(counts), sum(counts), own=True, exact=True)
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


def _own(nation: Counts, conditions: Conditions, *, year: int) -> Counts:
    """The region's row, of the chosen cases."""
    if conditions.keys() == {"region_id"}:
        return {pair: n for pair, n in nation.items() if pair[0] == conditions["region_id"]}
    return _counts(conditions, year=year)


def _counts(conditions: Conditions, *, year: int) -> Counts:
    first, last = Month(year, 1), Month(year, 12)
    # One offer alone of a case can lead to treatment: the one its fact tells of.
    facts = CaseFact.objects.filter(
        of_facts(conditions),
        treated_on__gte=first.first_day,
        treated_on__lt=last.back(-1).first_day,
    )
    treated = counted(conditions, first=first, last=last)["treated"]
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
