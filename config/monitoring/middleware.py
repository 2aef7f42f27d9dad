"""Answers probes before everything that is made for people."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve


class ProbeMiddleware:
    """Probes ask by address and without TLS, log in as nobody, and come every few seconds.

    They are therefore answered before the check of the host name, the redirect to https, sessions
    and the transaction of a page. Nothing that they are told depends on who asks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not from within ``except``: the page's own errors would be told as errors of this.
        return _answer(request) or self.get_response(request)


def _answer(request: HttpRequest) -> HttpResponse | None:
    """The probe's answer; ``None`` when this is no probe, or one who may not ask."""
    try:
        match = resolve(request.path_info, urlconf="config.monitoring.urls")
        response: HttpResponse = match.func(request)
    except Http404:  # Resolver404 too
        return None
    request.resolver_match = match
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
