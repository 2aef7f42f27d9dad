"""Domain events: emit in the lower app, subscribe in the higher one (design 5.4)."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from organisations.acting import Product, acting_as
from organisations.masking import masked
from organisations.models import DomainEvent, EventDelivery
from organisations.sweeps import claim_due
from organisations.tracing import request_id

logger = logging.getLogger(__name__)

_waking: ContextVar[bool] = ContextVar("waking", default=True)

Consumer = Callable[[DomainEvent, datetime], None]

_consumers: dict[str, dict[str, Consumer]] = defaultdict(dict)


def subscribe(kind: str, name: str, consumer: Consumer) -> None:
    """Have ``consumer(event, now)`` called for each event of ``kind``, at least once.

    Called from ``AppConfig.ready``. The consumer must be idempotent.
    """
    _consumers[kind][name] = consumer


def emit(
    kind: str, *, now: datetime, case_number: str = "", payload: dict[str, Any] | None = None
) -> DomainEvent:
    """Write an event and what is due because of it, in the caller's transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A domain event is written in the transaction of the change it tells.")
    consumers = _consumers.get(kind, {})
    # The service that tells has checked who asks; events are the product's own rows.
    with acting_as(Product("event")):
        event = DomainEvent.objects.create(
            kind=kind, case_number=case_number, payload=payload or {}, happened_at=now
        )
        EventDelivery.objects.bulk_create(
            EventDelivery(event=event, consumer=name, due_at=now) for name in consumers
        )
    if consumers and _waking.get():
        transaction.on_commit(wake)
    return event


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
        for delivery in due:
            with request_id(delivery.event.request_id):
                _deliver(delivery, now=now)
    return len(due)


def _deliver(delivery: EventDelivery, *, now: datetime) -> None:
    consumer = _consumers.get(delivery.event.kind, {}).get(delivery.consumer)
    delivery.attempts += 1
    try:
        if consumer is None:
            raise LookupError(f"no consumer is called {delivery.consumer}")
        with transaction.atomic():
            consumer(delivery.event, now)
    except (InterfaceError, OperationalError):  # the database itself: all is tried again
        raise
    except Exception as error:  # one bad event must not hold up the rest
        logger.exception("event %s to %s failed", delivery.event.kind, delivery.consumer)
        delivery.last_error = masked(f"{type(error).__name__}: {error}")[:2000]
        delivery.due_at = now + timedelta(minutes=min(60, 2 ** min(delivery.attempts, 6)))
    else:
        delivery.done_at = now
        delivery.last_error = ""
    delivery.save(update_fields=["attempts", "last_error", "due_at", "done_at"])
