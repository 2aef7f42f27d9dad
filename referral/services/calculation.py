"""The calculation of an allocation run: the one module of the services that loads the solver."""

from dataclasses import asdict
from datetime import datetime

from django.utils import timezone

from capacity.allocation import Allocation, Placed, Problem, allocate, figures_of
from capacity.allocation.problem import counted
from referral.models import AllocationRow, AllocationRun
from referral.services.waiting_list import put_outcomes, waiting_list_of


def calculate(run: AllocationRun, *, now: datetime, seconds: float | None = None) -> None:
    """Allocate the run's cases and write down what came of it."""
    listed = waiting_list_of(run, today=timezone.localdate(now))
    problem = listed.problem
    answer = allocate(problem) if seconds is None else allocate(problem, seconds=seconds)
    put_outcomes(listed, best=answer.placed, first=answer.first_come)
    # One statement for a thousand rows; Django's bulk_update takes ten times as long.
    AllocationRow.objects.bulk_create(
        listed.rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["run", "case"],
        update_fields=[
            *("outcome", "line", "first_line", "home_days", "home_is_known"),
            *("wait_days", "distance_km"),
        ],
    )
    run.state, run.done_at = AllocationRun.State.DONE, now
    run.figures = _figures(problem, answer)
    run.limits = _limits(problem, answer)
    run.is_best, run.is_cheapest = answer.is_best, answer.is_cheapest
    run.bound_days, run.seconds = answer.bound_days, round(answer.seconds, 2)
    run.unknown_home_days = listed.unknown_home_days
    run.save()


def _figures(problem: Problem, answer: Allocation) -> dict[str, dict[str, object]]:
    ways: dict[str, Placed] = {"home": {}, "first": answer.first_come, "best": answer.placed}
    return {name: asdict(figures_of(problem, placed)) for name, placed in ways.items()}


def _limits(problem: Problem, answer: Allocation) -> list[dict[str, object]]:
    """Each cap with what is left of it and what each way of allocating uses."""
    best, first = counted(answer.placed.values()), counted(answer.first_come.values())
    return [
        {
            "name": limit.name,
            "places": limit.places,
            "sek": limit.sek,
            "best": sum(best.get(line, 0) for line in limit.lines),
            "first": sum(first.get(line, 0) for line in limit.lines),
            "best_sek": sum(problem.prices[line] * best.get(line, 0) for line in limit.lines),
        }
        for limit in problem.limits
    ]
