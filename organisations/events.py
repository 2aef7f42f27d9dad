"""Domain events: emit in the lower app, subscribe in the higher one (design 5.4)."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from organisations.acting import Product, acting_as
from organisations.masking import masked
from organisations.models import DomainEvent, EventDelivery
from organisations.sweeps import claim_due
from organisations.tracing import request_id

logger = logging.getLogger(__name__)

_waking: ContextVar[bool] = ContextVar("waking", default=True)

Consumer = Callable[[DomainEvent, datetime], None]
GatheringConsumer = Callable[[Sequence[DomainEvent], datetime], None]

_consumers: dict[str, dict[str, GatheringConsumer]] = defaultdict(dict)
# Those that take all that is due in one call.
_gathering: set[GatheringConsumer] = set()


def subscribe(kind: str, name: str, consumer: Consumer) -> None:
    """Have ``consumer(event, now)`` called for each event of ``kind``, at least once.

    Called from ``AppConfig.ready``. The consumer must be idempotent.
    """

    def one(events: Sequence[DomainEvent], now: datetime) -> None:
        for event in events:
            consumer(event, now)

    _consumers[kind][name] = one


def subscribe_gathering(kind: str, name: str, consumer: GatheringConsumer) -> None:
    """As :func:`subscribe`, for a consumer that is quicker with many events than with each.

    ``consumer(events, now)`` is called once for all that is due, of whatever kinds, or for fewer
    at a time when that fails.
    """
    _consumers[kind][name] = consumer
    _gathering.add(consumer)


def emit(
    kind: str, *, now: datetime, case_number: str = "", payload: dict[str, Any] | None = None
) -> DomainEvent:
    """Write an event and what is due because of it, in the caller's transaction."""
    return emit_all(kind, now=now, told=[(case_number, payload or {})])[0]


def emit_all(
    kind: str, *, now: datetime, told: Sequence[tuple[str, dict[str, Any]]]
) -> list[DomainEvent]:
    """As :func:`emit` for each case number with its payload, in a few statements."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A domain event is written in the transaction of the change it tells.")
    consumers = _consumers.get(kind, {})
    # The service that tells has checked who asks; events are the product's own rows.
    with acting_as(Product("event")):
        events = DomainEvent.objects.bulk_create(
            DomainEvent(kind=kind, case_number=number, payload=payload, happened_at=now)
            for number, payload in told
        )
        EventDelivery.objects.bulk_create(
            EventDelivery(event=event, consumer=name, due_at=now)
            for event in events
            for name in consumers
        )
    if events and consumers and _waking.get():
        transaction.on_commit(wake)
    return events


@contextmanager
def without_waking() -> Iterator[None]:
    """For bulk work: events are written as always, but no worker is woken for each."""
    token = _waking.set(False)
    try:
        yield
    finally:
        _waking.reset(token)


def wake() -> None:
    """Ask a worker to run what is due now. Only a courtesy: beat does it every minute anyway."""
    try:
        # Wakings that nobody has heeded for a beat are heeded all at once by the next one.
        expires = settings.SWEEP_SECONDS
        current_app.send_task(
            "config.tasks.run_due_work", retry=False, ignore_result=True, expires=expires
        )
    except Exception as error:  # noqa: BLE001 – the broker is allowed to be gone
        logger.warning("no worker could be woken: %s", type(error).__name__)


def deliver_events(*, now: datetime, limit: int = 200, case_number: str = "") -> int:
    """Hand over the deliveries that are due, of one case or of all; returns how many."""
    waiting = EventDelivery.objects.select_related("event").filter(done_at__isnull=True)
    if case_number:
        waiting = waiting.filter(event__case_number=case_number)
    with transaction.atomic():
        due = claim_due(waiting, now=now, limit=limit)
        done = [one.pk for batch in _batches(due) for one in _deliver(batch, now=now)]
        EventDelivery.objects.filter(pk__in=done).update(
            attempts=F("attempts") + 1, done_at=now, last_error=""
        )
    return len(due)


def _batches(due: Sequence[EventDelivery]) -> Iterator[Sequence[EventDelivery]]:
    """Each by itself in the order they came, then what is wanted together."""
    gathered: dict[GatheringConsumer, list[EventDelivery]] = defaultdict(list)
    for delivery in due:
        consumer = _consumer(delivery)
        if consumer in _gathering:
            gathered[consumer].append(delivery)
        else:
            yield [delivery]
    yield from gathered.values()


def _consumer(delivery: EventDelivery) -> GatheringConsumer | None:
    return _consumers.get(delivery.event.kind, {}).get(delivery.consumer)


def _deliver(batch: Sequence[EventDelivery], *, now: datetime) -> Sequence[EventDelivery]:
    """Hand over a batch; returns what was done and writes down what was not."""
    first, several = batch[0], len(batch) > 1
    consumer = _consumer(first)
    try:
        if consumer is None:
            raise LookupError(f"no consumer is called {first.consumer}")
        with request_id("" if several else first.event.request_id), transaction.atomic():
            consumer([one.event for one in batch], now)
    except (InterfaceError, OperationalError):  # the database itself: all is tried again
        raise
    except Exception as error:  # noqa: BLE001 – one bad event must not hold up the rest
        if several:
            return [done for one in batch for done in _deliver([one], now=now)]
        _put_off(first, error, now=now)
        return []
    return batch


def _put_off(delivery: EventDelivery, error: Exception, *, now: datetime) -> None:
    with request_id(delivery.event.request_id):
        logger.error(
            "event %s to %s failed", delivery.event.kind, delivery.consumer, exc_info=error
        )
    delivery.attempts += 1
    delivery.last_error = masked(f"{type(error).__name__}: {error}")[:2000]
    delivery.due_at = now + timedelta(minutes=min(60, 2 ** min(delivery.attempts, 6)))
    delivery.save(update_fields=["attempts", "last_error", "due_at"])
