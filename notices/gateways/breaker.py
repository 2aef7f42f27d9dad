"""A circuit breaker for each gateway: one that keeps failing is left alone for a while.

After ``settings.GATEWAY_BREAKER_FAILURES`` failures in a row no call is made for
``settings.GATEWAY_BREAKER_PAUSE`` seconds; then the next call decides. Time here is the real
clock's, as of whatever time the sweeps run: it is the gateway's own state that is told.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import redis
from django.conf import settings
from django.core.cache import caches
from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitMemoryStorage,
)

from notices.gateways.interface import GatewayError, Held, MessageRefused, RecipientNotActive

NAMES = ("1177", "digital", "email", "letter")
# How long a process goes on what it last heard from the others.
HEARD_SECONDS = 1.0
_OFF = 1_000_000_000
_making = threading.Lock()


@dataclass(frozen=True)
class State:
    """How a gateway does: ``closed`` lets calls through, ``open`` none, ``half-open`` one."""

    name: str
    state: str
    retry_at: datetime | None


class SharedStorage(CircuitMemoryStorage):
    """State in this process; that a breaker opens or closes is told to the others by the cache.

    Without the cache each process finds out by itself, which costs a few calls and nothing else.
    """

    def __init__(self, name: str) -> None:
        super().__init__(STATE_CLOSED)
        self._key = f"breaker:{name}"
        self._heard = 0.0

    @property
    def state(self) -> str:
        if time.monotonic() - self._heard > HEARD_SECONDS:
            self._heard = time.monotonic()
            self._listen()
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        told = state in {STATE_OPEN, STATE_CLOSED} and state != self._state
        self._state = state
        if told:
            self._tell(state)

    def _tell(self, state: str) -> None:
        since = self._opened_at if state == STATE_OPEN else datetime.now(UTC)
        try:
            caches[settings.GATEWAY_BREAKER_CACHE].set(self._key, (state, since), 3600)
        except (redis.RedisError, OSError):
            return

    def _listen(self) -> None:
        try:
            found = caches[settings.GATEWAY_BREAKER_CACHE].get(self._key)
        except (redis.RedisError, OSError):
            return
        if not isinstance(found, tuple):
            return
        state, since = found
        if state == STATE_OPEN and self._state == STATE_CLOSED and _is_resting(since):
            self._state, self._opened_at = STATE_OPEN, since
        elif state == STATE_CLOSED and self._state == STATE_OPEN and since > self._opened_at:
            self._state = STATE_CLOSED


def _is_no_fault(error: BaseException) -> bool:
    """An answer that says no is an answer, and a fault of our own says nothing of the gateway."""
    return not isinstance(error, GatewayError) or isinstance(
        error, RecipientNotActive | MessageRefused
    )


def _is_resting(since: datetime | None) -> bool:
    return since is not None and datetime.now(UTC) < since + _pause()


def _pause() -> timedelta:
    return timedelta(seconds=settings.GATEWAY_BREAKER_PAUSE)


@cache
def _made(name: str) -> CircuitBreaker:
    return CircuitBreaker(
        fail_max=settings.GATEWAY_BREAKER_FAILURES or _OFF,
        reset_timeout=settings.GATEWAY_BREAKER_PAUSE,
        exclude=[_is_no_fault],
        state_storage=SharedStorage(name),
        name=name,
        throw_new_error_on_trip=False,
    )


def _of(name: str) -> CircuitBreaker:
    with _making:
        return _made(name)


@contextmanager
def guard(name: str) -> Iterator[None]:
    """Make one call of the gateway. Raises :class:`Held` while it is left alone."""
    try:
        # A generator's body runs without the breaker's lock: calls go on beside each other.
        with _of(name).calling():
            yield
    except CircuitBreakerError as error:
        raise Held(name, "the gateway rests") from error


def state_of(name: str) -> State:
    """How the gateway does, as this process knows it and the others have told."""
    breaker = _of(name)
    state, since = breaker.current_state, breaker._state_storage.opened_at
    retry_at = since + _pause() if state == STATE_OPEN and since else None
    return State(name, state, retry_at)


def is_resting(name: str) -> bool:
    """Whether a call now would be refused."""
    state = state_of(name)
    return state.retry_at is not None and datetime.now(UTC) < state.retry_at


def states() -> list[State]:
    return [state_of(name) for name in NAMES]


def forget() -> None:
    """Close all breakers and take up changed settings."""
    with _making:
        _made.cache_clear()
    try:
        caches[settings.GATEWAY_BREAKER_CACHE].delete_many([f"breaker:{name}" for name in NAMES])
    except (redis.RedisError, OSError):
        return
