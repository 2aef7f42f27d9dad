"""The demonstration's delivery plans: one agreed for this year, one drafted for the next."""

from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from capacity.models import DeliveryPlan
from capacity.plans import services
from capacity.plans.selectors import lines_to_plan
from capacity.plans.weeks import Week, distribute, weeks_of, working_days
from contracts.models import CallOff, ContractLine
from organisations.access import Actor

# The year's plan asks for somewhat more than is delivered, so that there is something to see.
MORE_THAN_DELIVERED = 1.2
FEWEST = 12


def make_plans(actor: Actor | None, *, now: datetime) -> int:
    """Plans of the actor's region with whom it has sent most patients; returns how many."""
    today = timezone.localdate(now)
    year = Week.of(today).year
    line = _busiest_line(actor, Week(year, 1).monday) if actor else None
    if actor is None or line is None:
        return 0
    began = timezone.make_aware(datetime.combine(Week(year, 1).monday, time(9)))
    began -= timedelta(days=12)
    weeks = weeks_of(year)
    ended = max(1, sum(week.has_ended(today) for week in weeks))
    delivered: int = line.used  # type: ignore[attr-defined]
    total = max(FEWEST, round(delivered * MORE_THAN_DELIVERED * len(weeks) / ended))
    plan = _draft(line, year, total, actor=actor, now=began)
    services.agree_plan(plan, agreed_with="Planeringen", actor=actor, now=began)
    # What has been is not told: the first check is the next Monday's.
    DeliveryPlan.objects.filter(pk=plan.pk).update(due_at=_next_monday(today))
    _draft(line, year + 1, total, actor=actor, now=now)
    return 2


def _busiest_line(actor: Actor, since: date) -> ContractLine | None:
    used = Q(
        call_offs__region=actor.region,
        call_offs__counts_on__gte=since,
        call_offs__state__in=[CallOff.State.USED, CallOff.State.SETTLED],
    )
    lines = lines_to_plan(actor).filter(contract__owner_region_id=actor.region)
    lines = lines.annotate(used=Count("call_offs", filter=used))
    return lines.order_by("-used", "pk").first()


def _draft(
    line: ContractLine, year: int, total: int, *, actor: Actor, now: datetime
) -> DeliveryPlan:
    """The sum laid out by working days."""
    plan = services.create_plan(line, year=year, whole_provider=False, actor=actor, now=now)
    weeks = weeks_of(year)
    shares = distribute(total, [float(working_days(week)) for week in weeks])
    volumes = {week.number: n for week, n in zip(weeks, shares, strict=True)}
    return services.save_weeks(plan, volumes, actor=actor, now=now)


def _next_monday(today: date) -> datetime:
    return timezone.make_aware(datetime.combine(Week.of(today).back(-1).monday, time(6)))
