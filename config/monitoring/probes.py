"""``/healthz``: the process lives. ``/readyz``: it can do its work.

Neither needs a login. An answer names what is not ready and never why: an error's text may hold an
address or a password. The reason stands in the log.
"""

import logging
from collections.abc import Callable
from functools import lru_cache

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import caches
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from organisations.access_log.keyed import current_key
from organisations.keys import encryption_ring, hash_ring

logger = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nothing of the database: restarting helps nobody when that is
    away.
    """
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 until the database is there and migrated, Redis answers, the keys can be read and the
    static files are collected.
    """
    parts = {name: _holds(name, check) for name, check in CHECKS.items()}
    ready = all(parts.values())
    return JsonResponse(
        {
            "status": "ready" if ready else "not ready",
            **{name: "ok" if well else "not ready" for name, well in parts.items()},
        },
        status=200 if ready else 503,
    )


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        well = check()
    except Exception as error:  # noqa: BLE001 – whatever it is, the answer is that it is not ready
        logger.warning("%s is not ready: %s", name, type(error).__name__)
        return False
    if not well:
        logger.warning("%s is not ready", name)
    return well


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    return _known_migrations() <= set(MigrationRecorder(connection).applied_migrations())


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.graph.nodes)


def _redis() -> bool:
    caches["default"].get("readyz")
    return True


def _keys() -> bool:
    ring = encryption_ring()
    key_id, sealed = ring.encrypt(b"readyz", context="readyz")
    hash_ring().digests("readyz", context="readyz")
    return ring.decrypt(key_id, sealed, context="readyz") == b"readyz" and bool(current_key())


def _static() -> bool:
    """Files have been collected: without that every page fails in production."""
    return bool(staticfiles_storage.url("favicon.svg"))


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "keys": _keys,
    "static": _static,
}
