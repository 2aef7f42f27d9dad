"""Answers probes before everything that is made for people."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve


class ProbeMiddleware:
    """Probes ask by address and without TLS, log in as nobody, and come every few seconds.

    They are therefore answered before the check of the host name, the redirect to https, sessions
    and the transaction of a page. Nothing that they are told depends on who asks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            match = resolve(request.path_info, urlconf="config.monitoring.urls")
        except Resolver404:
            return self.get_response(request)
        try:
            response: HttpResponse = match.func(request)
        except Http404:  # answered like any address that is none
            return self.get_response(request)
        request.resolver_match = match
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response
