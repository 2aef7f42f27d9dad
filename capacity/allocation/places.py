"""How many places there are: every cap of lines and contracts as they stand, as limits."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from capacity.allocation.problem import Limit
from contracts.models import ContractLine


def limits_of(lines: Sequence[ContractLine], *, day: date) -> tuple[Limit, ...]:
    """What is left ``day`` of the caps on the lines, their contracts and the periods of ``day``.

    The one place that tells how many places there are: free slots of a unit are one more limit
    of the lines there. Lines come from :func:`capacity.matching.lines_for`.
    """
    return tuple(limit for limit in _limits(lines, day=day) if not _is_open(limit))


def _limits(lines: Sequence[ContractLine], *, day: date) -> Iterable[Limit]:
    of_contract: dict[int, list[ContractLine]] = {}
    for line in lines:
        of_contract.setdefault(line.contract_id, []).append(line)
        yield from _caps(line, f"{line.contract.number} {line.kva} {line.care_unit.name}", [line])
    for together in of_contract.values():
        contract = together[0].contract
        yield from _caps(contract, contract.number, together)


def _caps(capped: Any, name: str, lines: Sequence[ContractLine]) -> Iterable[Limit]:
    """The cap of a line or contract and those per period, over its lines."""
    over = frozenset(line.pk for line in lines)
    yield Limit(name=name, lines=over, places=capped.left_volume, sek=capped.left_sek)
    for cap in capped.current_periods:
        yield Limit(
            name=f"{name}, {cap.get_period_display()}",
            lines=over,
            places=None if cap.cap_volume is None else cap.cap_volume - cap.taken_volume,
            sek=None if cap.cap_sek is None else cap.cap_sek - cap.taken_sek,
        )


def _is_open(limit: Limit) -> bool:
    return limit.places is None and limit.sek is None
