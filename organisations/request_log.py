"""One log line for each request, and its time in the metrics."""

import logging
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from organisations.metrics import observe_request
from organisations.tracing import HEADER, has_sane_shape

# A longer part of a path is no number or name but an invitation's token, or nonsense.
_LONG_PART = re.compile(r"[^/]{33,}")
# Asked for every few seconds, or many times for each page.
_QUIET = ("/healthz", "/readyz", "/metrics", settings.STATIC_URL)

logger = logging.getLogger("vardlots.request")


class RequestLineMiddleware:
    """Outermost, so that what the other layers answer is told of too.

    The line is written here rather than by the web server, whose access log has the query string,
    in which names are searched for, and neither user nor request id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not has_sane_shape(request.headers.get(HEADER, "")):
            request.META.pop("HTTP_X_REQUEST_ID", None)
            request.__dict__.pop("headers", None)  # kept by Django once read
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        route = _route(request)
        observe_request(request.method or "", route, response.status_code, seconds)
        path = shown_path(request.path)
        milliseconds = round(seconds * 1000, 1)
        logger.log(
            logging.DEBUG if request.path.startswith(_QUIET) else logging.INFO,
            "%s %s %s %s ms",
            *(request.method, path, response.status_code, milliseconds),
            extra={
                "method": request.method,
                "path": path,
                "route": route,
                "status": response.status_code,
                "ms": milliseconds,
                "user_id": getattr(getattr(request, "actor", None), "user_id", None),
            },
        )
        return response


def shown_path(path: str) -> str:
    """The path as a log may hold it: no query, no token."""
    return _LONG_PART.sub("…", path)[:300]


def _route(request: HttpRequest) -> str:
    """The route's name; none for what leads nowhere, so that nobody makes up new ones."""
    match = getattr(request, "resolver_match", None)
    return (match.view_name if match else "") or "unknown"
