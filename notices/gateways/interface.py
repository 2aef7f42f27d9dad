"""What all gateways have in common: how something is handed over, and how that may end."""

from typing import Protocol, TypeVar

Sent = TypeVar("Sent", contravariant=True)


class GatewayError(Exception):
    """The gateway could not be reached or did not take the message; try again later."""


class Held(GatewayError):
    """No call was made, so no try was used up: the gateway rests, or has had its minute's share.

    What was to go stays due as it is.
    """

    def __init__(self, gateway: str, why: str) -> None:
        super().__init__(why)
        self.gateway = gateway


class RecipientNotActive(GatewayError):
    """The patient has no inbox in 1177, or no digital mailbox."""


class MessageRefused(GatewayError):
    """The gateway will never take this message; trying again does not help."""


class Gateway(Protocol[Sent]):
    """A way out. ``name`` is that of the notices' channel, its breaker and its limit."""

    name: str

    def send(self, message: Sent, *, key: str) -> str:
        """Hand over, once per ``key`` however often it is tried; returns the receipt.

        Raises :class:`Held`, :class:`RecipientNotActive`, :class:`MessageRefused` or
        :class:`GatewayError`.
        """
        ...
