"""The patient's visit in the browser's session: first the code, then who the person is.

A session is a patient's or a member of staff's, never both: the right code ends the one that staff
had, a login of staff ends the visit, and the clock is the same (organisations.login.sessions).
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import logout
from django.http import HttpRequest

from organisations.login.sessions import SessionClock, begin, touch

_VISIT = "own_page"


@dataclass(frozen=True)
class Visit:
    """Whose page; ``case_id`` is 0 until the person has proved to be the patient."""

    number: str
    serial: int
    case_id: int = 0


def begin_visit(request: HttpRequest, *, number: str, serial: int, now: datetime) -> None:
    """The code was right."""
    if request.user.is_authenticated:
        logout(request)
    _keep(request, Visit(number, serial), now=now)


def let_in(request: HttpRequest, visit: Visit, *, case_id: int, now: datetime) -> None:
    """The person is the patient."""
    _keep(request, Visit(visit.number, visit.serial, case_id), now=now)


def visit_of(request: HttpRequest, *, now: datetime) -> Visit | None:
    """The visit that has not ended; being asked for is a sign of the person."""
    kept = request.session.get(_VISIT)
    clock = SessionClock.of(request.session)
    if request.user.is_authenticated or not isinstance(kept, dict) or clock is None:
        return None
    if clock.ended(now):
        leave(request)
        return None
    touch(request.session, now=now)
    return Visit(**kept)


def has_visit(request: HttpRequest) -> bool:
    """Whether there was one, ended or not."""
    return _VISIT in request.session


def leave(request: HttpRequest) -> None:
    request.session.flush()


def end_visit_at_login(sender: object, request: HttpRequest, **_kwargs: object) -> None:
    """Receiver of Django's ``user_logged_in``: the browser is a member of staff's now."""
    request.session.pop(_VISIT, None)


def _keep(request: HttpRequest, visit: Visit, *, now: datetime) -> None:
    request.session.cycle_key()
    request.session[_VISIT] = {
        "number": visit.number,
        "serial": visit.serial,
        "case_id": visit.case_id,
    }
    begin(request.session, now=now)
