"""What is to be allocated: those who wait, the ways out for each, and the limits of all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Way(NamedTuple):
    """One contract line that can take a patient, with the wait there and the way to it."""

    line: int
    wait_days: int
    distance_km: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One who waits. ``number`` is the case number, the only thing that tells who it is.

    ``home_days`` is what remains of the wait at home. ``guarantee_days`` is the time left to the
    guarantee's last day, below zero once it has passed and ``None`` when the clock stands.
    ``ways`` may be shared by many, and may hold lines where the wait is no shorter than at home:
    they are never used.
    """

    number: str
    decided_on: date
    home_days: int
    ways: tuple[Way, ...]
    guarantee_days: int | None = None

    @property
    def order(self) -> tuple[date, str]:
        """The queue's order: by the day of decision, then by number."""
        return self.decided_on, self.number

    def shorter(self) -> tuple[Way, ...]:
        """The ways on which the patient waits less than at home; no other is worth a place."""
        return tuple(way for way in self.ways if way.wait_days < self.home_days)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What some lines may take together, in places, in SEK or both; ``None`` where not limited.

    A line's own cap, a contract's, a cap per period and the free slots of a unit are all of this
    one kind, and they all hold at the same time.
    """

    name: str
    lines: frozenset[int]
    places: int | None = None
    sek: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A waiting list, the price of each line and the limits."""

    waiting: tuple[Waiting, ...]
    prices: Mapping[int, Decimal]
    limits: tuple[Limit, ...] = field(default=())

    def in_order(self) -> list[Waiting]:
        return sorted(self.waiting, key=lambda one: one.order)


# Who got which way; those who are not in it wait at home.
Placed = dict[str, Way]


def counted(ways: Iterable[Way]) -> dict[int, int]:
    """How many each line takes."""
    taken: dict[int, int] = {}
    for way in ways:
        taken[way.line] = taken.get(way.line, 0) + 1
    return taken


def broken(problem: Problem, taken: Mapping[int, int]) -> list[Limit]:
    """The limits that so many on each line would pass; SEK counted exactly."""
    return [limit for limit in problem.limits if not _holds(limit, problem, taken)]


def _holds(limit: Limit, problem: Problem, taken: Mapping[int, int]) -> bool:
    numbers = {line: taken.get(line, 0) for line in limit.lines}
    if limit.places is not None and sum(numbers.values()) > limit.places:
        return False
    if limit.sek is None:
        return True
    cost = sum((problem.prices[line] * n for line, n in numbers.items() if n), Decimal(0))
    return cost <= limit.sek
