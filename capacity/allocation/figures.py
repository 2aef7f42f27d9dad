"""What an allocation comes to, in the figures that are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from capacity.allocation.problem import Problem, Way


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``wait_days`` is the sum over all who wait: at the line for those placed, else at home.

    ``past_guarantee`` counts those who would get their care after the guarantee's last day.
    """

    placed: int
    wait_days: int
    median_days: float
    past_guarantee: int
    cost_sek: Decimal
    distance_km: int


def figures_of(problem: Problem, placed: Mapping[str, Way]) -> Figures:
    """The figures of an allocation; of nobody placed: everybody waits at home."""
    waits, past = [], 0
    for one in problem.waiting:
        way = placed.get(one.number)
        days = one.home_days if way is None else way.wait_days
        waits.append(days)
        past += one.guarantee_days is not None and days > one.guarantee_days
    ways = placed.values()
    return Figures(
        placed=len(placed),
        wait_days=sum(waits),
        median_days=float(np.median(waits)) if waits else 0.0,
        past_guarantee=past,
        cost_sek=sum((problem.prices[way.line] for way in ways), Decimal(0)),
        distance_km=sum(way.distance_km for way in ways),
    )
