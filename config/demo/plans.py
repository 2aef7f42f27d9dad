"""The demonstration's delivery plans: one agreed for this year, one drafted for the next."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from capacity.plans import services
from capacity.plans.figures import call_offs_of
from capacity.plans.weeks import Week, distribute, weeks_of, working_days
from contracts.models import CallOff, ContractLine
from organisations.access import Actor

# The year's plan asks for somewhat more than is delivered, so that there is something to see.
MORE_THAN_DELIVERED = 1.2
FEWEST = 26


def make_plans(actor: Actor | None, *, provider: str, kva: str, now: datetime) -> int:
    """Plans of the actor's region with the provider's line for the code; returns how many."""
    if actor is None:
        return 0
    line = ContractLine.objects.get(
        contract__provider__name=provider, contract__owner_region_id=actor.region, kva=kva
    )
    year = Week.of(timezone.localdate(now)).year
    began = timezone.make_aware(datetime.combine(Week(year, 1).monday, time(9)))
    began = max(began - timedelta(days=12), now - timedelta(days=360))
    this = services.create_plan(line, year=year, whole_provider=False, actor=actor, now=began)
    weeks = weeks_of(year)
    ended = sum(week.has_ended(timezone.localdate(now)) for week in weeks)
    delivered = (
        call_offs_of(this)
        .exclude(state=CallOff.State.RESERVED)
        .filter(counts_on__range=(weeks[0].monday, weeks[-1].sunday))
        .count()
    )
    total = max(FEWEST, round(delivered * MORE_THAN_DELIVERED * len(weeks) / max(1, ended)))
    shares = distribute(total, [float(working_days(week)) for week in weeks])
    volumes = {week.number: n for week, n in zip(weeks, shares, strict=True)}
    services.save_weeks(this, volumes, actor=actor, now=began)
    services.agree_plan(this, agreed_with="Planeringen", actor=actor, now=began)
    this.refresh_from_db()
    this.due_at = now
    this.save(update_fields=["due_at"])
    services.create_plan(line, year=year + 1, whole_provider=False, actor=actor, now=now)
    return 2
