"""How many places there are: every cap of lines and contracts as they stand, as limits."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from capacity.allocation.problem import Limit
from contracts.models import Capped, ContractLine, PeriodCap


def limits_of(lines: Sequence[ContractLine], *, day: date) -> tuple[Limit, ...]:
    """What is left ``day`` of the caps on the lines, their contracts and the periods of ``day``.

    The one place that tells how many places there are: free slots of a unit are one more limit
    over the lines there. A cap that does not limit is left out.
    """
    limits = (*_own(lines), *_of_periods(lines, day=day))
    return tuple(m for m in limits if m.places is not None or m.sek is not None)


def _own(lines: Sequence[ContractLine]) -> Iterable[Limit]:
    for line in lines:
        yield _limit(line, line_name(line), [line])
    for together in _by_contract(lines).values():
        contract = together[0].contract
        yield _limit(contract, contract.number, together)


def _of_periods(lines: Sequence[ContractLine], *, day: date) -> Iterable[Limit]:
    """The caps per period that hold ``day``, in two questions."""
    of_line, of_contract = {line.pk: line for line in lines}, _by_contract(lines)
    caps = PeriodCap.objects.on(day)
    for cap in caps.filter(line__in=of_line):
        line = of_line[cap.line_id]  # type: ignore[index]
        yield _limit_of_period(cap, line_name(line), [line])
    for cap in caps.filter(contract__in=of_contract):
        together = of_contract[cap.contract_id]  # type: ignore[index]
        yield _limit_of_period(cap, together[0].contract.number, together)


def _by_contract(lines: Sequence[ContractLine]) -> dict[int, list[ContractLine]]:
    together: dict[int, list[ContractLine]] = {}
    for line in lines:
        together.setdefault(line.contract_id, []).append(line)
    return together


def _limit(capped: Capped, name: str, lines: Sequence[ContractLine]) -> Limit:
    over = frozenset(line.pk for line in lines)
    return Limit(name=name, lines=over, places=capped.left_volume, sek=capped.left_sek)


def _limit_of_period(cap: PeriodCap, name: str, lines: Sequence[ContractLine]) -> Limit:
    taken_volume: int = cap.taken_volume  # type: ignore[attr-defined]
    taken_sek: Decimal = cap.taken_sek  # type: ignore[attr-defined]
    return Limit(
        name=f"{name}, {cap.get_period_display()}",
        lines=frozenset(line.pk for line in lines),
        places=None if cap.cap_volume is None else cap.cap_volume - taken_volume,
        sek=None if cap.cap_sek is None else cap.cap_sek - taken_sek,
    )


def line_name(line: ContractLine) -> str:
    return f"{line.care_unit.name}, {line.kva}, {line.contract.number}"
