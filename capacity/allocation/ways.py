"""The ways out for many needs at once: the matching's own hard filters, from one landscape."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from capacity.allocation.problem import Way
from capacity.matching import Landscape, Need
from contracts.models import ContractLine


class NoWay(StrEnum):
    """Why a need has no way out, as far as the lines tell."""

    NO_LINE = "no_line"
    TOO_FAR = "too_far"
    UNKNOWN_WAIT = "unknown_wait"


@dataclass(frozen=True)
class Reach:
    """The lines that can take a need, and why there are none when there are none."""

    ways: tuple[Way, ...]
    why_none: NoWay | None


class Ways:
    """Finds the ways of needs as of a day. The answer to a need is kept for those with the same."""

    def __init__(self, codes: Collection[str], *, today: date, max_km: int | None = None) -> None:
        self._landscape = Landscape.load(codes, today=today)
        self._max_km = max_km
        self._found: dict[Need, Reach] = {}
        self.lines: dict[int, ContractLine] = {}

    def to(self, need: Need) -> Reach:
        """The lines that can take the need within the distance, where the wait is known.

        The limit is the nearer of the patient's own and the run's. Nobody is sent to a line whose
        wait is unknown: it may be longer than at home.
        """
        limits = [km for km in (need.max_distance_km, self._max_km) if km is not None]
        kind = replace(
            need, origin="", sending_unit_id=None, max_distance_km=min(limits, default=None)
        )
        if kind not in self._found:
            self._found[kind] = self._reach(kind)
        return self._found[kind]

    def _reach(self, need: Need) -> Reach:
        near = self._landscape.ranked(need)
        ways = tuple(
            Way(one.line.pk, wait.days, one.km) for one in near if (wait := one.option.wait)
        )
        if ways:
            self.lines |= {one.line.pk: one.line for one in near}
            return Reach(ways, None)
        if near:
            return Reach((), NoWay.UNKNOWN_WAIT)
        anywhere = self._landscape.ranked(replace(need, max_distance_km=None))
        return Reach((), NoWay.TOO_FAR if anywhere else NoWay.NO_LINE)
