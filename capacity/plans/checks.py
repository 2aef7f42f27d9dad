"""Whether the weeks of a plan fit what is agreed: warnings, since caps can be raised in time."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Sum
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from capacity.models import DeliveryPlan, PlannedWeek, PlanVersion
from capacity.plans.figures import call_offs_of
from capacity.plans.weeks import Week
from contracts.models import CallOff, Capped, ContractLine, Period, PeriodCap


def warnings(plan: DeliveryPlan, volumes: Mapping[int, int], *, today: date) -> list[str]:
    """In words, what of the weeks to come does not fit contract, lines and period caps."""
    coming = {
        week: volume
        for week, volume in ((Week(plan.year, n), v) for n, v in volumes.items())
        if volume and not week.has_ended(today)
    }
    lines = list(lines_of(plan))
    if not lines:
        return [_("Avtalet har ingen aktiv avropsrad för åtgärden där längre.")]
    price = max(line.price_sek for line in lines)
    found = [*_outside_of_term(plan, coming)]
    reserved = call_offs_of(plan).filter(state=CallOff.State.RESERVED).count()
    total = sum(coming.values())
    if len(lines) == 1:
        found += _over(lines[0], total, reserved, price, _("avropsraden"))
    elif all(line.left_volume is not None for line in lines):
        left = sum(line.left_volume or 0 for line in lines)
        found += _volume(total, left + reserved, _("avropsraderna"))
    others = _others(plan, today=today)
    where = _("avtalet") if not others else _("avtalet, tillsammans med dess andra planer,")
    found += _over(plan.contract, total + others, reserved, price, where)
    caps = PeriodCap.objects.filter(contract=plan.contract)
    if len(lines) == 1:
        caps |= PeriodCap.objects.filter(line=lines[0])
    for cap in caps:
        found += _over_period(cap, coming, price)
    return found


def lines_of(plan: DeliveryPlan) -> list[ContractLine]:
    """The active lines of the plan's contract that it covers."""
    found = plan.contract.lines.filter(is_active=True, kva__startswith=plan.kva)
    if plan.care_unit_id:
        found = found.filter(care_unit_id=plan.care_unit_id)
    return list(found.select_related("contract"))


def _outside_of_term(plan: DeliveryPlan, coming: Mapping[Week, int]) -> list[str]:
    contract = plan.contract
    outside = [
        week
        for week in coming
        if week.sunday < contract.valid_from or week.monday > contract.latest_end
    ]
    if outside:
        numbers = ", ".join(str(week.number) for week in sorted(outside))
        return [
            _("Avtalet gäller inte vecka %(weeks)s, inte heller med optionsår.")
            % {"weeks": numbers}
        ]
    if any(week.monday > contract.valid_to for week in coming):
        return [
            _("Veckorna efter %(day)s kräver att avtalet förlängs med option.")
            % {"day": contract.valid_to}
        ]
    return []


def _over(capped: Capped, total: int, reserved: int, price: Decimal, where: str) -> list[str]:
    """``reserved`` of the plan are taken from the cap already, and will be delivered by it."""
    found = []
    if capped.left_volume is not None:
        found += _volume(total, capped.left_volume + reserved, where)
    if capped.left_sek is not None:
        room = capped.left_sek + reserved * price
        if total * price > room:
            found.append(
                _("Veckorna som återstår kostar %(cost)s kr, men %(left)s kr är kvar på %(where)s.")
                % {
                    "cost": number_format(total * price, 0, force_grouping=True),
                    "left": number_format(max(room, Decimal(0)), 0, force_grouping=True),
                    "where": where,
                }
            )
    return found


def _volume(total: int, room: int, where: str) -> list[str]:
    if total <= room:
        return []
    return [
        _(
            "%(total)s patienter är planerade i veckorna som återstår, men %(left)s ryms på "
            "%(where)s."
        )
        % {"total": total, "left": max(room, 0), "where": where}
    ]


def _others(plan: DeliveryPlan, *, today: date) -> int:
    """What other agreed plans on the contract still mean to send."""
    newest = (
        PlanVersion.objects.filter(
            plan__contract=plan.contract,
            plan__state=DeliveryPlan.State.AGREED,
            agreed_at__isnull=False,
        )
        .exclude(plan=plan)
        .values("plan", "plan__year")
        .annotate(newest=Max("number"))
    )
    total = 0
    for row in newest:
        this = Week.of(today)
        weeks = PlannedWeek.objects.filter(version__plan=row["plan"], version__number=row["newest"])
        if row["plan__year"] < this.year:
            continue
        if row["plan__year"] == this.year:
            weeks = weeks.filter(week__gte=this.number)
        total += weeks.aggregate(n=Sum("volume"))["n"] or 0
    return total


def _over_period(cap: PeriodCap, coming: Mapping[Week, int], price: Decimal) -> list[str]:
    """A week counts in the month and year that hold its Thursday."""
    period = Period(cap.period)
    by_period: Counter[date] = Counter()
    for week, volume in coming.items():
        by_period[period.start(week.monday + timedelta(days=3))] += volume
    over = [
        start
        for start, volume in sorted(by_period.items())
        if (cap.cap_volume is not None and volume > cap.cap_volume)
        or (cap.cap_sek is not None and volume * price > cap.cap_sek)
    ]
    if not over:
        return []
    names = ", ".join(_named(period, start) for start in over[:6]) + (" …" if over[6:] else "")
    return [
        _("Planen går över taket per %(period)s: %(names)s.")
        % {"period": period.label, "names": names}
    ]


def _named(period: Period, start: date) -> str:
    if period == Period.WEEK:
        return _("vecka %(n)s") % {"n": Week.of(start).number}
    return f"{start:%Y-%m}" if period == Period.MONTH else str(start.year)
