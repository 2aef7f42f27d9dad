"""Calendar months in Europe/Stockholm."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone
from django.utils.dates import MONTHS


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; its day begins and ends at midnight in Europe/Stockholm."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> "Month | None":
        """``2026-10``, or ``None`` when the text is no month."""
        year, _hyphen, month = text.partition("-")
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            return None
        if not (month.isascii() and month.isdigit() and len(month) == 2):
            return None
        if not (1 <= int(month) <= 12 and 2000 <= int(year) <= 2200):
            return None
        return cls(int(year), int(month))

    def back(self, months: int) -> "Month":
        """The month ``months`` before (after, when negative)."""
        index = self.year * 12 + self.month - 1 - months
        return Month(index // 12, index % 12 + 1)

    def until(self, last: "Month") -> "list[Month]":
        """Each month from this one to the last, both among them."""
        many = (last.year - self.year) * 12 + last.month - self.month
        return [self.back(-number) for number in range(many + 1)]

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def start(self) -> datetime:
        """The month's first moment."""
        return timezone.make_aware(datetime.combine(self.first_day, time.min))

    @property
    def end(self) -> datetime:
        """The next month's first moment."""
        return self.back(-1).start

    @property
    def label(self) -> str:
        return f"{MONTHS[self.month]} {self.year}"

    @property
    def short(self) -> str:
        return f"{str(MONTHS[self.month])[:3]} {self.year % 100:02d}"

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
