"""A region's month in figures, and a measure's way through the months.

Read with the product's rights: the caller decides who may see what, and hides small numbers
(organisations.suppression). Nothing here is suppressed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from organisations.access import as_product
from statistics.facts.counting import Counted, count_month
from statistics.facts.models import MonthRow, MonthState
from statistics.monthly.dimensions import DIMENSIONS, labels_of
from statistics.monthly.measures import KRONOR, MEASURES
from statistics.months import Month


@dataclass(frozen=True)
class Figure:
    """One measure of one key of a dimension. ``kind`` of the measure says what ``value`` is.

    Money in kronor, shares in per cent. ``None``: nothing to tell it from.
    """

    dimension: str
    key: str
    label: str
    measure: str
    n: int
    value: Decimal | float | int | None
    median: float | None = None
    p80: float | None = None
    low: float | None = None
    high: float | None = None


@as_product("statistics")
def month_figures(region: str, month: Month, *, anew: bool = False) -> list[Figure]:
    """Every figure of the region's month, over all dimensions.

    Of a key, measures without observation are left out; of the region itself none are. As the
    month was last counted (``counted_at``): at most some minutes ago. A month that has not been
    counted is counted here and now, as is any month when it is asked for ``anew``.
    """
    rows = [] if anew else _kept(region, month)
    rows = rows or _counted_now(region, month)
    keys = defaultdict(set)
    for dimension, key, _figures in rows:
        keys[dimension].add(key)
    labels = {dimension: labels_of(dimension, keys[dimension]) for dimension in keys}
    order = list(DIMENSIONS)
    rows.sort(key=lambda row: (order.index(row[0]), labels[row[0]][row[1]], row[1]))
    return [
        figure
        for dimension, key, counted in rows
        for figure in _figures_of(dimension, key, labels[dimension][key], counted)
    ]


@as_product("statistics")
def trend(
    region: str,
    last_month: Month,
    months: int,
    dimension: str = "region",
    key: str | None = None,
) -> dict[Month, list[Figure]]:
    """The figures of one key through ``months`` months up to the last, the oldest first.

    Without ``key``: the region's own, or every key of the dimension.
    """
    span = [last_month.back(back) for back in range(months - 1, -1, -1)]
    wanted = {"region_id": region, "dimension": dimension}
    if dimension == "region":
        wanted["key"] = region
    elif key is not None:
        wanted["key"] = key
    kept = MonthRow.objects.filter(
        **wanted, month__gte=span[0].first_day, month__lte=last_month.first_day
    ).values_list("month", "key", "figures")
    found: dict[Month, dict[str, dict[str, Counted]]] = {month: {} for month in span}
    for first_day, row_key, counted in kept:
        found[Month.of(first_day)][row_key] = counted
    for month in _not_counted(region, span):
        table = count_month(region, month)
        found[month] = {k: row for (d, k), row in table.items() if d == dimension}
        if key is not None or dimension == "region":
            only = region if dimension == "region" else str(key)
            found[month] = {k: row for k, row in found[month].items() if k == only}
    labels = labels_of(dimension, {k for by_key in found.values() for k in by_key})
    return {
        month: [
            figure
            for k in sorted(by_key, key=lambda k: (labels[k], k))
            for figure in _figures_of(dimension, k, labels[k], by_key[k])
        ]
        for month, by_key in found.items()
    }


@as_product("statistics")
def counted_at(region: str, month: Month) -> datetime | None:
    """When the month was last counted; ``None``: it is counted as it is asked for."""
    states = MonthState.objects.filter(region_id=region, month=month.first_day)
    return states.values_list("counted_at", flat=True).first()


Row = tuple[str, str, dict[str, Counted]]


def _kept(region: str, month: Month) -> list[Row]:
    rows = MonthRow.objects.filter(region_id=region, month=month.first_day).order_by()
    return list(rows.values_list("dimension", "key", "figures"))


def _counted_now(region: str, month: Month) -> list[Row]:
    return [(*place, figures) for place, figures in count_month(region, month).items()]


def _not_counted(region: str, span: list[Month]) -> Iterable[Month]:
    states = MonthState.objects.filter(
        region_id=region,
        counted_at__isnull=False,
        month__gte=span[0].first_day,
        month__lte=span[-1].first_day,
    )
    counted = {Month.of(first_day) for first_day in states.values_list("month", flat=True)}
    return [month for month in span if month not in counted]


def _figures_of(
    dimension: str, key: str, label: str, counted: dict[str, Counted]
) -> Iterable[Figure]:
    for name, measure in MEASURES.items():
        found = counted.get(name)
        if found is None:
            if dimension == "region":
                adds_up = measure.kind in {"count", "sum"}
                yield Figure(dimension, key, label, name, 0, 0 if adds_up else None)
            continue
        n, *numbers = found
        if measure.unit is KRONOR:
            value, median, p80 = (one / 100 for one in numbers)
            sek = Decimal(str(value)).quantize(Decimal("0.01"))
            yield Figure(dimension, key, label, name, n, sek, median, p80)
        else:
            yield Figure(dimension, key, label, name, n, *numbers)
