"""Writes rows of the access log: one statement however many rows, and no wait for other writers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from organisations.access_log.keyed import current_key, row_mac

_TABLE = """
INSERT INTO organisations_accesslog
    (at, user_id, actor_name, role, unit, region, what, key_id,
     home_region, case_number, form_id, patient_id, mac)
"""
# Most pages show one patient, and plain values are sent and planned in half the time of arrays.
INSERT_ONE = f"{_TABLE} VALUES ({', '.join(['%s'] * 13)})"
# A list's rows in one statement; what they share is sent once.
_SHARED = """
SELECT %s, %s, %s, %s, %s, %s, %s, %s, shown.*
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bytea[]) AS shown
"""
INSERT_MANY = f"{_TABLE} {_SHARED}"
# The same for rows that share nothing.
_EACH = """
SELECT * FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
    %s::bytea[])
"""
INSERT_GATHERED = f"{_TABLE} {_EACH}"


class Who(NamedTuple):
    """Who looked, as the row keeps it."""

    user_id: int | None
    name: str
    role: str
    unit: str
    region: str


class Shown(NamedTuple):
    """Whose data: a case with its patient, or a form that has become no case yet."""

    case_number: str = ""
    patient_id: int | None = None
    form_id: int | None = None


_gathering: ContextVar[list[tuple[Any, ...]] | None] = ContextVar("gathering", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """For bulk work in one transaction: the rows are kept and written together at the end."""
    rows: list[tuple[Any, ...]] = []
    token = _gathering.set(rows)
    try:
        yield
    finally:
        _gathering.reset(token)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_GATHERED, [list(column) for column in zip(*rows, strict=True)])


def write_rows(who: Who, *, what: str, at: datetime, shown: Sequence[Shown]) -> None:
    """Write one row for each of ``shown``, all at ``at``."""
    if not shown:
        return
    key_id, _key = current_key()
    shared = (at, *who, what, key_id)
    homes = [_home(who, one) for one in shown]
    numbers, patients, forms = map(list, zip(*shown, strict=True))
    columns = (homes, numbers, forms, patients, row_macs(who, what=what, at=at, shown=shown))
    waiting = _gathering.get()
    if waiting is not None:
        waiting += [(*shared, *row) for row in zip(*columns, strict=True)]
        return
    with connection.cursor() as cursor:
        if len(shown) == 1:
            cursor.execute(INSERT_ONE, [*shared, *(column[0] for column in columns)])
        else:
            cursor.execute(INSERT_MANY, [*shared, *columns])


def row_macs(who: Who, *, what: str, at: datetime, shown: Sequence[Shown]) -> list[bytes]:
    """The hash of each row, under the current key."""
    _key_id, key = current_key()
    return [
        row_mac(
            key, (at, *who, _home(who, one), one.case_number, one.form_id, one.patient_id, what)
        )
        for one in shown
    ]


def _home(who: Who, one: Shown) -> str:
    return one.case_number[:2] or who.region
