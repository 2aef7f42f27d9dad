"""From a case to what matching needs, and back."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from capacity.matching import Landscape, Matching, Need, match, refusals
from capacity.models import FreeCapacity
from capacity.slots.selectors import slot_refusals, slots_beside
from contracts.codes import covering_codes
from contracts.models import ContractLine
from organisations.errors import WrongState
from referral.models import Case


def need_of(case: Case, *, today: date) -> Need:
    """The case's need; distance from the home municipality, else the region's seat."""
    patient, region, form = case.patient, case.region, case.form
    home = patient.municipality or region
    origin = patient.municipality.name if patient.municipality else region.seat_town
    return Need(
        region=case.region_id,
        kva=case.kva,
        asa=case.asa,
        age=patient.age_at(today),
        latitude=home.latitude,
        longitude=home.longitude,
        origin=origin,
        max_distance_km=form.max_distance_km,
        language=form.interpreter,
        equipment=frozenset(form.equipment),
        sending_unit_id=case.sending_unit_id,
    )


def matching_for(case: Case, *, today: date) -> Matching:
    """The ranked providers for the case and those left out, with reasons."""
    return match(need_of(case, today=today), today=today)


def placed(case: Case, line: ContractLine, *, today: date) -> dict[str, Any]:
    """Where the line stands for the case: what the log keeps of why it was offered.

    Raises :class:`WrongState` unless the line passes every hard filter. ``weights`` names the
    weights that were used (:attr:`Weights.label`).
    """
    need = need_of(case, today=today)
    landscape = Landscape.load([case.kva], today=today)
    ranked = landscape.ranked(need)
    for rank, one in enumerate(ranked, start=1):
        if one.line.pk == line.pk:
            weights = landscape.weights(need.region).label
            return {"rank": rank, "of": len(ranked), "score": one.score, "weights": weights}
    reasons = refusals(line, need, today=today)
    if line.kva not in covering_codes(case.kva):
        reasons.insert(0, _("Avropsraden gäller en annan åtgärd."))
    if reasons:
        raise WrongState(" ".join(reasons), code="line_does_not_match")
    return {}  # the last place went since the line was read: the database decides


def refuse_unless_slot_fits(
    case: Case, line: ContractLine, slot: FreeCapacity, *, today: date
) -> None:
    """Raise :class:`WrongState` unless the slot is the line's unit's and for such a patient."""
    reasons = slot_refusals(slot, need_of(case, today=today), today=today)
    if slot.care_unit_id != line.care_unit_id:
        reasons.insert(0, _("De lediga platserna finns på en annan enhet."))
    if reasons:
        raise WrongState(" ".join(reasons), code="slot_does_not_match")


def free_places(case: Case, units: Iterable[int], *, today: date) -> dict[int, list[FreeCapacity]]:
    """The free places at the units that are for such a patient, by unit."""
    return slots_beside(units, need_of(case, today=today), today=today)


def with_free_places(case: Case, matching: Matching, *, today: date) -> None:
    """Put the free places beside each ranked line, as ``line.slots``."""
    lines = [match.line for match in matching.matches]
    beside = free_places(case, (line.care_unit_id for line in lines), today=today)
    for line in lines:
        line.slots = beside.get(line.care_unit_id, [])  # type: ignore[attr-defined]
