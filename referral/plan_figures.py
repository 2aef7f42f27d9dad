"""Counts of the region's cases that delivery plans rest on: numbers only, read by the product."""

from collections import Counter
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from capacity.plans.forecast import BASE_WEEKS, NEAR_DAYS
from capacity.plans.sources import Demand, register_sources
from capacity.plans.weeks import Week
from contracts.models import CallOff
from organisations.access import as_product
from referral.models import Case, CaseState, CloseReason, Referral

# Waiting for a provider: those with one are counted as reserved places instead.
WITHOUT_PROVIDER = (
    *(CaseState.RECEIVED, CaseState.RETURNED, CaseState.IN_PROGRESS, CaseState.WATCHED),
)


def register() -> None:
    register_sources(demand=demand, bookings=bookings)


@as_product("need of a delivery plan")
def demand(region: str, kva: str, today: date) -> Demand:
    """The last 52 whole weeks, and what waits ``today``."""
    end = Week.of(today).monday
    begin = end - timedelta(weeks=BASE_WEEKS)
    since, until = (timezone.make_aware(datetime.combine(d, time.min)) for d in (begin, end))
    cases = Case.objects.filter(region_id=region, kva__startswith=kva)
    waiting = Q(state__in=WITHOUT_PROVIDER, paused_from__isnull=True)
    closed = Q(closed_at__gte=since, closed_at__lt=until)
    counts = cases.aggregate(
        received=Count("pk", filter=Q(received_at__gte=since, received_at__lt=until)),
        closed=Count("pk", filter=closed),
        closed_treated=Count("pk", filter=closed & Q(close_reason=CloseReason.TREATED)),
        waiting_past=Count("pk", filter=waiting & Q(last_day__lt=today)),
        waiting_near=Count(
            "pk",
            filter=waiting & Q(last_day__range=(today, today + timedelta(days=NEAR_DAYS))),
        ),
    )
    treated = Referral.objects.filter(
        offer__case__in=cases, treated_on__gte=begin, treated_on__lt=end
    ).values_list("treated_on", flat=True)
    by_week = Counter(Week.of(day).number for day in treated if day)
    return Demand(treated=sum(by_week.values()), treated_by_week=dict(by_week), **counts)


@as_product("booked times of a delivery plan")
def bookings(reserved: QuerySet[CallOff]) -> dict[Week | None, int]:
    """How many of the reserved places are booked in each week; ``None``: no time yet."""
    numbers = list(reserved.values_list("case_number", flat=True))
    booked: Counter[Week | None] = Counter()
    times = (
        Referral.objects.filter(
            offer__case__number__in=numbers,
            offer__case__state=CaseState.BOOKED,
            booked_for__isnull=False,
            rejected_at__isnull=True,
        )
        .order_by("offer__case_id", "-booked_for")
        .distinct("offer__case_id")
        .values_list("booked_for", flat=True)
    )
    for booked_for in times:
        if booked_for is not None:
            booked[Week.of(timezone.localdate(booked_for))] += 1
    booked[None] = len(numbers) - sum(booked.values())
    return dict(booked)
