"""How many places there are: every cap as it stands and what units have room for, as limits."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from capacity.allocation.problem import Limit
from capacity.models import FreeCapacity
from contracts.codes import covering_codes
from contracts.models import Capped, ContractLine, PeriodCap


def limits_of(lines: Sequence[ContractLine], *, day: date) -> tuple[Limit, ...]:
    """What is left ``day`` of the caps on the lines, their contracts and the periods of ``day``,
    and of the free places that units have posted.

    A unit that has posted places for a code which may still be booked has said what it has room
    for: it gets no more, whatever its contract allows. One that has posted none is held by the
    caps alone. A cap that does not limit is left out.
    """
    limits = (*_own(lines), *_of_periods(lines, day=day), *_of_slots(lines, day=day))
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


def _of_slots(lines: Sequence[ContractLine], *, day: date) -> Iterable[Limit]:
    """One limit for the lines at a unit that the same slots are for."""
    posted: dict[int, list[FreeCapacity]] = {}
    for slot in FreeCapacity.objects.filter(
        care_unit__in={line.care_unit_id for line in lines},
        withdrawn_at__isnull=True,
        book_by__gte=day,
    ).order_by("pk"):
        posted.setdefault(slot.care_unit_id, []).append(slot)
    together: dict[tuple[FreeCapacity, ...], list[ContractLine]] = {}
    for line in lines:
        codes = covering_codes(line.kva)
        slots = tuple(s for s in posted.get(line.care_unit_id, ()) if s.kva in codes)
        if slots:
            together.setdefault(slots, []).append(line)
    for slots, of_slots in together.items():
        yield Limit(
            name=_("%(unit)s, %(kva)s, lediga platser")
            % {"unit": of_slots[0].care_unit.name, "kva": of_slots[0].kva},
            lines=frozenset(line.pk for line in of_slots),
            places=sum(slot.left for slot in slots),
            sek=None,
        )


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
