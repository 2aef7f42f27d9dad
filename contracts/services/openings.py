"""Tells when a line may take patients whom it could not take before (design 5.4).

Others look through the patients who wait for such a line. ``contract.opened`` names the lines in
its payload: new or changed terms, room under a cap that was full, a contract or a period that
begins.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contracts.models import Contract, ContractLine, OpeningDay, Period, PeriodCap, PeriodCount
from contracts.selectors import full_periods
from organisations.events import emit

OPENED = "contract.opened"
# What decides whom the lines take; a new title or contact person opens nothing.
_OF_CONTRACT = (
    *("valid_from", "valid_to", "regions_allowed", "cap_volume", "cap_sek", "period_caps"),
    "is_stopped",
)
_OF_LINE = (
    *("kva", "care_unit", "price_sek", "asa_ceiling", "age_min", "age_max"),
    *("cap_volume", "cap_sek", "period_caps", "is_active"),
)
# A sweep that has stood still tells of what began in these days; later a review finds it.
LATE_DAYS = 7


def tell_terms(
    contract: Contract, *, before: dict[str, Any] | None, after: dict[str, Any], now: datetime
) -> None:
    """Tell of the lines whose terms are new; the contents are those of two versions."""
    known = {line["id"]: line for line in before["lines"]} if before else {}
    whole = before is None or _differ(before, after, _OF_CONTRACT)
    lines = [
        line["id"]
        for line in after["lines"]
        if line["is_active"]
        and (whole or line["id"] not in known or _differ(known[line["id"]], line, _OF_LINE))
    ]
    if not after["is_stopped"]:
        tell(lines, why="terms", now=now)


def _differ(before: dict[str, Any], after: dict[str, Any], names: Iterable[str]) -> bool:
    return any(before.get(name) != after.get(name) for name in names)


def tell(lines: Iterable[int], *, why: str, now: datetime) -> None:
    """One event for all the lines; none when there are none."""
    named = sorted(lines)
    if named:
        emit(OPENED, now=now, payload={"lines": named, "why": why})


class Room:
    """What room a line has before a place is given back, under the locks that the ledger takes.

    Read without them, a place that somebody takes in between would hide that the cap was full.
    """

    def __init__(self, line_id: int, *, now: datetime) -> None:
        list(ContractLine.objects.select_for_update(no_key=True).filter(pk=line_id))
        self.line = ContractLine.objects.get(pk=line_id)
        list(Contract.objects.select_for_update(no_key=True).filter(pk=self.line.contract_id))
        self.now = now
        self.was_full, self.contract_was_full = self._full()

    def tell_if_opened(self) -> None:
        """Tell of the line, or of all lines of a contract that was full as a whole."""
        full, contract_full = self._full()
        if not self.was_full or full:
            return
        lines = ContractLine.objects.filter(pk=self.line.pk)
        if self.contract_was_full and not contract_full:
            lines = ContractLine.objects.filter(contract=self.line.contract_id, is_active=True)
        tell(lines.values_list("pk", flat=True), why="room", now=self.now)

    def _full(self) -> tuple[bool, bool]:
        line = ContractLine.objects.select_related("contract").get(pk=self.line.pk)
        periods = full_periods(line, day=timezone.localdate(self.now))
        of_contract = not line.contract.has_room_for(line.price_sek) or any(
            cap.contract_id for cap in periods
        )
        return of_contract or bool(periods) or not line.has_room_for(line.price_sek), of_contract


@transaction.atomic
def open_by_date(*, now: datetime) -> int:
    """Sweep: contracts that begin, and periods that begin after one that was full, once each day.

    The day's row is the mark: whoever writes it tells, and two sweeps at once tell once. Returns
    how many lines were told of.
    """
    today = timezone.localdate(now)
    last = OpeningDay.objects.filter(day__lte=today).order_by("-day").first()
    if last is not None and last.day == today:
        return 0
    if not OpeningDay.objects.bulk_create([OpeningDay(day=today)], ignore_conflicts=True):
        return 0
    after = max(last.day if last else today - timedelta(days=1), today - timedelta(days=LATE_DAYS))
    begun = ContractLine.objects.filter(
        is_active=True,
        contract__is_stopped=False,
        contract__valid_from__gt=after,
        contract__valid_from__lte=today,
    )
    lines = set(begun.values_list("pk", flat=True))
    caps = [cap for cap in PeriodCap.objects.on(today) if _begins(cap, after=after)]
    freed = [cap for cap in caps if _was_full(cap)]
    of_periods = ContractLine.objects.filter(
        Q(pk__in=[cap.line_id for cap in freed if cap.line_id])
        | Q(contract__in=[cap.contract_id for cap in freed if cap.contract_id]),
        is_active=True,
    )
    lines |= set(of_periods.values_list("pk", flat=True))
    tell(lines, why="day", now=now)
    return len(lines)


def _begins(cap: PeriodCap, *, after: date) -> bool:
    starts_on: date = cap.starts_on  # type: ignore[attr-defined]
    return starts_on > after


def _was_full(cap: PeriodCap) -> bool:
    """Whether the period before had no room; of use on rows that ``on(day)`` returned."""
    starts_on: date = cap.starts_on  # type: ignore[attr-defined]
    before = Period(cap.period).start(starts_on - timedelta(days=1))
    count = PeriodCount.objects.filter(period_cap=cap, starts_on=before).first()
    # A SEK cap is taken for full when a tenth is left: what the next line costs is not known here.
    return count is not None and (
        (count.cap_volume is not None and count.taken_volume >= count.cap_volume)
        or (count.cap_sek is not None and 10 * count.taken_sek >= 9 * count.cap_sek)
    )
