"""The weights that each region has chosen."""

from capacity.matching.scores import Weights
from capacity.models import MatchingWeights


def all_weights() -> dict[str, Weights]:
    """The weights in force of the regions that have chosen their own."""
    newest = MatchingWeights.objects.order_by("region_id", "-version").distinct("region_id")
    return {row.region_id: weights_of(row) for row in newest}


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
