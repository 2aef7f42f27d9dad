"""What a region is likely to need each week of a year, from its own cases.

The method is explained on the page in the same words as here: inflow times the share of cases that
end in care, plus a queue that is worked off, times the provider's share, laid out by season.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from capacity.plans.sources import Demand
from capacity.plans.weeks import Week, distribute, weeks_of, working_days

# So far back the cases are counted.
BASE_WEEKS = 52
# A waiting patient is near the limit when the guarantee ends within so many days.
NEAR_DAYS = 30
# The queue is worked off in so many weeks.
QUEUE_WEEKS = 12
# Fewer than this in the queue are not shown and not counted: nobody is to be made out.
FEWEST = 5
# So much must have happened before a share or a season is read out of it.
FEWEST_RECEIVED, FEWEST_CLOSED, FEWEST_TREATED = 10, 20, 104
# A week's season is the mean of so many weeks, itself in the middle.
SEASON_WEEKS = 3


@dataclass(frozen=True)
class Forecast:
    """A proposal for the weeks from ``first`` on, and the numbers that it rests on."""

    demand: Demand
    share_percent: int
    care_percent: int | None  # of closed cases that ended in care; None: too few, all are counted
    per_week: float  # inflow that a mean week brings this provider
    queue: int  # waiting that are counted, before the provider's share
    by_season: bool  # last year's treatments decide; else working days
    weeks: tuple[tuple[Week, int], ...]

    @property
    def total(self) -> int:
        return sum(volume for _week, volume in self.weeks)


def forecast(demand: Demand, *, year: int, share_percent: int, today: date) -> Forecast | None:
    """Propose volumes for the weeks of ``year`` that have not ended; ``None`` on too little data.

    ``share_percent`` is how much of the region's need this provider is to take.
    """
    weeks = [week for week in weeks_of(year) if not week.has_ended(today)]
    if demand.received < FEWEST_RECEIVED or not weeks:
        return None
    care_percent = None
    if demand.closed >= FEWEST_CLOSED:
        care_percent = round(100 * demand.closed_treated / demand.closed)
    share = share_percent / 100
    per_week = demand.received / BASE_WEEKS * (care_percent or 100) / 100 * share
    if care_percent == 0:
        per_week = 0.0
    queue = sum(n for n in (demand.waiting_past, demand.waiting_near) if n >= FEWEST)
    queue_weeks = min(QUEUE_WEEKS, len(weeks))
    by_season = demand.treated >= FEWEST_TREATED
    seasons = _seasons(weeks, demand) if by_season else [working_days(week) / 5 for week in weeks]
    need = [per_week * season for season in seasons]
    for number in range(queue_weeks):
        need[number] += queue * share / queue_weeks
    volumes = distribute(round(sum(need)), need)
    return Forecast(
        demand=demand,
        share_percent=share_percent,
        care_percent=care_percent,
        per_week=per_week,
        queue=queue,
        by_season=by_season,
        weeks=tuple(zip(weeks, volumes, strict=True)),
    )


def _seasons(weeks: Sequence[Week], demand: Demand) -> list[float]:
    """How each week was last year against a mean week: 1.0 is a mean week."""
    mean = demand.treated / BASE_WEEKS
    half = SEASON_WEEKS // 2
    found = []
    for week in weeks:
        near = [
            demand.treated_by_week.get(_number_last_year(week, offset), 0)
            for offset in range(-half, half + 1)
        ]
        found.append(sum(near) / SEASON_WEEKS / mean)
    return found


def _number_last_year(week: Week, offset: int) -> int:
    """The number that the neighbour of the same week a year before has; week 53 is like 52."""
    return (min(week.number, BASE_WEEKS) - 1 + offset) % BASE_WEEKS + 1
