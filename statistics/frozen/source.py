"""What is frozen: the month's figures, given by whoever counts them.

The services take the count as an argument, so that a test may give figures of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from statistics.months import Month


@dataclass(frozen=True)
class Figure:
    """As in statistics.monthly.figures, until that is there."""

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


def month_figures(region: str, month: Month) -> list[Figure]:
    return []


# The figures of a region's month as they are known now.
Count = Callable[[str, Month], list[Figure]]
