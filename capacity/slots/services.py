"""What a provider does with its free places, and how an offer takes one of them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.models import FreeCapacity, TakenPlace
from capacity.slots.selectors import units_of
from contracts.codes import validate_kva
from contracts.models import CallOff
from contracts.services.registry import invalid
from organisations.access import Actor
from organisations.errors import CapReached, InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import CareUnit

FIELDS = (
    *("kva", "first_day", "last_day", "offered", "asa_ceiling", "age_min", "age_max"),
    *("book_by", "contact", "note"),
)
# What cannot be another once somebody has been promised a place.
PROMISED = ("kva", "first_day", "last_day")
MOST_AHEAD = timedelta(days=2 * 366)
OLDEST, MOST_PLACES = 120, 999


@transaction.atomic
def post_slot(
    values: Mapping[str, Any], *, care_unit: CareUnit, actor: Actor, now: datetime
) -> FreeCapacity:
    """Post free places at one of the actor's own units.

    ``values`` holds :data:`FIELDS`; ``first_day`` is a Monday, ``last_day`` a Sunday. Raises
    :class:`InvalidInput` with the fields at fault, also when the same places are posted already.
    """
    _refuse_unless_own(care_unit, actor)
    if not (care_unit.is_active and care_unit.receives):
        text = _("Enheten tar inte emot patienter.")
        raise InvalidInput(text, fields={"care_unit": text})
    slot = FreeCapacity(care_unit=care_unit, posted_at=now, posted_by=actor.name[:120])
    _fill(slot, values, today=timezone.localdate(now))
    emit("free_capacity.posted", now=now, payload={"slot": slot.pk})
    return slot


@transaction.atomic
def change_slot(
    slot: FreeCapacity, values: Mapping[str, Any], *, actor: Actor, now: datetime
) -> FreeCapacity:
    """Change what is posted. More places, or places for more patients, are told at once.

    Raises :class:`InvalidInput`, among others for fewer places than are taken, and
    :class:`WrongState` for other weeks or another code once a place is taken.
    """
    locked = _locked(slot, actor=actor)
    before = {name: getattr(locked, name) for name in FIELDS}
    moved = [name for name in PROMISED if name in values and values[name] != before[name]]
    if locked.taken and moved:
        raise WrongState(
            _("Platser är redan tagna. Åtgärd och veckor kan inte ändras."), code="slot_taken"
        )
    locked.changed_at, locked.changed_by = now, actor.name[:120]
    _fill(locked, values, today=timezone.localdate(now))
    if moved or _is_wider(before, locked):
        emit("free_capacity.raised", now=now, payload={"slot": locked.pk})
    return locked


@transaction.atomic
def withdraw_slot(slot: FreeCapacity, *, actor: Actor, now: datetime) -> FreeCapacity:
    """Take back the places that nobody has taken; those that are taken stay promised."""
    locked = _locked(slot, actor=actor)
    locked.withdrawn_at, locked.withdrawn_by = now, actor.name[:120]
    locked.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return locked


@transaction.atomic
def take_place(slot: FreeCapacity, *, call_off: CallOff, today: date) -> TakenPlace:
    """Take a place for a call-off that is reserved in the same transaction.

    Raises :class:`WrongState` when the slot can no longer be booked and :class:`CapReached` when
    no place is left; the database is the judge. The place comes back with the call-off.
    """
    locked = FreeCapacity.objects.select_for_update(no_key=True).get(pk=slot.pk)
    if locked.withdrawn_at is not None or locked.book_by < today:
        raise WrongState(_("De lediga platserna går inte att boka längre."), code="slot_closed")
    try:
        with transaction.atomic():
            return TakenPlace.objects.create(slot=locked, call_off=call_off)
    except IntegrityError as error:
        raise CapReached(_("De lediga platserna är slut."), code="slot_full") from error


def _refuse_unless_own(unit: CareUnit, actor: Actor) -> None:
    if not units_of(actor).filter(pk=unit.pk).exists():
        raise NotAllowed(_("Bara vårdgivaren själv lägger upp och ändrar sina lediga platser."))


def _locked(slot: FreeCapacity, *, actor: Actor) -> FreeCapacity:
    _refuse_unless_own(slot.care_unit, actor)
    locked = (
        FreeCapacity.objects.select_related("care_unit")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=slot.pk)
    )
    if locked.withdrawn_at is not None:
        raise WrongState(_("Platserna är redan återtagna."), code="slot_withdrawn")
    return locked


def _fill(slot: FreeCapacity, values: Mapping[str, Any], *, today: date) -> None:
    """Set the fields that ``values`` names, check the row and store it. ``taken`` is not ours."""
    for name in FIELDS:
        if name in values:
            setattr(slot, name, values[name])
    _check(slot, today=today)
    try:
        slot.full_clean()
        with transaction.atomic():
            slot.save(update_fields=[*FIELDS, "changed_at", "changed_by"] if slot.pk else None)
    except ValidationError as error:
        raise invalid(error) from error
    except IntegrityError as error:  # lost a race that full_clean could not see
        raise InvalidInput(_("Uppgifterna strider mot något som redan finns.")) from error


def _check(slot: FreeCapacity, *, today: date) -> None:
    """What a person can mend, said at its field."""
    problems: dict[str, Any] = {}
    try:
        validate_kva(slot.kva)
    except ValidationError as error:
        problems["kva"] = error.messages[0]
    if slot.last_day < slot.first_day:
        problems["last_day"] = _("Den sista veckan ligger före den första.")
    elif slot.last_day < today:
        problems["last_day"] = _("Veckan har passerat.")
    elif slot.last_day > today + MOST_AHEAD:
        problems["last_day"] = _("Veckan ligger mer än två år framåt.")
    if slot.book_by < today:
        problems["book_by"] = _("Dagen har passerat.")
    elif slot.book_by > slot.last_day:
        problems["book_by"] = _("Sista dag att boka ligger efter den sista veckan.")
    if slot.pk and slot.offered < slot.taken:
        problems["offered"] = _("%(n)s platser är redan tagna.") % {"n": slot.taken}
    elif not 1 <= slot.offered <= MOST_PLACES:
        problems["offered"] = _("Antalet platser är 1–999.")
    if not 1 <= slot.asa_ceiling <= 4:
        problems["asa_ceiling"] = _("ASA-klassen är 1–4.")
    for name in ("age_min", "age_max"):
        age = getattr(slot, name)
        if age is not None and not 0 <= age <= OLDEST:
            problems[name] = _("Åldern är 0–120 år.")
    if slot.age_min is not None and slot.age_max is not None and slot.age_min > slot.age_max:
        problems["age_max"] = _("Den högsta åldern är lägre än den lägsta.")
    if problems:
        raise InvalidInput(" ".join(map(str, problems.values())), fields=problems)


def _is_wider(before: Mapping[str, Any], after: FreeCapacity) -> bool:
    """Whether there is now room for somebody for whom there was none."""
    lowest, highest = before["age_min"] or 0, before["age_max"] or OLDEST
    return (
        after.offered > before["offered"]
        or after.book_by > before["book_by"]
        or after.asa_ceiling > before["asa_ceiling"]
        or (after.age_min or 0) < lowest
        or (after.age_max or OLDEST) > highest
    )
