"""Faults planted in what a run left behind: a check that finds none of them checks nothing."""

import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.fault_checks import broken_rules


@dataclass(frozen=True)
class Planted:
    """A fault, in the tables, the book or a delivery, and how the checks tell of it."""

    told: str
    table: str = ""
    book: str = ""
    letter: bool = False


_SENT = "(SELECT min(id) FROM notices_notice WHERE channel = '1177' AND state = 'sent')"
_ONE = "rowid = (SELECT min(rowid) FROM messages)"

FAULTS = (
    Planted("sent but not in the book", book=f"DELETE FROM messages WHERE {_ONE}"),
    Planted(
        "more messages than notices",
        book="INSERT INTO messages SELECT 'x', idempotency_key || '/2', body_hash, content,"
        f" received_at, 1, NULL, NULL FROM messages WHERE {_ONE}",
    ),
    Planted(
        "in the book but not sent",
        book=f"UPDATE messages SET idempotency_key = 'nobody''s' WHERE {_ONE}",
    ),
    Planted(
        "another receipt than the book's",
        table=f"UPDATE notices_notice SET receipt = 'x' WHERE id = {_SENT}",
    ),
    Planted(
        "notices past their time",
        table=f"UPDATE notices_notice SET state = 'waiting' WHERE id = {_SENT}",
    ),
    Planted(
        "another outcome than the answer",
        table="UPDATE referral_offer SET state = 'sent' WHERE id ="
        " (SELECT min(id) FROM referral_offer WHERE state = 'declined')",
    ),
    Planted(
        "another outcome than the answer",
        table="INSERT INTO referral_caselog (case_id, at, verb, from_state, to_state, actor_name,"
        " role, place, why, details) SELECT case_id, at, verb, from_state, to_state, actor_name,"
        " role, place, why, details FROM referral_caselog WHERE verb = 'accept' LIMIT 1",
    ),
    Planted(
        "lines whose counter",
        table="UPDATE contracts_contractline SET taken_volume = taken_volume + 1",
    ),
    Planted(
        "told another number of times",
        table="INSERT INTO referral_caselog (case_id, at, verb, from_state, to_state, actor_name,"
        " role, place, why, details) SELECT case_id, at, verb, from_state, to_state, actor_name,"
        " role, place, why, details FROM referral_caselog WHERE verb = 'notice_sent' LIMIT 1",
    ),
    Planted(
        "in the access log another number",
        table="DELETE FROM organisations_accesslog WHERE id ="
        " (SELECT min(id) FROM organisations_accesslog WHERE what = 'notice_sent')",
    ),
    Planted(
        "events past their time",
        table="UPDATE organisations_eventdelivery SET done_at = NULL WHERE id ="
        " (SELECT min(id) FROM organisations_eventdelivery)",
    ),
    Planted(
        "call-backs that were not taken",
        book="UPDATE callbacks SET done_at = NULL WHERE rowid = (SELECT min(rowid) FROM callbacks)",
    ),
    Planted(
        "e-mails sent but not taken",
        book="DELETE FROM emails WHERE message_id = (SELECT min(message_id) FROM emails)",
    ),
)
# Letters go on no Sunday and no public holiday; on such a day there are none to spoil.
LETTER_FAULT = Planted("a letter that is not what its index says", letter=True)


def prove(url: str, book: Path, drop: Path, *, at: datetime) -> int:
    """Plant each fault by itself and take it away again; returns how many the checks found.

    Raises :class:`AssertionError` for one that they did not.
    """
    faults = [*FAULTS, *([LETTER_FAULT] if any(drop.glob("brev-*/*.pdf")) else [])]
    for fault in faults:
        with tempfile.TemporaryDirectory() as folder, psycopg.connect(url) as connection:
            spoilt_book, spoilt_drop = Path(folder) / "book", Path(folder) / "drop"
            with sqlite3.connect(book) as whole, sqlite3.connect(spoilt_book) as copy:
                whole.backup(copy)
            if drop.exists():
                shutil.copytree(drop, spoilt_drop)
            _plant(fault, connection, spoilt_book, spoilt_drop)
            found = broken_rules(connection, spoilt_book, spoilt_drop, at=at)
            connection.rollback()
        if not any(fault.told in text for text in found):
            raise AssertionError(f"not found: {fault}; found {found}")
    return len(faults)


def _plant(fault: Planted, connection: psycopg.Connection[Any], book: Path, drop: Path) -> None:
    if fault.table:
        connection.execute("SET LOCAL session_replication_role = replica")  # no triggers
        count = connection.execute(fault.table).rowcount  # type: ignore[arg-type]
    elif fault.book:
        with sqlite3.connect(book) as db:
            count = db.execute(fault.book).rowcount
    else:
        letter = next(drop.glob("brev-*/*.pdf"))
        count = letter.write_bytes(letter.read_bytes()[:-1])
    if count < 1:
        raise AssertionError(f"there was nothing to plant it in: {fault}")
