"""The ways out for many needs at once: the same hard filters as for one, asked once per kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from capacity.allocation.problem import Way
from capacity.distance import great_circle_km
from capacity.matching import Need, lines_for, refusals
from contracts.codes import covering_codes
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
    """Finds the ways of needs as of a day. Lines and answers are kept between needs."""

    def __init__(self, *, today: date, max_km: int | None = None) -> None:
        self._today, self._max_km = today, max_km
        self.lines: dict[int, ContractLine] = {}
        self._of_codes: dict[tuple[str, ...], list[ContractLine]] = {}
        self._possible: dict[Need, list[ContractLine]] = {}
        self._km: dict[tuple[Decimal, Decimal, int], int] = {}
        self._found: dict[Need, Reach] = {}

    def to(self, need: Need) -> Reach:
        """The lines that can take the need within the distance, where the wait is known.

        Nobody is sent to a line whose wait is unknown: it may be longer than at home.
        """
        if need not in self._found:
            self._found[need] = self._reach(need)
        return self._found[need]

    def _reach(self, need: Need) -> Reach:
        possible = self._lines_taking(need)
        near = [(line, km) for line in possible if self._near(km := self._distance(need, line))]
        ways = tuple(
            Way(line.pk, wait, km) for line, km in near if (wait := _wait_days(line)) is not None
        )
        if ways:
            return Reach(ways, None)
        if near:
            return Reach((), NoWay.UNKNOWN_WAIT)
        return Reach((), NoWay.TOO_FAR if possible else NoWay.NO_LINE)

    def _lines_taking(self, need: Need) -> list[ContractLine]:
        """Those that refuse nothing of the need. Where the patient lives is not asked here."""
        kind = replace(need, latitude=Decimal(0), longitude=Decimal(0), origin="")
        if kind not in self._possible:
            self._possible[kind] = [
                line
                for line in self._lines(need.kva)
                if not refusals(line, kind, today=self._today)
            ]
        return self._possible[kind]

    def _lines(self, kva: str) -> list[ContractLine]:
        codes = tuple(covering_codes(kva))
        if codes not in self._of_codes:
            lines = list(lines_for(kva, today=self._today))
            self._of_codes[codes] = lines
            self.lines |= {line.pk: line for line in lines}
        return self._of_codes[codes]

    def _distance(self, need: Need, line: ContractLine) -> int:
        key = (need.latitude, need.longitude, line.care_unit_id)
        if key not in self._km:
            self._km[key] = great_circle_km(
                need.latitude, need.longitude, line.care_unit.latitude, line.care_unit.longitude
            )
        return self._km[key]

    def _near(self, km: int) -> bool:
        return self._max_km is None or km <= self._max_km


def _wait_days(line: ContractLine) -> int | None:
    wait: int | None = line.wait_days  # type: ignore[attr-defined]
    return wait


def used_lines(
    lines: Mapping[int, ContractLine], ways: Iterable[tuple[Way, ...]]
) -> list[ContractLine]:
    """The lines that anybody could go to."""
    keys = {way.line for those in ways for way in those}
    return [lines[key] for key in sorted(keys)]
