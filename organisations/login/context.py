"""What the page's script must know of the session."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from organisations.login.sessions import SessionClock


def session_clock(request: HttpRequest) -> dict[str, Any]:
    """``session_clock``: seconds left, and how many before the end one is warned."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"session_clock": None}
    clock = SessionClock.of(request.session)
    if clock is None:
        return {"session_clock": None}
    return {
        "session_clock": {
            "seconds_left": clock.seconds_left(timezone.now()),
            "warning_seconds": int(settings.SESSION_WARNING.total_seconds()),
        }
    }
