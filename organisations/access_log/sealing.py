"""Seals the rows that have come since the last seal into the log's hash chain.

A chain from row to row would make every request wait for the one before. Rows are therefore written
freely and sealed afterwards, every minute and whenever the log is verified. A number that a
transaction drew before the seal and commits after it leaves a gap that is looked at again, for as
long as any transaction may live.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from organisations.access_log.keyed import current_key, marks_of, seal_mac
from organisations.access_log.runs import gaps, pairs, runs_of
from organisations.models import AccessLogSeal

logger = logging.getLogger(__name__)

BLOCK_ROWS = 10_000
# No transaction lives a day: gunicorn and Celery end their processes long before.
LATE_ROWS = timedelta(days=1)
# The chain's beginning; also what an empty chain has for its hash.
GENESIS = bytes(32)
_ONE_SEALER = 0x5EA1  # advisory lock


def seal_log(*, now: datetime) -> int:
    """Seal one block of rows; returns how many, 0 when all are sealed.

    The new seal's hash goes to the application's log too: kept outside the database it is the
    anchor for ``verify_log --expect``.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_SEALER])
        last = AccessLogSeal.objects.order_by("-number").first()
        rows = _unsealed_rows(now=now)
        if not rows:
            return 0
        seal = _seal(rows, after=last, now=now)
    logger.info("access log seal %s of %s rows: %s", seal.number, seal.row_count, seal.mac.hex())
    return len(rows)


def _seal(
    rows: list[tuple[int, bytes]], *, after: AccessLogSeal | None, now: datetime
) -> AccessLogSeal:
    key_id, key = current_key()
    number = after.number + 1 if after else 1
    previous = bytes(after.mac) if after else GENESIS
    runs, marks = runs_of(row_id for row_id, _mac in rows), marks_of(rows)
    return AccessLogSeal.objects.create(
        number=number,
        sealed_at=now,
        last_id=rows[-1][0],
        row_count=len(rows),
        runs=runs,
        marks=marks,
        previous=previous,
        key_id=key_id,
        mac=seal_mac(key, number=number, sealed_at=now, runs=runs, marks=marks, previous=previous),
    )


def _unsealed_rows(*, now: datetime) -> list[tuple[int, bytes]]:
    """Id and hash of rows in no seal, in order of id: the late ones first, then the new ones."""
    recent = AccessLogSeal.objects.filter(sealed_at__gte=now - LATE_ROWS)
    settled = _highest(AccessLogSeal.objects.filter(sealed_at__lt=now - LATE_ROWS))
    highest = max(settled, _highest(recent))
    covered = [pair for (runs,) in recent.values_list("runs") for pair in pairs(runs)]
    rows = rows_within(gaps(covered, above=settled, upto=highest))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, mac FROM organisations_accesslog WHERE id > %s ORDER BY id LIMIT %s",
            [highest, BLOCK_ROWS],
        )
        return rows + [(row_id, bytes(mac)) for row_id, mac in cursor.fetchall()]


def rows_within(stretches: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Id and hash of the rows whose ids lie in the stretches, in order of id."""
    if not stretches:
        return []
    firsts, lasts = zip(*stretches, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, a.mac FROM unnest(%s::bigint[], %s::bigint[]) AS g(first, last)"
            " JOIN organisations_accesslog a ON a.id BETWEEN g.first AND g.last ORDER BY a.id",
            [list(firsts), list(lasts)],
        )
        return [(row_id, bytes(mac)) for row_id, mac in cursor.fetchall()]


def _highest(seals: QuerySet[AccessLogSeal]) -> int:
    return int(seals.aggregate(highest=Max("last_id"))["highest"] or 0)
