"""How often one user and one address may ask. Counted in the cache, in this process without it."""

import ipaddress
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.core.cache import BaseCache, caches
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


def client_address(request: HttpRequest) -> str:
    """The client's address as the outermost trusted proxy saw it (``VARDLOTS_PROXIES``).

    What stands further out in ``X-Forwarded-For`` was written by the client and counts for
    nothing. An IPv6 client is its /64: whoever has one address there has them all.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        address = hops[-settings.TRUSTED_PROXIES]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


class Limit:
    """At most so many hits a minute for each key; the number stands in ``settings.RATES``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def hit(self, key: str) -> int:
        """Count one; returns the seconds to wait when that was one too many, else 0."""
        return self._counted(key, lambda cache, name: self._add(cache, name))

    def wait(self, key: str) -> int:
        """The seconds to wait when the minute's number is used up, without counting."""
        return self._counted(key, lambda cache, name: int(cache.get(name) or 0) + 1)

    def _counted(self, key: str, count: Callable[[BaseCache, str], int]) -> int:
        now = int(time.time())
        name = f"rate:{self.name}:{key}:{now // WINDOW_SECONDS}"
        try:
            number = count(caches["default"], name)
        except (redis.RedisError, OSError):
            # Losing Redis must neither stop work nor open the gates: each process counts its own.
            logger.warning("the cache is away; rates are counted in this process")
            number = count(caches["process"], name)
        if number <= settings.RATES[self.name]:
            return 0
        return WINDOW_SECONDS - now % WINDOW_SECONDS

    @staticmethod
    def _add(cache: BaseCache, name: str) -> int:
        cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
        try:
            return int(cache.incr(name))
        except ValueError:  # thrown out between the two; the count begins anew
            cache.set(name, 1, timeout=2 * WINDOW_SECONDS)
            return 1


API_USER = Limit("api_user")
API_ADDRESS = Limit("api_address")
BAD_TOKENS = Limit("bad_tokens")
LOGIN_PAGES = Limit("login_pages")
BAD_CALLBACKS = Limit("bad_callbacks")
ANSWER_CODES = Limit("answer_codes")
OPEN_DATA = Limit("open_data")


class _Throttle(BaseThrottle):
    seconds = 0

    def wait(self) -> float | None:
        return self.seconds or None


class UserThrottle(_Throttle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.user and request.user.is_authenticated:
            self.seconds = API_USER.hit(str(request.user.pk))
        return not self.seconds


class AddressThrottle(_Throttle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.seconds = API_ADDRESS.hit(client_address(request._request))
        return not self.seconds


def too_many(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """The page that says to wait, and how long."""
    response = render(request, "errors/too_many.html", {"minutes": -(-seconds // 60)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def limited_by_address(
    limit: Limit,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """A page that one address may open so many times a minute."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            seconds = limit.hit(client_address(request))
            if seconds:
                return too_many(request, seconds=seconds)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
