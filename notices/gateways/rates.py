"""How much a gateway gets in a minute (``settings.RATES``); 0 is as much as there is."""

from django.conf import settings

from notices.gateways.interface import Held
from organisations.throttling import Limit

_LIMITS = {name: Limit(f"gateway_{name}") for name in ("1177", "digital", "email", "letter")}


def take_turn(name: str) -> None:
    """Count a message that goes now. Raises :class:`Held` when the minute's number is used up."""
    limit = _LIMITS[name]
    if settings.RATES[limit.name] and limit.hit("all"):
        raise Held(name, "the minute's number is used up")


def is_used_up(name: str) -> bool:
    """Whether the gateway has had its share of this minute."""
    limit = _LIMITS[name]
    return bool(settings.RATES[limit.name]) and limit.wait("all") > 0
