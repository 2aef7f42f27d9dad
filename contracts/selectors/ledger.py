"""The ledger as it is read: shares, the curve over time, and when the cap will be reached."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from contracts.models import CallOff, CapAlert, Contract, ContractLine, PeriodCap
from contracts.selectors.usage import contracts_of
from organisations.access import Actor
from organisations.models import Role

S = CallOff.State
# The pace is counted over so many weeks back.
PACE_WEEKS = 8
# The curve shows at most so many weeks.
CURVE_WEEKS = 52


@dataclass(frozen=True)
class Share:
    """What one region, or all others together, takes of a contract."""

    region: str
    reserved: int
    used: int
    sek: Decimal
    is_owner: bool = False
    is_rest: bool = False

    @property
    def volume(self) -> int:
        return self.reserved + self.used


@dataclass(frozen=True)
class Point:
    """Used and taken (used and reserved) at the end of a day."""

    day: date
    used: int
    taken: int


@dataclass(frozen=True)
class Forecast:
    """When the cap is reached if the pace of the last weeks goes on.

    ``day`` is ``None`` when there is no cap, no pace, or it lies past the contract's last day
    (``after_end``). ``left`` is what remains when all open reservations are counted as taken.
    """

    per_week: Decimal
    left: int | None
    day: date | None
    weeks: int
    after_end: bool = False


def shares_of(contract: Contract, *, actor: Actor) -> list[Share]:
    """The owner sees every using region's share; another region its own and the rest together.

    The provider sees every region's: it sends them the invoices.
    """
    live = CallOff.objects.filter(line__contract=contract).exclude(state=S.RELEASED)
    rows = (
        live.values("region_id", "region__name")
        .annotate(
            reserved=Count("pk", filter=Q(state=S.RESERVED)),
            used=Count("pk", filter=~Q(state=S.RESERVED)),
            sek=Sum("amount_sek"),
        )
        .order_by("-sek", "region__name")
    )
    sees_all = (
        actor.is_system or actor.role == Role.PROVIDER or actor.region == contract.owner_region_id
    )
    own: list[Share] = []
    rest = Share("", 0, 0, Decimal(0), is_rest=True)
    for row in rows:
        share = Share(
            row["region__name"],
            row["reserved"],
            row["used"],
            row["sek"],
            is_owner=row["region_id"] == contract.owner_region_id,
        )
        if sees_all or row["region_id"] == actor.region:
            own.append(share)
        else:
            rest = Share(
                "",
                rest.reserved + share.reserved,
                rest.used + share.used,
                rest.sek + share.sek,
                is_rest=True,
            )
    return [*own, rest] if rest.volume else own


def curve(contract: Contract, *, today: date) -> list[Point]:
    """Used and taken at the end of each week up to today; at most the last year."""
    days = CallOff.objects.filter(line__contract=contract).values_list(
        "state", "reserved_at", "used_at", "released_at"
    )
    taken, used, first = _by_week(days)
    this_week = _monday(today)
    begin = max(first or this_week, this_week - timedelta(weeks=CURVE_WEEKS - 1))
    points, monday = [], begin
    level_taken = sum(n for week, n in taken.items() if week < begin)
    level_used = sum(n for week, n in used.items() if week < begin)
    while monday <= this_week:
        level_taken += taken[monday]
        level_used += used[monday]
        points.append(Point(min(monday + timedelta(days=6), today), level_used, level_taken))
        monday += timedelta(weeks=1)
    return points


def _by_week(
    rows: Iterable[tuple[str, datetime, datetime | None, datetime | None]],
) -> tuple[Counter[date], Counter[date], date | None]:
    """How taken and used change in each week, and the first week of all."""
    taken: Counter[date] = Counter()
    used: Counter[date] = Counter()
    for state, reserved_at, used_at, released_at in rows:
        taken[_monday(timezone.localdate(reserved_at))] += 1
        if state == S.RELEASED and released_at is not None:
            taken[_monday(timezone.localdate(released_at))] -= 1
        elif used_at is not None:
            used[_monday(timezone.localdate(used_at))] += 1
    return taken, used, min(taken, default=None)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def forecast(capped: Contract | ContractLine, *, today: date) -> Forecast:
    """The day the cap is reached, from the last eight weeks' pace and open reservations.

    The pace is the call-offs made in those weeks that are still live; a contract younger than
    eight weeks is counted over the weeks it has had. With caps in both volume and SEK the one that
    is reached first counts, at the mean amount of those call-offs.
    """
    contract = capped if isinstance(capped, Contract) else capped.contract
    of_capped = {"line__contract": capped} if isinstance(capped, Contract) else {"line": capped}
    weeks = PACE_WEEKS
    if contract.valid_from > today - timedelta(weeks=PACE_WEEKS):
        weeks = max(1, -(-(today - contract.valid_from).days // 7))
    since = timezone.make_aware(
        datetime.combine(today - timedelta(weeks=weeks) + timedelta(days=1), time.min)
    )
    until = timezone.make_aware(datetime.combine(today + timedelta(days=1), time.min))
    recent = (
        CallOff.objects.filter(**of_capped, reserved_at__gte=since, reserved_at__lt=until)
        .exclude(state=S.RELEASED)
        .aggregate(n=Count("pk"), sek=Sum("amount_sek"))
    )
    made: int = recent["n"]
    pace = Decimal(made) / weeks
    left = _places_left(capped, mean=recent["sek"] / made if made else None)
    if left is None or not made:
        return Forecast(round(pace, 1), left, today if left == 0 else None, weeks)
    days = -(-left * weeks * 7 // made)  # upwards: the day on which the last place goes
    if days > 365 * 20:
        return Forecast(round(pace, 1), left, None, weeks, after_end=True)
    reached = today + timedelta(days=days)
    if reached > contract.valid_to:
        return Forecast(round(pace, 1), left, None, weeks, after_end=True)
    return Forecast(round(pace, 1), left, reached, weeks)


def _places_left(capped: Contract | ContractLine, *, mean: Decimal | None) -> int | None:
    """Places left under both kinds of cap; SEK at the mean amount, else at the line's price."""
    price = mean or (capped.price_sek if isinstance(capped, ContractLine) else None)
    rooms = [capped.left_volume]
    if capped.left_sek is not None and price:
        rooms.append(int(capped.left_sek // price))
    return min((room for room in rooms if room is not None), default=None)


def current_periods(contract: Contract, *, day: date) -> list[PeriodCap]:
    """The period caps of the contract and its lines, with what is taken in the current periods."""
    return list(
        PeriodCap.objects.on(day)
        .filter(Q(contract=contract) | Q(line__contract=contract))
        .select_related("line__care_unit")
        .order_by("line", "period")
    )


def open_alerts(actor: Actor) -> QuerySet[CapAlert]:
    """The alerts that concern the actor: the owner's, and those of contracts where the actor's
    region has offers open; the highest limit of each cap.
    """
    alerts = CapAlert.objects.filter(
        cleared_at__isnull=True, contract__in=contracts_of(actor).order_by().values("pk")
    )
    if actor.role == Role.NAVIGATOR:
        holding = CallOff.objects.filter(region_id=actor.region, state=S.RESERVED)
        alerts = alerts.filter(
            Q(contract__owner_region_id=actor.region)
            | Q(contract__in=holding.values("line__contract"))
        )
    return (
        alerts.select_related("contract__owner_region", "contract__provider", "line__care_unit")
        .order_by("contract_id", "line_id", "-percent")
        .distinct("contract_id", "line_id")
    )
