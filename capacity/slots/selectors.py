"""Reads of free capacity that pages, API, matching and services share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from capacity.matching import Need, age_refusals, refusals
from capacity.models import FreeCapacity
from contracts.codes import covering_codes
from contracts.models import ContractLine
from contracts.selectors import with_current_periods
from organisations.access import Actor
from organisations.models import CareUnit, Region, Role


def units_of(actor: Actor) -> QuerySet[CareUnit]:
    """The units whose free places the actor answers for: the provider's own, or the one unit."""
    units = CareUnit.objects.all()
    if actor.role == Role.PROVIDER and actor.provider_id:
        units = units.filter(provider_id=actor.provider_id)
        return units.filter(pk=actor.care_unit_id) if actor.care_unit_id else units
    if actor.role == Role.INTEGRATION and actor.care_unit_id:
        return units.filter(pk=actor.care_unit_id)
    return units.none()


def slots_of(actor: Actor) -> QuerySet[FreeCapacity]:
    """What the actor has posted, the withdrawn and old too."""
    return _with_places(FreeCapacity.objects.filter(care_unit__in=units_of(actor)))


def open_slots(*, today: date) -> QuerySet[FreeCapacity]:
    """What can be booked today: not withdrawn, not past its last day, a place left."""
    return bookable(_with_places(FreeCapacity.objects.all()), today=today)


def bookable(slots: QuerySet[FreeCapacity], *, today: date) -> QuerySet[FreeCapacity]:
    return slots.filter(withdrawn_at__isnull=True, book_by__gte=today, taken__lt=F("offered"))


def _with_places(slots: QuerySet[FreeCapacity]) -> QuerySet[FreeCapacity]:
    return slots.select_related("care_unit__region", "care_unit__municipality")


def slot_refusals(slot: FreeCapacity, need: Need, *, today: date) -> list[str]:
    """Why a place of the slot is not for the patient; empty when it is. Beside the line's own."""
    reasons = []
    if slot.withdrawn_at is not None or slot.book_by < today:
        reasons.append(_("De lediga platserna går inte att boka längre."))
    elif slot.left < 1:
        reasons.append(_("De lediga platserna är slut."))
    if slot.kva not in covering_codes(need.kva):
        reasons.append(_("De lediga platserna gäller en annan åtgärd."))
    if need.asa > slot.asa_ceiling:
        reasons.append(
            _("De lediga platserna är för ASA %(ceiling)s som högst, patienten har ASA %(asa)s.")
            % {"ceiling": slot.asa_ceiling, "asa": need.asa}
        )
    reasons.extend(age_refusals(slot, need.age))
    return reasons


def slots_beside(units: Iterable[int], need: Need, *, today: date) -> dict[int, list[FreeCapacity]]:
    """The open slots that fit the patient, by unit, the earliest week first."""
    found = open_slots(today=today).filter(
        care_unit__in=set(units), kva__in=covering_codes(need.kva), asa_ceiling__gte=need.asa
    )
    beside: dict[int, list[FreeCapacity]] = {}
    for slot in found:
        if not slot_refusals(slot, need, today=today):
            beside.setdefault(slot.care_unit_id, []).append(slot)
    return beside


@dataclass(frozen=True)
class CallableLine:
    """The contract line that a slot can be called off on, or why it cannot."""

    line: ContractLine
    reasons: tuple[str, ...]


def lines_for(
    slots: Iterable[FreeCapacity], *, region: Region, today: date
) -> dict[int, CallableLine]:
    """By slot: a line that the region may call off on now, else one that it cannot and why.

    A slot without an entry lies at a unit that no contract for the code covers: avtal saknas.
    """
    slots = list(slots)
    lines = with_current_periods(
        lines_at(slots).filter(contract__regions_allowed=region, contract__valid_to__gte=today),
        day=today,
    )
    by_unit: dict[int, list[ContractLine]] = {}
    for line in lines:
        by_unit.setdefault(line.care_unit_id, []).append(line)
    found: dict[int, CallableLine] = {}
    for slot in slots:
        for line in by_unit.get(slot.care_unit_id, ()):
            if not covers(line, slot.kva):
                continue
            reasons = tuple(refusals(line, Need.of_anybody(region, slot.kva), today=today))
            if slot.pk not in found or not reasons:
                found[slot.pk] = CallableLine(line, reasons)
            if not reasons:
                break
    return found


def lines_at(slots: Iterable[FreeCapacity]) -> QuerySet[ContractLine]:
    """The lines at the slots' units, the cheapest first, with what matching reads of them."""
    return (
        ContractLine.objects.filter(care_unit__in={slot.care_unit_id for slot in slots})
        .select_related("contract__owner_region", "care_unit")
        .prefetch_related("contract__regions_allowed")
        .order_by("price_sek", "pk")
    )


def covers(line: ContractLine, kva: str) -> bool:
    """Whether some patient of the code can be sent on the line: either may be the group."""
    return line.kva in covering_codes(kva) or kva in covering_codes(line.kva)


def with_code(slots: QuerySet[FreeCapacity], kva: str) -> QuerySet[FreeCapacity]:
    """Slots for the code, or the group that it is in, or a code that it begins."""
    return slots.filter(Q(kva__in=covering_codes(kva)) | Q(kva__startswith=kva))
