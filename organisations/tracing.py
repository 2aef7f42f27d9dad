"""One id for all that one request sets going: in the log, the events, the worker, the gateway.

django-guid keeps the id of the moment, takes it from ``X-Request-ID`` and hands it to Celery's
tasks. What is due later keeps it in its row (``DomainEvent.request_id``), so that whoever does the
work, and whenever, logs it under the request that asked for it.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from django_guid.context import guid

HEADER = "X-Request-ID"
# A UUID, with or without hyphens: what proxies make, and short enough for a column. Anything else
# is taken away before django-guid sees it, which would also take endless hyphens.
_SHAPE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MAX_LENGTH = 36


def has_sane_shape(value: str) -> bool:
    return _SHAPE.fullmatch(value) is not None


def current_request_id() -> str:
    """The id of the request, or of the task, that is being worked on; empty when there is none."""
    return guid.get() or ""


@contextmanager
def request_id(value: str) -> Iterator[None]:
    """Work under the id that a row was written with; an empty one leaves the id as it is."""
    if not value:
        yield
        return
    token = guid.set(value)
    try:
        yield
    finally:
        guid.reset(token)


class RequestIdFilter(logging.Filter):
    """Puts the id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id() or "-"
        return True
