"""A count that gives what the test says, and a region whose months are laid out."""

from collections import Counter
from datetime import datetime

from organisations.models import CareUnit, Region
from statistics.frozen import services
from statistics.frozen.source import Figure
from statistics.months import Month
from tests.factories import CareUnitFactory, RegionFactory, make_case, stockholm

MARCH = Month(2026, 3)
# March is frozen on Tuesday 7 April: Good Friday and Easter Monday are no working days.
FREEZES = stockholm(2026, 4, 7, 6)


def number(
    n: int, *, key: str = "13", dimension: str = "region", measure: str = "received"
) -> Figure:
    return Figure(dimension, key, f"Grupp {key}", measure, n, n)


def days(n: int, median: float, *, key: str = "13", dimension: str = "region") -> Figure:
    return Figure(dimension, key, f"Grupp {key}", "handling_days", n, median, median, median + 9)


class Counted:
    """Stands for ``month_figures``: the figures of each month, and how often it was asked."""

    def __init__(self, *figures: Figure, of: Month = MARCH) -> None:
        self.months = {of: list(figures)}
        self.asked: Counter[tuple[str, Month]] = Counter()

    def __call__(self, region: str, month: Month) -> list[Figure]:
        self.asked[region, month] += 1
        return list(self.months.get(month, []))

    def now(self, *figures: Figure, of: Month = MARCH) -> None:
        self.months[of] = list(figures)


def region_since(now: datetime, *, unit: CareUnit | None = None) -> Region:
    """A region whose first case came in at ``now``."""
    made = make_case(now=now, unit=unit or CareUnitFactory(region=RegionFactory(), sends=True))
    return made.unit.region


def frozen_march(counted: Counted) -> Region:
    """A region whose March is frozen with the figures given."""
    region = region_since(stockholm(2026, 3, 10, 12))
    services.run_months(now=FREEZES, count=counted)
    return region
