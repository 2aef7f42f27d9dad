"""Who acts at this moment, as the database is told (design 5.6).

A context variable names the actor; ``organisations.database`` hands it to PostgreSQL at the start
of each transaction, where the row-level security policies read it. Without an actor the policies
give nothing. No models are imported here: the database backend is loaded before them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from django.db import connections


class Acting(Protocol):
    """What the policies ask of an actor."""

    @property
    def role(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def care_unit_id(self) -> int | None: ...
    @property
    def provider_id(self) -> int | None: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def case_id(self) -> int | None: ...


@dataclass(frozen=True)
class Product:
    """The product itself, with the reason it acts; for places where no models are loaded yet."""

    reason: str
    role: str = "system"
    region: str | None = None
    care_unit_id: int | None = None
    provider_id: int | None = None
    user_id: int | None = None
    case_id: int | None = None


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting_now() -> Acting | None:
    """The actor of this moment; ``None`` when nobody acts and nothing may be seen."""
    return _acting.get()


def act_as(actor: Acting | None) -> None:
    """Let ``actor`` act for the rest of the enclosing :func:`acting_as`."""
    _acting.set(actor)
    _tell_open_transactions()


@contextmanager
def acting_as(actor: Acting | None) -> Iterator[None]:
    """Let ``actor`` act within the block, also in a transaction that is open already."""
    same = _rights(actor) == _rights(_acting.get())
    token = _acting.set(actor)
    try:
        if not same:
            _tell_open_transactions()
        yield
    finally:
        changed = _rights(_acting.get())
        _acting.reset(token)
        if changed != _rights(_acting.get()):
            _tell_open_transactions()


def _rights(actor: Acting | None) -> tuple[object, ...] | None:
    """What the database is told of the actor: who has the same need not be told again."""
    if actor is None:
        return None
    return (
        actor.role,
        actor.region,
        actor.care_unit_id,
        actor.provider_id,
        actor.user_id,
        actor.case_id,
    )


def _tell_open_transactions() -> None:
    for connection in connections.all(initialized_only=True):
        bind = getattr(connection, "bind_actor_in_open_transaction", None)
        if bind is not None:
            bind()
