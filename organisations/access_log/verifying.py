"""Verifies the access log: every row as it was written, none missing, none slipped in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from organisations.access_log.keyed import (
    MARK_BYTES,
    ROW_FIELDS,
    UnknownKey,
    key_named,
    mark_of,
    row_mac,
    seal_mac,
)
from organisations.access_log.runs import gaps, numbers, pairs
from organisations.access_log.sealing import GENESIS, rows_within, seal_log
from organisations.models import AccessLogSeal

TABLES = ("organisations_accesslog", "organisations_accesslogseal")
# The append-only triggers' tgtype: row-level BEFORE UPDATE OR DELETE; statement BEFORE TRUNCATE.
GUARDS = 2

Row = tuple[object, ...]


@dataclass(frozen=True)
class Break:
    """Where the log does not hold; ``row`` is the log row's id, ``seal`` the block's number."""

    text: str
    row: int | None = None
    seal: int | None = None


@dataclass
class Verification:
    rows: int = 0
    seals: int = 0
    last_number: int = 0
    last_hash: str = GENESIS.hex()
    breaks: list[Break] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.breaks


def verify(*, now: datetime, expect: str = "", seal_first: bool = True) -> Verification:
    """Walk the whole chain and every row. ``expect`` is the hash of a seal noted outside."""
    if seal_first:
        while seal_log(now=now):
            pass
    with transaction.atomic():
        return _walk(expect)


def _walk(expect: str) -> Verification:
    found = Verification(breaks=list(_missing_guards()))
    covered: list[tuple[int, int]] = []
    highest, previous, met = 0, GENESIS, not expect or expect == GENESIS.hex()
    for seal in AccessLogSeal.objects.order_by("number").iterator(chunk_size=50):
        found.breaks += _broken_seal(seal, expected=found.last_number + 1, previous=previous)
        for broken in _broken_rows(seal):
            found.breaks.append(broken)
        covered += pairs(seal.runs)
        highest = max(highest, seal.last_id)
        previous = bytes(seal.mac)
        met = met or previous.hex() == expect
        found.rows += seal.row_count
        found.seals += 1
        found.last_number, found.last_hash = seal.number, previous.hex()
    found.breaks += _unsealed(covered, highest=highest)
    if not met:
        found.breaks.append(Break(_("Den noterade förseglingen finns inte: loggens slut saknas.")))
    return found


def _broken_seal(seal: AccessLogSeal, *, expected: int, previous: bytes) -> Iterator[Break]:
    if seal.number != expected:
        yield Break(_("En eller flera förseglingar saknas före denna."), seal=seal.number)
    elif bytes(seal.previous) != previous:
        yield Break(_("Förseglingen följer inte på den förra."), seal=seal.number)
    try:
        mac = seal_mac(
            key_named(seal.key_id),
            number=seal.number,
            sealed_at=seal.sealed_at,
            runs=seal.runs,
            marks=bytes(seal.marks),
            previous=bytes(seal.previous),
        )
    except UnknownKey:
        yield Break(_("Nyckeln %(key)s saknas.") % {"key": seal.key_id}, seal=seal.number)
        return
    if mac != bytes(seal.mac):
        yield Break(_("Förseglingen är ändrad."), seal=seal.number)


def _broken_rows(seal: AccessLogSeal) -> Iterator[Break]:
    """Each row that the seal covers, against its own hash and against its place in the seal."""
    rows = _read(seal.runs)
    marks = bytes(seal.marks)
    row = next(rows, None)
    for place, row_id in enumerate(numbers(seal.runs)):
        if row is None or row[0] != row_id:
            yield Break(_("Raden är borttagen."), row=row_id, seal=seal.number)
            continue
        mark = marks[place * MARK_BYTES : (place + 1) * MARK_BYTES]
        text = _fault(row, mark)
        if text:
            yield Break(text, row=row_id, seal=seal.number)
        row = next(rows, None)


def _fault(row: Row, mark: bytes) -> str:
    """What is wrong with a row; empty when nothing is."""
    row_id, key_id, mac, *values = row
    try:
        key = key_named(str(key_id))
    except UnknownKey:
        return _("Raden bär en nyckel som saknas: %(key)s.") % {"key": key_id or "–"}
    mac = bytes(mac)  # type: ignore[call-overload]
    if row_mac(key, values) != mac:
        return _("Raden är ändrad, eller skriven utan nyckeln.")
    if mark_of(int(str(row_id)), mac) != mark:
        return _("Raden är utbytt mot en annan.")
    return ""


def _read(runs: list[int]) -> Iterator[Row]:
    firsts, lasts = runs[::2], runs[1::2]
    columns = ", ".join(f"a.{name}" for name in ROW_FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id, a.key_id, a.mac, {columns}"  # noqa: S608 – the names are ours  # nosec B608
            " FROM unnest(%s::bigint[], %s::bigint[]) AS g(first, last)"
            " JOIN organisations_accesslog a ON a.id BETWEEN g.first AND g.last ORDER BY a.id",
            [firsts, lasts],
        )
        yield from cursor


def _unsealed(covered: list[tuple[int, int]], *, highest: int) -> Iterator[Break]:
    """Rows below the chain's end that no seal covers: slipped in afterwards."""
    for row_id, _mac in rows_within(gaps(covered, above=-(2**63) + 1, upto=highest)):
        yield Break(_("Raden är tillagd i efterhand."), row=row_id)


def _missing_guards() -> Iterator[Break]:
    """The triggers that refuse changes; only the tables' owner can switch them off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger"
            " JOIN pg_proc ON pg_proc.oid = tgfoid AND proname = 'refuse_change'"
            " WHERE tgenabled IN ('O', 'A') GROUP BY 1"
        )
        guards = dict(cursor.fetchall())
    for table in TABLES:
        if guards.get(table, 0) < GUARDS:
            yield Break(_("Skyddet mot ändringar är avstängt i %(table)s.") % {"table": table})
