"""Assignments: give, end, choose; people: change, shut off, let in again."""

from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, live_assignments
from organisations.administration.authority import (
    Place,
    assignments_ruled,
    elsewhere,
    people_ruled,
    require_administrator,
    require_may_give,
    require_rule_over,
    require_somebody_else,
)
from organisations.administration.checks import check_home, check_person, check_place
from organisations.administration.log import Verb, changes_of, record
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import ApiToken, Assignment, Role, User

# An end further off is a slip of the keyboard.
LONGEST_DAYS = 5 * 366


def give_assignment(
    person: User,
    *,
    role: str,
    place: Place,
    actor: Actor,
    now: datetime,
    last_day: date | None = None,
) -> Assignment:
    """Give somebody the actor knows a further assignment, from now.

    Raises :class:`NotAllowed` for oneself, for a role the actor may not give or a place somebody
    else rules over, :class:`WrongState` when the person has it already.
    """
    require_somebody_else(actor, person)
    require_may_give(actor, role, place)
    check_place(role, place)
    ends_at = end_of(last_day, now=now) if last_day else None
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=person.pk)
        if not people_ruled(actor).filter(pk=locked.pk).exists():
            raise NotAllowed(_("Bjud in personen med e-post; hen är ny i din region."))
        if not locked.is_active:
            raise WrongState(_("Personen är avstängd."), code="person_shut_off")
        made = assign(locked, role=role, place=place, now=now, ends_at=ends_at)
        record(
            Verb.ASSIGNMENT_GIVEN,
            actor=actor,
            now=now,
            subject=locked.name,
            region=place.ruling_region,
            person=locked,
            details=described(role, place) | {"till och med": last_day},
        )
    return made


def assign(
    person: User, *, role: str, place: Place, now: datetime, ends_at: datetime | None = None
) -> Assignment:
    """The row, in the caller's transaction, which holds a lock on the person."""
    same = Assignment.objects.unended(now=now).filter(user=person, role=role, **place.as_fields())
    if same.exists():
        raise WrongState(_("Personen har redan det uppdraget."), code="assignment_exists")
    return Assignment.objects.create(
        user=person, role=role, starts_at=now, ends_at=ends_at, **place.as_fields()
    )


def described(role: str, place: Place) -> dict[str, object]:
    return {"roll": Role(role).label, "plats": str(place)}


def end_of(day: date, *, now: datetime) -> datetime:
    """Midnight after the day, Europe/Stockholm; refuses a day that has been or is far off."""
    today = timezone.localdate(now)
    if not today <= day <= today + timedelta(days=LONGEST_DAYS):
        text = _("Sista dagen ska vara i dag eller senare, högst fem år fram.")
        raise InvalidInput(text, fields={"last_day": text})
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def end_assignment(
    assignment: Assignment, *, actor: Actor, now: datetime, last_day: date | None = None
) -> Assignment:
    """End it now, or after ``last_day``; an end that is still to come may be moved.

    Raises :class:`WrongState` when it has ended, and when it would leave a region without an
    administrator or the installation without an operator.
    """
    require_administrator(actor)
    ends_at = end_of(last_day, now=now) if last_day else now
    with transaction.atomic():
        others = _administrators_like([assignment])
        locked = Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
        require_rule_over(actor, Place.of(locked))
        if locked.ends_at and locked.ends_at <= now:
            raise WrongState(_("Uppdraget är redan avslutat."), code="assignment_ended")
        _keep_an_administrator(others, without=[locked], now=now)
        locked.ends_at = max(ends_at, locked.starts_at + timedelta(microseconds=1))
        locked.save(update_fields=["ends_at"])
        record(
            Verb.ASSIGNMENT_ENDED,
            actor=actor,
            now=now,
            subject=locked.user.name,
            region=Place.of(locked).ruling_region,
            person=locked.user,
            details=described(locked.role, Place.of(locked)) | {"till och med": last_day or "nu"},
        )
    return locked


def choose_assignment(user: User, *, assignment_id: int, now: datetime) -> Assignment:
    """The live assignment of the user's own with that id, to work in from now."""
    for one in live_assignments(user, now=now):
        if one.pk == assignment_id:
            return one
    text = _("Uppdraget gäller inte längre.")
    raise InvalidInput(text, fields={"assignment": text})


