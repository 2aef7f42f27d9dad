"""Domain errors: one named refusal that pages and the API both know how to show.

A service raises one of these and nothing has been changed. ``code`` is stable and machine
readable, ``message`` is Swedish text for a person, ``fields`` names the inputs at fault.
"""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A rule of the domain refused what was asked for. Nothing has been stored."""

    status = 409
    code = "refused"

    def __init__(
        self, message: Any, *, code: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})


class WrongState(DomainError):
    """The thing is in a state from which this cannot be done."""

    code = "wrong_state"


class NotAllowed(DomainError):
    """The actor knows of the thing but may not do this to it."""

    status = 403
    code = "not_allowed"


class InvalidInput(DomainError):
    """What was given does not hold; ``fields`` says where."""

    status = 400
    code = "invalid"


class CapReached(DomainError):
    """The contract or the line has no room left under its cap (design 5.5)."""

    code = "cap_reached"
