"""ISO 8601 weeks in Europe/Stockholm, and sums laid out over them.

A week begins on Monday and belongs to the year that holds its Thursday; 2026 has 53 weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from organisations.working_days import WORKING_DAYS, free_days


@dataclass(frozen=True, order=True)
class Week:
    """One ISO week."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Week":
        found = day.isocalendar()
        return cls(found.year, found.week)

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    def back(self, weeks: int) -> "Week":
        """The week ``weeks`` before (after, when negative)."""
        return Week.of(self.monday - timedelta(weeks=weeks))

    def has_ended(self, today: date) -> bool:
        return self.sunday < today


def weeks_in(year: int) -> int:
    """52 or 53; the 28th of December always lies in the year's last week."""
    return date(year, 12, 28).isocalendar().week


def weeks_of(year: int) -> list[Week]:
    return [Week(year, number) for number in range(1, weeks_in(year) + 1)]


def working_days(week: Week) -> int:
    """Mondays to Fridays of the week that are neither public holidays nor eves kept as such."""
    return sum((week.monday + timedelta(days=n)) not in free_days() for n in range(WORKING_DAYS))


def distribute(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights whose sum is ``total`` exactly.

    The running sum is rounded, not each share, so that few patients are spread over the year
    instead of gathering where shares are rounded up. Without a weight above zero all count alike.
    Raises ``ValueError`` when there is nothing to lay out over.
    """
    if total < 0 or not weights or any(weight < 0 for weight in weights):
        raise ValueError("nothing to lay out, or a negative share")
    shares = [Fraction(weight) if any(weights) else Fraction(1) for weight in weights]
    whole, so_far, given = sum(shares), Fraction(0), []
    reached = 0
    for share in shares:
        so_far += share
        rounded = floor(total * so_far / whole + Fraction(1, 2))
        given.append(rounded - reached)
        reached = rounded
    return given
