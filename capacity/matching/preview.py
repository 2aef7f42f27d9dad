"""What other weights would do: an imagined patient at the region's seat, nobody's case."""

from datetime import date

from capacity.matching.landscape import Landscape
from capacity.matching.need import Need
from capacity.matching.scores import Weights
from capacity.matching.weights import Moved
from contracts.models import ContractLine
from organisations.models import Region

MOST = 20


def preview(region: Region, *, kva: str, weights: Weights, today: date) -> list[Moved]:
    """The best lines for the code with the weights, beside where they stand now.

    The patient is grown-up, of ASA class 1, and needs neither interpreter nor equipment.
    """
    landscape = Landscape.load([kva], today=today)
    need = Need.of_anybody(region, kva)
    before = {r.line.pk: (n, r.score) for n, r in enumerate(landscape.ranked(need), start=1)}
    after = landscape.reweighed(region.code, weights).ranked(need)
    return [
        Moved(one.line, rank, one.score, *before[one.line.pk])
        for rank, one in enumerate(after[:MOST], start=1)
    ]


def codes_of(region: Region, *, today: date) -> list[str]:
    """The codes of the lines that the region may use, those with most lines first."""
    counts: dict[str, int] = {}
    codes = ContractLine.objects.filter(
        contract__regions_allowed=region,
        contract__valid_from__lte=today,
        contract__valid_to__gte=today,
        is_active=True,
    ).values_list("kva", flat=True)
    for kva in codes:
        counts[kva] = counts.get(kva, 0) + 1
    return sorted(counts, key=lambda kva: (-counts[kva], kva))
