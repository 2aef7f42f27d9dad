"""Calls: asked for, booked, moved, cancelled, and how they ended.

One verb, one function, one transaction. The case is locked first, then the time, so that two who
book the same time at once meet there; that one time has one call, the database holds as well.
"""

import re
from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _

from notices.callbacks.models import PHONE_SHAPE, CallBack, PhoneTime
from notices.callbacks.times import locked_time
from notices.callbacks.verbs import VERBS
from organisations.access import PATIENT, Actor, as_product
from organisations.errors import InvalidInput, WrongState
from referral.machine import perform
from referral.models import Case, LogVerb
from referral.services.shared import required_text

MOST_DIGITS = 15
FEWEST_DIGITS = 5
State = CallBack.State


def ask_for_call(
    case: Case, *, about: str, actor: Actor, now: datetime, phone: str = "", channel: str = ""
) -> CallBack:
    """The patient wants to be called, whenever it suits: a to-do for the case's navigator.

    Asking again while a call is to come changes nothing and raises :class:`WrongState`. Without
    ``phone`` the patient's own number is called, if there is one. ``channel`` is where the patient
    asked.
    """
    number, what = _number(phone, case, needed=False), _about(about)

    def change(locked: Case) -> None:
        _refuse_second(locked)
        made.append(_new(locked, State.ASKED, number, what, actor=actor, now=now))

    made: list[CallBack] = []
    _do(case, LogVerb.CALL_ASKED, {"channel": channel}, change, actor=actor, now=now, why=what)
    return made[0]


def book_call(
    case: Case,
    *,
    time_id: int,
    about: str,
    actor: Actor,
    now: datetime,
    phone: str = "",
    channel: str = "",
) -> CallBack:
    """Book the patient on a free phone time of the region: by staff, or by the patient.

    The patient who asked to be called gets the time. Raises :class:`InvalidInput` at the field,
    also for a time that is no longer free, and :class:`WrongState` when a time is booked already.
    """
    number, what = _number(phone, case, needed=True), _about(about)

    def change(locked: Case) -> None:
        coming = _coming(locked)
        if coming is not None and coming.state == State.BOOKED:
            raise WrongState(_("Ärendet har redan en bokad uppringning. Flytta den i stället."))
        free = locked_time(time_id, region_id=locked.region_id, now=now)
        details["phone_time"] = free.when
        if coming is None:
            made.append(_new(locked, State.BOOKED, number, what, actor=actor, now=now, time=free))
            return
        coming.state, coming.time, coming.phone, coming.about = State.BOOKED, free, number, what
        coming.booked_at = now
        coming.save()
        made.append(coming)

    made: list[CallBack] = []
    details = {"channel": channel}
    _do(case, LogVerb.CALL_BOOKED, details, change, actor=actor, now=now, why=what)
    return made[0]


def rebook_call(call: CallBack, *, time_id: int, actor: Actor, now: datetime) -> CallBack:
    """Move a booked call to another free time; the one it had is free again."""

    def change(locked: Case) -> None:
        standing = _still(call, locked, State.BOOKED)
        details["phone_time"] = locked_time(time_id, region_id=locked.region_id, now=now).when
        standing.time_id = time_id
        standing.save(update_fields=["time"])

    details: dict[str, str] = {}
    _do(call.case, LogVerb.CALL_REBOOKED, details, change, actor=actor, now=now)
    return _again(call)


def cancel_call(call: CallBack, *, actor: Actor, now: datetime, reason: str = "") -> CallBack:
    """The patient is not to be called; the time is free again."""
    why = reason.strip()[:300]

    def change(locked: Case) -> None:
        standing = _still(call, locked, *CallBack.COMING)
        details.update(_time_of(standing))
        _end(standing, State.CANCELLED, why, actor=actor, now=now)

    details: dict[str, str] = {}
    _do(call.case, LogVerb.CALL_CANCELLED, details, change, actor=actor, now=now, why=why)
    return _again(call)


def call_done(call: CallBack, *, outcome: str, actor: Actor, now: datetime) -> CallBack:
    """The patient has been called; ``outcome`` says in a few words what came of it."""
    why = required_text(
        outcome, field="outcome", message=_("Skriv vad samtalet ledde till."), most=300
    )

    def change(locked: Case) -> None:
        standing = _still(call, locked, *CallBack.COMING)
        details.update(_time_of(standing))
        _end(standing, State.DONE, why, actor=actor, now=now)

    details: dict[str, str] = {}
    _do(call.case, LogVerb.CALL_DONE, details, change, actor=actor, now=now, why=why)
    return _again(call)


