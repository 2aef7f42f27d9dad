"""Dalarna's files to the national waiting-time database: three months, from its own cases."""

from datetime import datetime, timedelta

from django.utils import timezone

from organisations.access import Actor
from statistics.months import Month
from statistics.waiting_times.services import deliver_own, window

# A region reports by the 20th; this one is early.
DAYS_AFTER = timedelta(days=9, hours=10)


def deliver_waiting_times(actor: Actor | None, *, now: datetime) -> int:
    """Deliver each month on its tenth day after, or now when that has not come."""
    if actor is None:
        return 0
    months: list[Month] = sorted(window(timezone.localdate(now)))
    for month in months:
        deliver_own(month, actor=actor, now=min(now, month.end + DAYS_AFTER))
    return len(months)
