"""The weights that each region has chosen, and what others would do to a ranking."""

from dataclasses import dataclass

from django.db.models import QuerySet

from capacity.matching.scores import NATIONAL, Weights
from capacity.models import MatchingWeights
from contracts.models import ContractLine


@dataclass(frozen=True)
class Moved:
    """A line's place in a ranking now and with other weights."""

    line: ContractLine
    rank: int
    score: float
    rank_before: int
    score_before: float

    @property
    def steps(self) -> int:
        """How many places up; negative is down."""
        return self.rank_before - self.rank

    @property
    def steps_down(self) -> int:
        return -self.steps


def all_weights() -> dict[str, Weights]:
    """The weights in force of the regions that have chosen their own."""
    newest = MatchingWeights.objects.order_by("region_id", "-version").distinct("region_id")
    return {row.region_id: weights_of(row) for row in newest}


def weights_in_force(region: str) -> Weights:
    row = history_of(region).first()
    return weights_of(row) if row else NATIONAL


def history_of(region: str) -> QuerySet[MatchingWeights]:
    """All that the region has chosen, newest first."""
    return MatchingWeights.objects.filter(region_id=region).order_by("-version")


def weights_of(row: MatchingWeights) -> Weights:
    return Weights(
        wait=row.wait,
        distance=row.distance,
        price=row.price,
        quality=row.quality,
        contract=row.contract,
        region=row.region_id,
        version=row.version,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )
