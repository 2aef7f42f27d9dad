"""Writes rows of the access log: one statement however many rows, and no wait for other writers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from organisations.access_log.keyed import current_key, row_mac

# One plan for any number of rows; what they share is sent once.
INSERT = """
INSERT INTO organisations_accesslog
    (at, user_id, actor_name, role, unit, region, what, key_id,
     home_region, case_number, form_id, patient_id, mac)
SELECT %s, %s, %s, %s, %s, %s, %s, %s, shown.*
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bytea[]) AS shown
"""

# The same for rows that share nothing.
INSERT_MANY = """
INSERT INTO organisations_accesslog
    (at, user_id, actor_name, role, unit, region, what, key_id,
     home_region, case_number, form_id, patient_id, mac)
SELECT * FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
    %s::bytea[])
"""


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
            cursor.execute(INSERT_MANY, [list(column) for column in zip(*rows, strict=True)])


def write_rows(who: Who, *, what: str, at: datetime, shown: Sequence[Shown]) -> None:
    """Write one row for each of ``shown``, all at ``at``."""
    if not shown:
        return
    key_id, key = current_key()
    homes = [one.case_number[:2] or who.region for one in shown]
    macs = [
        row_mac(key, (at, *who, home, one.case_number, one.form_id, one.patient_id, what))
        for home, one in zip(homes, shown, strict=True)
    ]
    waiting = _gathering.get()
    if waiting is not None:
        waiting += [
            (at, *who, what, key_id, home, one.case_number, one.form_id, one.patient_id, mac)
            for home, one, mac in zip(homes, shown, macs, strict=True)
        ]
        return
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                *(at, *who, what, key_id),
                *(homes, [one.case_number for one in shown]),
                *([one.form_id for one in shown], [one.patient_id for one in shown]),
                macs,
            ],
        )
