"""``/metrics`` for Prometheus: what the processes counted, and what the database knows.

Behind a token of its own; without the token there is no such page.
"""

import logging
from collections.abc import Iterator
from os import environ

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.monitoring.readings import READINGS
from organisations.access import as_product

logger = logging.getLogger(__name__)

# A database that is busy is to be told so, not made busier.
PATIENCE_MS = 5000


@transaction.non_atomic_requests
def metrics(request: HttpRequest) -> HttpResponse:
    """404 without the token of ``VARDLOTS_METRICS_TOKEN``, as for a page that does not exist."""
    given = request.headers.get("Authorization", "")
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not settings.METRICS_TOKEN or not constant_time_compare(given.encode(), expected.encode()):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def exposition() -> bytes:
    """All metrics in Prometheus' text form."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in environ:
        MultiProcessCollector(registry)
        own = b""
    else:  # one process, as in development
        own = generate_latest(REGISTRY)
    registry.register(FromDatabase())
    return own + generate_latest(registry)


class FromDatabase(Collector):
    """What is asked of the database when Prometheus comes; the same whichever process answers."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        found: list[Metric] = []
        up = GaugeMetricFamily("vardlots_database_up", "1 när databasen svarar på det som följer.")
        try:
            with as_product("metrics"), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
                now = timezone.now()
                for reading in READINGS:
                    found += reading(now)
        except DatabaseError as error:
            logger.warning("metrics could not be read: %s", type(error).__name__)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found
