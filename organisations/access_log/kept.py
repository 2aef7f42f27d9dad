"""A look is kept although its request ends with an error.

A request is one transaction, and an error takes it back, the log's rows with it. The person has
seen something all the same: a 409 tells what state the case is in. While a request is on its way
its looks are therefore remembered here, and those that the error took back are written once more,
in a transaction of their own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from organisations.access_log.writing import Shown, Who, row_macs, write_rows
from organisations.acting import Product, acting_as


class Look(NamedTuple):
    who: Who
    what: str
    at: datetime
    shown: tuple[Shown, ...]


_looks: ContextVar[list[Look] | None] = ContextVar("looks of this request", default=None)


@contextmanager
def remembered_looks() -> Iterator[list[Look]]:
    """Collects the looks of all that is done within the block."""
    looks: list[Look] = []
    token = _looks.set(looks)
    try:
        yield looks
    finally:
        _looks.reset(token)


def remember(who: Who, *, what: str, at: datetime, shown: Sequence[Shown]) -> None:
    looks = _looks.get()
    if looks is not None:
        looks.append(Look(who, what, at, tuple(shown)))


def write_what_was_taken_back(looks: Sequence[Look]) -> int:
    """Write those rows of ``looks`` that are not in the log; returns how many."""
    written = 0
    with acting_as(Product("access log")), transaction.atomic():
        for look in looks:
            lost = _not_in_the_log(look)
            write_rows(look.who, what=look.what, at=look.at, shown=lost)
            written += len(lost)
    return written


def _not_in_the_log(look: Look) -> list[Shown]:
    """A row is known by its hash, which covers all of it."""
    macs = row_macs(look.who, what=look.what, at=look.at, shown=look.shown)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mac FROM organisations_accesslog"
            " WHERE user_id IS NOT DISTINCT FROM %s AND at = %s AND mac = ANY(%s)",
            [look.who.user_id, look.at, macs],
        )
        known = {bytes(mac) for (mac,) in cursor.fetchall()}
    return [one for one, mac in zip(look.shown, macs, strict=True) if mac not in known]
