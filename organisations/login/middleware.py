"""Ends sessions in time, and keeps what was typed when it does."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from organisations.access import actor_for
from organisations.login import kept
from organisations.login.sessions import (
    LOGIN_ASSIGNMENTS,
    Ended,
    SessionClock,
    begin,
    shows_a_person,
    touch,
)
from organisations.models import User

# The page's script asks here by itself; the view that prolongs the session does so itself.
SILENT_PATHS = ("/session/", "/static/")


class SessionClockMiddleware:
    """Stands before ActorMiddleware: whose session is over is nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        now = timezone.now()
        clock = SessionClock.of(request.session)
        if clock is None:
            begin(request.session, now=now)
        elif (ended := clock.ended(now)) is not None:
            return self._end(request, ended)
        elif shows_a_person(request) and not request.path.startswith(SILENT_PATHS):
            touch(request.session, now=now)
        response = self.get_response(request)
        if _was_sent(request, response) and getattr(request, "actor", None):
            kept.forget(request.actor, action=request.path)  # type: ignore[attr-defined]
        # Whoever comes to the browser next must not find the pages by the back button.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _end(self, request: HttpRequest, ended: Ended) -> HttpResponse:
        was_kept = self._keep_typed(request)
        back = _page_of(request)
        logout(request)
        if request.path.startswith(("/api/", *SILENT_PATHS)):
            return self.get_response(request)
        messages.info(request, _why(ended, was_kept=was_kept))
        address = reverse("login") + (f"?{urlencode({'next': back})}" if back else "")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"HX-Redirect": address})
        if request.method == "POST":
            return redirect(address)
        return self.get_response(request)

    def _keep_typed(self, request: HttpRequest) -> bool:
        """Keep a form that came too late, for the person whose session it was."""
        user = request.user
        if request.method != "POST" or not isinstance(user, User) or not kept.may_keep(request):
            return False
        now = timezone.now()
        actor = actor_for(user, now=now, within=request.session.get(LOGIN_ASSIGNMENTS))
        return actor is not None and kept.keep(
            actor, action=request.path, fields=request.POST.dict(), now=now
        )


def _was_sent(request: HttpRequest, response: HttpResponse) -> bool:
    """A form that was taken is answered by going on to another page."""
    return request.method == "POST" and response.status_code in {302, 303}


def _page_of(request: HttpRequest) -> str:
    """The page a person was on: its own address, or the one that a form or a part was sent from."""
    if request.method == "GET" and not request.headers.get("HX-Request"):
        return request.get_full_path()
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _why(ended: Ended, *, was_kept: bool) -> str:
    text = (
        _("Du loggades ut eftersom du inte hade gjort något på en stund.")
        if ended is Ended.IDLE
        else _("Du har varit inloggad så länge som en inloggning får vara. Logga in igen.")
    )
    return text + (" " + _("Det du skrev finns kvar när du har loggat in.") if was_kept else "")
