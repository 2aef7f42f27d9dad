"""Sweeps: short runs that take due rows and do the work (design 5.3).

An app registers its sweeps in ``AppConfig.ready``; ``run_due`` runs them all, as of a time, until
nothing is due. Celery beat calls the same function every minute.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import models
from django.db.models import F
from django.utils import timezone

from organisations.access import as_product
from organisations.models import SweepRun

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=models.Model)
SweepFunction = Callable[..., int]

# A sweep that always finds more work would otherwise keep a worker for ever.
MAX_ROUNDS = 10_000


@dataclass(frozen=True)
class Sweep:
    name: str
    run: SweepFunction


_sweeps: list[Sweep] = []


def register_sweep(name: str, run: SweepFunction) -> None:
    """Add ``run(now=…) -> rows handled`` to the sweeps; registering a name twice replaces it."""
    _sweeps[:] = [sweep for sweep in _sweeps if sweep.name != name]
    _sweeps.append(Sweep(name, run))


def sweep_names() -> list[str]:
    return [sweep.name for sweep in _sweeps]


def claim_due(queryset: models.QuerySet[Row], *, now: datetime, limit: int) -> list[Row]:
    """Lock and return up to ``limit`` rows whose ``due_at`` has come, oldest first.

    Rows that another sweep holds are passed over, so that any number of sweeps may run at once.
    Must be called in the transaction that also records the outcome.
    """
    due = queryset.filter(due_at__lte=now).order_by("due_at", "pk")
    # What belongs to the rows is read after they are claimed: joined, PostgreSQL may go through all
    # that the rows belong to in place of the index of what is due.
    claimed = due.select_related(None).select_for_update(skip_locked=True, of=("self",))
    keys = list(claimed.values_list("pk", flat=True)[:limit])
    return list(due.filter(pk__in=keys)) if keys else []


def run_due(*, now: datetime, budget: float | None = None) -> dict[str, int]:
    """Run every sweep as of ``now`` until none finds work; returns rows handled per sweep.

    No new round is begun when ``budget``, in seconds, is used up: what has come due since ``now``
    must not wait for the end of a long backlog. A sweep that fails does not hold up the others:
    they run to their end before the first failure is raised.
    """
    handled = {sweep.name: 0 for sweep in _sweeps}
    seconds = dict.fromkeys(handled, 0.0)
    failures: dict[str, Exception] = {}
    start = time.monotonic()
    for _round in range(MAX_ROUNDS):
        found = 0
        for sweep in [s for s in _sweeps if s.name not in failures]:
            began = time.perf_counter()
            try:
                with as_product(f"sweep {sweep.name}"):
                    count = sweep.run(now=now)
            except Exception as error:
                logger.exception("the sweep of %s failed", sweep.name)
                failures[sweep.name] = error
                continue
            finally:
                seconds[sweep.name] += time.perf_counter() - began
            handled[sweep.name] += count
            found += count
        if not found or (budget is not None and time.monotonic() - start >= budget):
            break
    else:
        logger.error("due work did not end after %s rounds: %s", MAX_ROUNDS, handled)
    _record_runs(failures, seconds)
    for failure in failures.values():
        raise failure
    return handled


def _record_runs(failures: dict[str, Exception], seconds: dict[str, float]) -> None:
    """Tell the operator, by the real clock whatever time the sweeps ran as of."""
    ran_at = timezone.now()
    for sweep in _sweeps:
        failure, took = failures.get(sweep.name), round(seconds[sweep.name], 6)
        outcome: dict[str, object] = {"last_seconds": took}
        if failure is None:
            outcome |= {"done_at": ran_at, "error": ""}
        else:
            outcome |= {"failed_at": ran_at, "error": type(failure).__name__[:80]}
        counted = {"runs": 1, "failures": int(failure is not None), "seconds": took}
        SweepRun.objects.update_or_create(
            name=sweep.name,
            defaults=outcome | {name: F(name) + value for name, value in counted.items()},
            create_defaults=outcome | counted,
        )