def change_person(
    person: User,
    *,
    name: str,
    email: str,
    hsa_id: str,
    home_street: str = "",
    home_postal_code: str = "",
    actor: Actor,
    now: datetime,
) -> User:
    """Correct a person's details; only who answers for all of their assignments.

    That the home address was changed stands in the history, and not what it is.
    """
    require_somebody_else(actor, person)
    check_person(name=name, email=email, hsa_id=hsa_id)
    home = check_home(street=home_street, postal_code=home_postal_code)
    new = {"name": name.strip(), "email": email.strip(), "hsa_id": hsa_id or None}
    try:
        with transaction.atomic():
            locked = _whole_person(person, actor=actor, now=now)
            changes = changes_of(locked, new)
            if any(getattr(locked, field) != value for field, value in home.items()):
                changes[_("hemadress")] = _("ändrad") if any(home.values()) else _("borttagen")
            for field, value in (new | home).items():
                setattr(locked, field, value)
            locked.save(update_fields=[*new, *home, "home_hash"])
            if changes:
                record(
                    Verb.PERSON_CHANGED,
                    actor=actor,
                    now=now,
                    subject=locked.name,
                    region=actor.region,
                    person=locked,
                    details=changes,
                )
    except IntegrityError as error:
        text = _("HSA-id:t hör redan till en annan person.")
        raise InvalidInput(text, fields={"hsa_id": text}) from error
    return locked


def shut_off(person: User, *, why: str, actor: Actor, now: datetime) -> User:
    """Let the person in no more: sessions and API tokens serve no longer, from the next request.

    Assignments stay as they are, so that letting in again gives back what was.
    """
    require_somebody_else(actor, person)
    reason = why.strip()
    if not reason:
        text = _("Skriv varför personen stängs av.")
        raise InvalidInput(text, fields={"why": text})
    with transaction.atomic():
        held = list(
            Assignment.objects.unended(now=now)
            .filter(user=person, role__in=[Role.REGION_ADMIN, Role.OPERATOR])
            .order_by("pk")
        )
        others = _administrators_like(held)
        locked = _whole_person(person, actor=actor, now=now)
        if not locked.is_active:
            raise WrongState(_("Personen är redan avstängd."), code="person_shut_off")
        _keep_an_administrator(others, without=held, now=now)
        locked.is_active = False
        locked.save(update_fields=["is_active"])
        ApiToken.objects.filter(user=locked).delete()
        _record_person(Verb.PERSON_SHUT_OFF, locked, actor=actor, now=now, why=reason[:300])
    return locked


def let_in(person: User, *, actor: Actor, now: datetime) -> User:
    """Let a person who was shut off in again."""
    require_somebody_else(actor, person)
    with transaction.atomic():
        locked = _whole_person(person, actor=actor, now=now)
        if locked.is_active:
            raise WrongState(_("Personen är inte avstängd."), code="person_let_in")
        locked.is_active = True
        locked.save(update_fields=["is_active"])
        _record_person(Verb.PERSON_LET_IN, locked, actor=actor, now=now)
    return locked


def _record_person(verb: Verb, person: User, *, actor: Actor, now: datetime, why: str = "") -> None:
    record(
        verb,
        actor=actor,
        now=now,
        subject=person.name,
        region=actor.region,
        person=person,
        details={"skäl": why},
    )


def _whole_person(person: User, *, actor: Actor, now: datetime) -> User:
    """Lock the person, whose every living assignment the actor must rule over."""
    require_administrator(actor)
    locked = User.objects.select_for_update().get(pk=person.pk)
    mine = assignments_ruled(actor).filter(user=locked)
    if actor.role != Role.OPERATOR and not mine.exists():
        raise NotAllowed(_("Personen hör inte till din region."))
    if Assignment.objects.unended(now=now).filter(elsewhere(actor), user=locked).exists():
        raise NotAllowed(
            _(
                "Personen har också uppdrag som du inte råder över. Avsluta uppdragen i din"
                " region, eller vänd dig till systemoperatören."
            )
        )
    return locked


def _administrators_like(ending: list[Assignment]) -> list[int]:
    """Lock, in one order for all, every administrator's assignment of the same kind and region.

    Two administrators who end each other's at once then come one after the other.
    """
    regions = {one.region_id for one in ending if one.role == Role.REGION_ADMIN}
    found = Assignment.objects.filter(role=Role.REGION_ADMIN, region__in=regions)
    if any(one.role == Role.OPERATOR for one in ending):
        found = found | Assignment.objects.filter(role=Role.OPERATOR)
    locked = found.order_by("pk").select_for_update(of=("self",))
    return list(locked.values_list("pk", flat=True))


def _keep_an_administrator(others: list[int], *, without: list[Assignment], now: datetime) -> None:
    """Each region keeps an administrator without an end in sight; so does the installation."""
    gone = {one.pk for one in without}
    lasting = Assignment.objects.live(now=now).filter(
        pk__in=set(others) - gone, ends_at__isnull=True, user__is_active=True
    )
    left = set(lasting.values_list("role", "region_id"))
    for one in without:
        if one.role == Role.REGION_ADMIN and (one.role, one.region_id) not in left:
            raise WrongState(
                _("Regionen skulle stå utan regionadministratör. Utse en till först."),
                code="last_administrator",
            )
        if one.role == Role.OPERATOR and all(role != Role.OPERATOR for role, _region in left):
            raise WrongState(
                _("Vårdlots skulle stå utan systemoperatör. Utse en till först."),
                code="last_administrator",
            )
