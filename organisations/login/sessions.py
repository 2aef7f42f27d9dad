"""How long a session lasts: 15 minutes without a sign of the person, half a day in all.

The sign of a person is a page, a form, or a request of a part of a page that the page's script
vouches for (``PERSON_HEADER``): what a page fetches by itself keeps no session alive.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from organisations.models import ApiToken, User

# The assignments that the login's commission allows (primary keys); missing when it names none.
LOGIN_ASSIGNMENTS = "login_assignments"
PERSON_HEADER = "X-Person-Active"
_BEGAN, _ACTIVE = "session_began", "session_active"
# Each sign of the person need not be written down: the session may end this much early.
WRITE_STEP = timedelta(seconds=20)
SWEEP_LIMIT = 1000


class Ended(StrEnum):
    IDLE = "idle"
    TOO_LONG = "too_long"


@dataclass(frozen=True)
class SessionClock:
    """When a session began and when its person was last seen."""

    began: datetime
    active: datetime

    @classmethod
    def of(cls, session: SessionBase) -> "SessionClock | None":
        try:
            began = datetime.fromisoformat(session[_BEGAN])
            return cls(began, datetime.fromisoformat(session[_ACTIVE]))
        except (KeyError, TypeError, ValueError):
            return None

    def ends_at(self) -> datetime:
        return min(self.active + settings.SESSION_IDLE, self.began + settings.SESSION_LONGEST)

    def ended(self, now: datetime) -> Ended | None:
        if now >= self.began + settings.SESSION_LONGEST:
            return Ended.TOO_LONG
        return Ended.IDLE if now >= self.active + settings.SESSION_IDLE else None

    def seconds_left(self, now: datetime) -> int:
        return max(0, int((self.ends_at() - now).total_seconds()))


def begin(session: SessionBase, *, now: datetime) -> None:
    """Start the session's clock, at login."""
    session[_BEGAN] = session[_ACTIVE] = now.isoformat()


def start_clock_at_login(
    sender: object, request: HttpRequest, user: AbstractBaseUser, **_kwargs: object
) -> None:
    """Receiver of Django's ``user_logged_in``: whatever way a login goes, its clock starts."""
    begin(request.session, now=timezone.now())


def touch(session: SessionBase, *, now: datetime) -> None:
    """The person has been seen."""
    clock = SessionClock.of(session)
    step = min(WRITE_STEP, settings.SESSION_IDLE / 20)
    if clock is None or now - clock.active >= step:
        session[_ACTIVE] = now.isoformat()


def shows_a_person(request: HttpRequest) -> bool:
    """Whether the request comes of something a person did."""
    if request.headers.get("HX-Request"):
        return request.headers.get(PERSON_HEADER) == "1"
    return True


@transaction.atomic
def end_everywhere(user: User) -> None:
    """End all the user's sessions, wherever they are, and all tokens the user has."""
    User.objects.filter(pk=user.pk).update(login_epoch=F("login_epoch") + 1)
    ApiToken.objects.filter(user=user).delete()


def sweep_sessions(*, now: datetime) -> int:
    """Delete sessions and tokens whose time is over."""
    old = Session.objects.filter(expire_date__lt=now).values("pk")[:SWEEP_LIMIT]
    sessions, _rows = Session.objects.filter(pk__in=old).delete()
    tokens, _rows = ApiToken.objects.filter(expiry__lt=now).delete()
    return sessions + tokens
