"""Puts the actor on the request and turns domain errors into an answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from organisations.access import acting_as, actor_for
from organisations.errors import DomainError
from organisations.login.sessions import LOGIN_ASSIGNMENTS


class ActorMiddleware:
    """``request.actor`` is who acts, in which role; ``None`` when nobody is logged in.

    The database is told too, so that its policies hold for all that the view reads.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        actor = (
            actor_for(user, now=timezone.now(), within=request.session.get(LOGIN_ASSIGNMENTS))
            if user.is_authenticated
            else None
        )
        request.actor = actor  # type: ignore[attr-defined]
        with acting_as(actor):
            return self.get_response(request)


class DomainErrorMiddleware:
    """A domain error that no view showed at its field becomes a page that says why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        return render(request, "errors/refused.html", {"error": exception}, status=exception.status)
