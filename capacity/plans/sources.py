"""Figures of the cases that plans rest on, given by the app above that has the cases.

``capacity`` imports nothing above itself, so ``referral`` registers what counts its cases. All of
it is numbers: no case and no patient comes down here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet

from capacity.plans.weeks import Week
from contracts.models import CallOff


@dataclass(frozen=True)
class Demand:
    """A region's cases of a code: what came, what waits and what became of it, over a year."""

    received: int = 0
    treated: int = 0
    closed: int = 0
    closed_treated: int = 0
    waiting_past: int = 0  # past the guarantee
    waiting_near: int = 0  # the guarantee ends within NEAR_DAYS
    treated_by_week: dict[int, int] = field(default_factory=dict)  # by ISO week number


DemandSource = Callable[[str, str, date], Demand]
BookingSource = Callable[["QuerySet[CallOff]"], dict[Week | None, int]]


class _Sources:
    demand: DemandSource | None = None
    bookings: BookingSource | None = None


def register_sources(*, demand: DemandSource, bookings: BookingSource) -> None:
    """``demand(region, kva, today)``; ``bookings(reserved call-offs)``: how many are booked in
    each week, under ``None`` those offered or accepted without a time."""
    _Sources.demand, _Sources.bookings = staticmethod(demand), staticmethod(bookings)


def demand_of(region: str, kva: str, *, today: date) -> Demand:
    return _Sources.demand(region, kva, today) if _Sources.demand else Demand()


def bookings_of(reserved: "QuerySet[CallOff]") -> dict[Week | None, int]:
    if _Sources.bookings:
        return _Sources.bookings(reserved)
    return {None: reserved.count()}