def call_missed(call: CallBack, *, actor: Actor, now: datetime, comment: str = "") -> CallBack:
    """Nobody answered: returns the new to-do, to call again or book another time."""
    why = comment.strip()[:300]

    def change(locked: Case) -> None:
        standing = _still(call, locked, *CallBack.COMING)
        details.update(_time_of(standing))
        number, tries = standing.phone, standing.tries + 1
        _end(standing, State.MISSED, why, actor=actor, now=now)
        made.append(
            CallBack.objects.create(
                case=locked,
                state=State.ASKED,
                phone=number,
                about=standing.about,
                booked_by=standing.booked_by,
                booked_by_user_id=standing.booked_by_user_id,
                booked_at=now,
                tries=tries,
            )
        )

    made: list[CallBack] = []
    details: dict[str, str] = {}
    _do(call.case, LogVerb.CALL_MISSED, details, change, actor=actor, now=now, why=why)
    return made[0]


def _do(
    case: Case,
    verb: LogVerb,
    details: dict[str, str],
    change: Callable[[Case], None],
    *,
    actor: Actor,
    now: datetime,
    why: str = "",
) -> None:
    perform(case, VERBS[verb], actor=actor, now=now, why=why, details=details, change=change)


def has_coming_call(case: Case) -> bool:
    """Whether the patient is to be called already."""
    with as_product("calls to come"):
        return case.call_backs.filter(state__in=CallBack.COMING).exists()


def is_number(text: str) -> bool:
    """Whether it can be called: a telephone number as people write it."""
    digits = sum(character.isdigit() for character in text)
    return bool(re.fullmatch(PHONE_SHAPE, text)) and FEWEST_DIGITS <= digits <= MOST_DIGITS


def _number(phone: str, case: Case, *, needed: bool) -> str:
    """What is to be called, else the patient's own number; :class:`InvalidInput` at the field."""
    number = phone.strip()
    if number and not is_number(number):
        text = _("Skriv ett telefonnummer, till exempel 070-123 45 67.")
        raise InvalidInput(text, fields={"phone": text})
    known = case.patient.phone.strip()
    number = number or (known if is_number(known) else "")
    if needed and not number:
        text = _("Skriv numret att ringa.")
        raise InvalidInput(text, fields={"phone": text})
    return number


def _about(text: str) -> str:
    message = _("Skriv vad samtalet gäller.")
    return required_text(text, field="about", message=message, most=200)


def _new(
    case: Case,
    state: CallBack.State,
    phone: str,
    about: str,
    *,
    actor: Actor,
    now: datetime,
    time: PhoneTime | None = None,
) -> CallBack:
    by = CallBack.By.PATIENT if actor.role == PATIENT else CallBack.By.STAFF
    return CallBack.objects.create(
        case=case,
        time=time,
        state=state,
        phone=phone,
        about=about,
        booked_by=by,
        booked_by_user_id=actor.user_id,
        booked_at=now,
    )


def _coming(locked: Case) -> CallBack | None:
    """Whoever changes a call holds the case."""
    coming = locked.call_backs.filter(state__in=CallBack.COMING)
    return coming.select_for_update(of=("self",)).first()


def _refuse_second(locked: Case) -> None:
    if _coming(locked) is not None:
        raise WrongState(_("Patienten ska redan ringas upp."), code="call_coming")


def _still(call: CallBack, locked: Case, *states: CallBack.State) -> CallBack:
    standing = locked.call_backs.select_for_update(of=("self",)).filter(pk=call.pk).first()
    if standing is None or standing.state not in states:
        raise WrongState(_("Det går inte längre. Uppringningen har ändrats."))
    return standing


def _time_of(call: CallBack) -> dict[str, str]:
    return {"phone_time": call.time.when} if call.time else {}


def _end(
    call: CallBack, state: CallBack.State, outcome: str, *, actor: Actor, now: datetime
) -> None:
    call.state, call.outcome, call.phone = state, outcome, ""
    call.ended_at, call.ended_by_id = now, actor.user_id
    call.save()


def _again(call: CallBack) -> CallBack:
    call.refresh_from_db()
    return call
