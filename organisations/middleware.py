"""Puts the actor on the request and turns domain errors into an answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from organisations.access import (
    CHOSEN_ASSIGNMENT,
    acting_as,
    actor_in,
    chosen_among,
    live_assignments,
)
from organisations.access_log.kept import remembered_looks, write_what_was_taken_back
from organisations.errors import DomainError
from organisations.login.sessions import LOGIN_ASSIGNMENTS


class ActorMiddleware:
    """``request.actor`` is who acts, in which role; ``None`` when nobody is logged in.

    The database is told too, so that its policies hold for all that the view reads.

    Which of several assignments stands in the session. ``request.assignments`` has all that are
    live, for the choice in the page head.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        allowed = request.session.get(LOGIN_ASSIGNMENTS)
        live = (
            live_assignments(user, now=timezone.now(), within=allowed)
            if user.is_authenticated
            else []
        )
        current = chosen_among(live, request.session.get(CHOSEN_ASSIGNMENT))
        actor = actor_in(user, current) if current and user.is_authenticated else None
        request.assignments = live  # type: ignore[attr-defined]
        request.actor = actor  # type: ignore[attr-defined]
        with acting_as(actor):
            return self.get_response(request)


class AnswerHeadersMiddleware:
    """What holds for every answer that is no static file: kept by nobody on its way.

    What the API answers is a download to a browser that is led there (ASVS 14.4.2), so that
    nothing in it is ever shown as a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        if request.path.startswith("/api/") and "json" in response.headers.get("Content-Type", ""):
            response.headers.setdefault("Content-Disposition", 'attachment; filename="api.json"')
        return response


class OpenToAllMiddleware:
    """Stands before the session: where all get the same answer, nobody is asked who he is.

    Without a cookie to read, the answer varies by none, and a cache on the way keeps one for all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(settings.OPEN_TO_ALL):
            return self.get_response(request)
        request.COOKIES = {}
        response = self.get_response(request)
        names = [name.strip() for name in response.headers.get("Vary", "").split(",")]
        del response["Vary"]
        if others := [name for name in names if name.lower() not in {"", "cookie"}]:
            response["Vary"] = ", ".join(others)
        return response


class KeptLooksMiddleware:
    """Stands outside the request's transaction: what an error took back of the access log is
    written anew, since the person has seen it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with remembered_looks() as looks:
            response = self.get_response(request)
        if looks and response.status_code >= 400:
            write_what_was_taken_back(looks)
        return response


class DomainErrorMiddleware:
    """A domain error that no view showed at its field becomes a page that says why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_args: object) -> None:
        """No page has NUL in its address, and the database refuses to look for a row that has."""
        if "\x00" in request.path and not request.path.startswith("/api/"):
            raise Http404

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        return render(request, "errors/refused.html", {"error": exception}, status=exception.status)
