"""Half-years, the periods of the pathways' figures.

Only whole half-years are shown and never a year beside them: of periods that overlap one could
subtract the figures of the other.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from statistics.months import Month


@dataclass(frozen=True, order=True)
class HalfYear:
    """January–June or July–December, written ``2026H1``."""

    year: int
    half: int

    @classmethod
    def of(cls, day: date) -> "HalfYear":
        return cls(day.year, 1 if day.month <= 6 else 2)

    @classmethod
    def parse(cls, text: str) -> "HalfYear | None":
        """``2026H1``, or ``None`` when the text is no half-year."""
        year, half = text[:4], text[4:]
        if half not in {"H1", "H2"} or not (year.isascii() and year.isdigit()):
            return None
        return cls(int(year), int(half[1])) if 2000 <= int(year) <= 2200 else None

    @property
    def first_day(self) -> date:
        return date(self.year, 1 if self.half == 1 else 7, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def months(self) -> tuple[Month, ...]:
        first = Month.of(self.first_day)
        return tuple(first.back(-number) for number in range(6))

    @property
    def next(self) -> "HalfYear":
        return HalfYear(self.year + self.half - 1, 3 - self.half)

    @property
    def before(self) -> "HalfYear":
        return HalfYear.of(self.first_day - timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.year:04d}H{self.half}"
