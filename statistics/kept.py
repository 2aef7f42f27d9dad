"""The figures of the statistics page, read from counted months instead of the cases.

Only where they are exactly what the cases say: a month that is due to be counted anew, or any
month while something that has happened in the region is not yet in the facts, is counted from the
cases as before.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Exists

from organisations.models import EventDelivery
from referral.models import DeclineReason
from statistics.facts.models import MonthRow, MonthState, StaleCase
from statistics.facts.upkeep import CONSUMER
from statistics.months import Month

Kept = dict[tuple[Month, int | None], dict[str, Any]]
COUNTS = ("received", "offered", "answered", "accepted", "declined", "treated", "confirmed")


def counted_months(region: str, months: Iterable[Month]) -> list[Month]:
    """Those of the months whose kept figures are what the cases say now."""
    waiting = EventDelivery.objects.filter(
        consumer=CONSUMER, done_at__isnull=True, event__case_number__startswith=f"{region}-"
    )
    stale = StaleCase.objects.filter(case__region_id=region)
    states = MonthState.objects.filter(
        ~Exists(waiting),
        ~Exists(stale),
        region_id=region,
        due_at__isnull=True,
        month__in=[month.first_day for month in months],
    )
    return sorted(Month.of(first_day) for first_day in states.values_list("month", flat=True))


def kept_figures(region: str, months: list[Month], *, clinic: int | None = None) -> Kept:
    """By month and clinic what the page shows; ``None`` is the whole region.

    With ``clinic`` only that one, which then stands for the whole.
    """
    if not months:
        return {}
    rows = MonthRow.objects.filter(
        region_id=region,
        month__gte=months[0].first_day,
        month__lte=months[-1].first_day,
        dimension__in=["region", "clinic"],
    )
    if clinic is not None:
        rows = rows.filter(dimension="clinic", key=str(clinic))
    wanted = set(months)
    kept: Kept = {}
    for first_day, dimension, key, counted in rows.values_list(
        "month", "dimension", "key", "figures"
    ):
        month = Month.of(first_day)
        if month not in wanted:
            continue
        figures = _figures(counted)
        if dimension == "region":
            kept[month, None] = figures
        else:
            kept[month, int(key)] = figures
            if clinic is not None:
                kept[month, None] = figures
    return kept


def _figures(counted: dict[str, list[Any]]) -> dict[str, Any]:
    def part(measure: str, index: int) -> Any:
        return counted[measure][index] if measure in counted else None

    values: dict[str, Any] = {name: part(name, 0) or 0 for name in COUNTS}
    return values | {
        "handling_days": part("handling_days", 1),
        "answer_hours": part("answer_hours", 1),
        "days_gained": part("days_gained", 1),
        "gained": part("days_gained", 0) or 0,
        "costed": part("cost", 0) or 0,
        "cost": Decimal(part("cost", 1) or 0) / 100,
        "declines": [part(f"declined_{reason}", 0) or 0 for reason in DeclineReason.values],
    }
