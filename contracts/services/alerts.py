"""Alerts when a cap is near or reached (design 5.4: told by events, delivered by others)."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Min, Q

from contracts.models import CapAlert, Capped, Contract, ContractLine
from organisations.events import emit

# An alert is over when the level has fallen this far below its limit, so that places given back
# and taken again around a limit do not tell everybody each time.
FALLEN_BY = 5


def watch_level(line_id: int, *, now: datetime) -> None:
    """Raise and clear alerts for the line and its contract after their counters have changed.

    Called in the transaction that changed them, which holds their row locks, so that two that
    pass a limit at the same time raise one alert between them.
    """
    line = ContractLine.objects.select_related("contract").get(pk=line_id)
    _watch_line(line, now=now)
    _watch_whole(line.contract, now=now)


def watch_contract(contract_id: int, *, now: datetime) -> None:
    """The same for the contract and all its lines, after what is agreed has changed."""
    contract = Contract.objects.get(pk=contract_id)
    for line in contract.lines.select_related("contract"):
        _watch_line(line, now=now)
    _watch_whole(contract, now=now)


def _watch_line(line: ContractLine, *, now: datetime) -> None:
    if line.cap_volume is not None or line.cap_sek is not None:
        _compare(line.contract, line, level(line, line.price_sek), now=now)


def _watch_whole(contract: Contract, *, now: datetime) -> None:
    if contract.cap_volume is None and contract.cap_sek is None:
        return
    cheapest = contract.lines.filter(is_active=True).aggregate(price=Min("price_sek"))["price"]
    _compare(contract, None, level(contract, cheapest or Decimal(0)), now=now)


def level(capped: Capped, price: Decimal) -> int:
    """How many whole per cent are taken; 100 as soon as one more at ``price`` does not fit."""
    if not capped.has_room_for(price):
        return 100
    shares = []
    if capped.cap_volume:
        shares.append(100 * capped.taken_volume // capped.cap_volume)
    if capped.cap_sek:
        shares.append(int(100 * capped.taken_sek // capped.cap_sek))
    return min(99, max(shares, default=0))


def _compare(contract: Contract, line: ContractLine | None, at: int, *, now: datetime) -> None:
    open_alerts = CapAlert.objects.filter(contract=contract, line=line, cleared_at__isnull=True)
    standing = set(open_alerts.values_list("percent", flat=True))
    fallen = [percent for percent in standing if at <= percent - FALLEN_BY]
    if fallen:
        open_alerts.filter(Q(percent__in=fallen)).update(cleared_at=now)
    passed = sorted(p for p in contract.alert_percents if p <= at and p not in standing)
    for percent in passed:
        alert = CapAlert.objects.create(
            contract=contract, line=line, percent=percent, raised_at=now
        )
        # Only the highest limit passed at once is told; the rest are noted.
        if percent == passed[-1]:
            emit(
                "contract.cap_reached" if percent == 100 else "contract.cap_near",
                now=now,
                payload={"alert": alert.pk, "contract": contract.pk, "percent": percent},
            )
