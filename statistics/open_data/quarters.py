"""Calendar quarters in Europe/Stockholm, the periods of the open data set."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from statistics.months import Month


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter, written ``2026Q3`` as in the data set."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Quarter":
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> "Quarter | None":
        """``2026Q3``, or ``None`` when the text is no quarter."""
        year, letter, number = text[:4], text[4:5], text[5:]
        if letter != "Q" or not (year.isascii() and year.isdigit()) or number not in set("1234"):
            return None
        return cls(int(year), int(number)) if 2000 <= int(year) <= 2200 else None

    @property
    def next(self) -> "Quarter":
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def before(self) -> "Quarter":
        return Quarter.of(self.first_day - timedelta(days=1))

    @property
    def first_day(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def months(self) -> tuple[Month, ...]:
        first = Month.of(self.first_day)
        return tuple(first.back(-number) for number in range(3))

    @property
    def start(self) -> datetime:
        """The quarter's first moment."""
        return timezone.make_aware(datetime.combine(self.first_day, time.min))

    @property
    def end(self) -> datetime:
        """The next quarter's first moment."""
        return self.next.start

    def __str__(self) -> str:
        return f"{self.year:04d}Q{self.number}"
