"""The answer to one need in words: who can, who cannot and why, and who has no contract."""

from dataclasses import dataclass
from datetime import date

from capacity.matching.filters import reasons, warnings
from capacity.matching.landscape import Landscape
from capacity.matching.need import Need
from capacity.matching.scores import (
    NATIONAL,
    Part,
    Weights,
    distance_tenths,
    of_unit,
    parts_of,
    tenths,
)
from capacity.matching.terms import Option, Quality, Wait
from contracts.models import ContractLine
from organisations.models import CareUnit


@dataclass(frozen=True)
class Match:
    """A contract line that can take the patient."""

    option: Option
    rank: int
    score: float
    distance_km: int
    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()

    @property
    def line(self) -> ContractLine:
        return self.option.line

    @property
    def wait_days(self) -> int | None:
        return self.option.wait.days if self.option.wait else None


@dataclass(frozen=True)
class LeftOut:
    """A contract line that cannot, with every reason."""

    line: ContractLine
    distance_km: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Uncontracted:
    """A unit that does the procedure but with which nobody has a contract: nothing to offer."""

    unit: CareUnit
    wait: Wait
    quality: Quality | None
    distance_km: int


@dataclass(frozen=True)
class Matching:
    """The answer to one need."""

    need: Need
    weights: Weights = NATIONAL
    matches: tuple[Match, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    uncontracted: tuple[Uncontracted, ...] = ()


def match(need: Need, *, today: date) -> Matching:
    """Rank the lines that cover the procedure; explain each rank and each one left out."""
    return answer(Landscape.load([need.kva], today=today, with_units=True), need)


def answer(landscape: Landscape, need: Need) -> Matching:
    """The same from a landscape that is at hand."""
    weights = landscape.weights(need.region)
    ranked = landscape.ranked(need)
    listed = {one.line.pk for one in ranked}
    return Matching(
        need,
        weights,
        tuple(
            Match(
                option=one.option,
                rank=rank,
                score=one.score,
                distance_km=one.km,
                parts=parts_of(one.option, one.km, region=need.region, weights=weights),
                warnings=tuple(warnings(one.option.terms, need)),
            )
            for rank, one in enumerate(ranked, start=1)
        ),
        _left_out(landscape, need, listed),
        _uncontracted(landscape, need, weights),
    )


def _left_out(landscape: Landscape, need: Need, listed: set[int]) -> tuple[LeftOut, ...]:
    found = []
    for option in landscape.options(need.kva):
        if option.line.pk not in listed:
            km = landscape.km(need, option.line.care_unit)
            found.append(LeftOut(option.line, km, tuple(reasons(option.terms, need, km))))
    found.sort(key=lambda one: (len(one.reasons), one.distance_km, one.line.pk))
    return tuple(found)


def _uncontracted(landscape: Landscape, need: Need, weights: Weights) -> tuple[Uncontracted, ...]:
    """Units without contract that the patient could reach, by wait, distance and quality."""
    found = []
    for unit in landscape.units:
        wait = landscape.wait(unit.pk, need.kva)
        if wait is None or unit.pk == need.sending_unit_id:
            continue
        km = landscape.km(need, unit)
        if need.max_distance_km is not None and km > need.max_distance_km:
            continue
        found.append(Uncontracted(unit, wait, landscape.quality(unit.pk, need.kva), km))
    found.sort(key=lambda one: (-_points(one, weights), one.distance_km, one.unit.pk))
    return tuple(found)


def _points(one: Uncontracted, weights: Weights) -> int:
    known = of_unit(one.wait, one.quality)
    return distance_tenths(weights.distance, one.distance_km) + sum(
        tenths(weights.of(key), lost) for key, lost in known.items()
    )
