"""Tells where waits have become shorter, for those who wait for that (design 5.4)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from capacity.models import OWN_SOURCE, WaitingTime
from capacity.selectors import FRESH_DAYS
from contracts.codes import covering_codes
from contracts.models import ContractLine
from organisations.events import emit

Pair = tuple[int, str]  # unit and code


class Shortened:
    """The newest waits of the units and codes that a file names, before and after it is stored.

    Only units with an active contract line are looked at: nobody can be sent to others.
    """

    def __init__(self, named: Collection[Pair], *, now: datetime) -> None:
        self.now = now
        units = {unit for unit, _kva in named}
        found = ContractLine.objects.filter(care_unit__in=units, is_active=True)
        self.lines = list(found.values_list("pk", "care_unit_id", "kva"))
        with_line = {unit for _line, unit, _kva in self.lines}
        self.named = {pair for pair in named if pair[0] in with_line}
        self.before = self._medians()

    def tell(self) -> None:
        """One event that names the lines whose newest median is lower than it was, or is new."""
        after = self._medians()
        shorter = {pair for pair, days in after.items() if days < self.before.get(pair, days + 1)}
        codes: dict[int, set[str]] = {}
        for unit, kva in shorter:
            codes.setdefault(unit, set()).update(covering_codes(kva))
        lines = [
            line
            for line, unit, kva in self.lines
            if codes.get(unit, set()).intersection(covering_codes(kva))
        ]
        if lines:
            emit("waiting_times.shorter", now=self.now, payload={"lines": sorted(lines)})

    def _medians(self) -> dict[Pair, int]:
        """What matching would go by today: the newest, as registers have it."""
        if not self.named:
            return {}
        today = timezone.localdate(self.now)
        rows = (
            WaitingTime.objects.filter(
                care_unit__in={unit for unit, _kva in self.named},
                kva__in={kva for _unit, kva in self.named},
                day__range=(today - timedelta(days=FRESH_DAYS), today),
                need_within_days=None,
            )
            .exclude(source=OWN_SOURCE)
            .order_by("care_unit_id", "kva", "-day", "source")
            .distinct("care_unit_id", "kva")
            .values_list("care_unit_id", "kva", "median_days")
        )
        return {(unit, kva): days for unit, kva, days in rows if (unit, kva) in self.named}
