"""What must hold after a run in which everything broke: asked of tables, book and files.

Its own SQL, and the simulator's own book: nothing here trusts the code that is being tried.
"""

import csv
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

GATEWAY = ("1177", "digital")
GONE = ("sent", "read", "answered")


class Message(NamedTuple):
    """A row of the simulator's book."""

    message_id: str
    key: str
    about: tuple[str, str, str]
    answer: bool | None


def broken_rules(
    connection: psycopg.Connection[Any], book: Path, drop: Path, *, at: datetime
) -> list[str]:
    """Every rule that does not hold, with what breaks it; empty when all hold."""
    db = connection.cursor(row_factory=namedtuple_row)
    messages = list(read_book(book))
    return [
        *_each_once(db, messages),
        *_one_outcome(db, messages),
        *_call_offs(db),
        *_nothing_waits(db, book, at),
        *_told_once(db),
        *_letters(db, drop),
        *_emails(db, book),
    ]


def read_book(book: Path) -> Iterator[Message]:
    with sqlite3.connect(book) as db:
        rows = db.execute("SELECT message_id, idempotency_key, content, answer FROM messages")
        for message_id, key, content, answer in rows:
            told = json.loads(content)
            about = (told["channel"], told["reference"], told["subject"])
            accepted = json.loads(answer)["accepted"] if answer else None
            yield Message(message_id, key, about, accepted)


def _each_once(db: psycopg.Cursor[Any], messages: list[Message]) -> Iterator[str]:
    """What is recorded as gone by the gateway and what the gateway has are the same, once each."""
    db.execute(
        "SELECT n.idempotency_key AS key, n.receipt, n.channel, c.number, n.subject"
        " FROM notices_notice n JOIN referral_case c ON c.id = n.case_id"
        " WHERE n.channel = ANY(%s) AND n.state = ANY(%s)",
        [list(GATEWAY), list(GONE)],
    )
    sent = {row.key: row for row in db.fetchall()}
    taken = Counter(message.key for message in messages)
    yield from _differ("sent but not in the book", set(sent) - set(taken))
    yield from _differ("in the book but not sent", set(taken) - set(sent))
    yield from _differ("twice in the book", [key for key, n in taken.items() if n > 1])
    # A second key for the same notice would be a second message to the patient.
    about = Counter(message.about for message in messages)
    meant = Counter((row.channel, row.number, row.subject) for row in sent.values())
    yield from _differ("more messages than notices", about - meant)
    receipts = {message.key: message.message_id for message in messages}
    yield from _differ(
        "another receipt than the book's",
        [key for key, row in sent.items() if receipts.get(key, row.receipt) != row.receipt],
    )


def _one_outcome(db: psycopg.Cursor[Any], messages: list[Message]) -> Iterator[str]:
    """What the patient answered is what became of offer and case, told once in the case's log."""
    answers = {m.about[1]: m.answer for m in messages if m.answer is not None}
    db.execute(
        "SELECT c.number, c.state AS case_state, o.state, p.state AS call_off,"
        " (SELECT count(*) FROM referral_caselog l WHERE l.case_id = c.id AND l.verb = 'accept')"
        " AS yes,"
        " (SELECT count(*) FROM referral_caselog l WHERE l.case_id = c.id AND l.verb = 'decline')"
        " AS no"
        " FROM referral_offer o JOIN referral_case c ON c.id = o.case_id"
        " JOIN contracts_calloff p ON p.id = o.call_off_id"
    )
    expected = {
        True: ("accepted", "accepted", "reserved", 1, 0),
        False: ("in_progress", "declined", "released", 0, 1),
        None: ("offered", "sent", "reserved", 0, 0),
    }
    seen = Counter(
        (
            row.number,
            (row.case_state, row.state, row.call_off, row.yes, row.no)
            == expected[answers.get(row.number)],
        )
        for row in db.fetchall()
    )
    yield from _differ("another outcome than the answer", [n for n, right in seen if not right])
    yield from _differ(
        "more than one outcome", [n for (n, _right), count in seen.items() if count > 1]
    )


def _call_offs(db: psycopg.Cursor[Any]) -> Iterator[str]:
    """The counter of each line is the sum of its ledger."""
    db.execute(
        "SELECT l.id FROM contracts_contractline l WHERE l.taken_volume <>"
        " (SELECT count(*) FROM contracts_calloff p"
        "  WHERE p.line_id = l.id AND p.state <> 'released')"
    )
    yield from _differ(
        "lines whose counter is not the ledger's sum", [row.id for row in db.fetchall()]
    )


def _nothing_waits(db: psycopg.Cursor[Any], book: Path, at: datetime) -> Iterator[str]:
    for what, query in (
        ("notices", "notices_notice WHERE state = 'waiting' AND due_at <= %s"),
        ("staff mail", "notices_staffmail WHERE state = 'waiting' AND due_at <= %s"),
        ("letter batches", "notices_letterbatch WHERE delivered_at IS NULL AND due_at <= %s"),
        ("events", "organisations_eventdelivery WHERE done_at IS NULL AND due_at <= %s"),
    ):
        db.execute(f"SELECT id FROM {query}", [at])  # type: ignore[arg-type]
        yield from _differ(f"{what} past their time", [row.id for row in db.fetchall()])
    with sqlite3.connect(book) as callbacks:
        left = callbacks.execute(
            "SELECT delivery_id FROM callbacks WHERE done_at IS NULL OR last_status <> '200'"
        ).fetchall()
    yield from _differ("call-backs that were not taken", [row[0] for row in left])


def _told_once(db: psycopg.Cursor[Any]) -> Iterator[str]:
    """Each notice that went stands once on its case's timeline and once in the access log."""
    db.execute(
        "SELECT c.number, CASE n.channel WHEN 'letter' THEN 'letter_sent' ELSE 'notice_sent' END"
        " AS verb, count(*) AS n FROM notices_notice n JOIN referral_case c ON c.id = n.case_id"
        " WHERE n.state = ANY(%s) GROUP BY 1, 2",
        [list(GONE)],
    )
    gone = {(row.number, row.verb): row.n for row in db.fetchall()}
    db.execute(
        "SELECT c.number, l.verb, count(*) AS n FROM referral_caselog l"
        " JOIN referral_case c ON c.id = l.case_id"
        " WHERE l.verb IN ('letter_sent', 'notice_sent') GROUP BY 1, 2"
    )
    logged = {(row.number, row.verb): row.n for row in db.fetchall()}
    yield from _differ("told another number of times than sent", _unequal(gone, logged))
    db.execute(
        "SELECT case_number AS number, what AS verb, count(*) AS n FROM organisations_accesslog"
        " WHERE what IN ('letter_sent', 'notice_sent') GROUP BY 1, 2"
    )
    kept = {(row.number, row.verb): row.n for row in db.fetchall()}
    yield from _differ("in the access log another number of times", _unequal(gone, kept))


def _unequal(left: dict[Any, int], right: dict[Any, int]) -> list[Any]:
    return [key for key in left.keys() | right.keys() if left.get(key, 0) != right.get(key, 0)]


def _letters(db: psycopg.Cursor[Any], drop: Path) -> Iterator[str]:
    """Each letter that went lies in exactly one delivery, whole; nothing else lies there."""
    db.execute(
        "SELECT c.number || '_' || n.id || '.pdf' AS file FROM notices_notice n"
        " JOIN referral_case c ON c.id = n.case_id"
        " WHERE n.channel = 'letter' AND n.state = ANY(%s)",
        [list(GONE)],
    )
    sent = Counter(row.file for row in db.fetchall())
    found: Counter[str] = Counter()
    for index in drop.glob("brev-*/index.csv"):
        with index.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                found[row["file"]] += 1
                letter = index.parent / row["file"]
                content = letter.read_bytes() if letter.exists() else b""
                if hashlib.sha256(content).hexdigest() != row["sha256"]:
                    yield f"a letter that is not what its index says: {row['file']}"
    yield from _differ("letters sent but not delivered, or delivered twice", _unequal(sent, found))


def _emails(db: psycopg.Cursor[Any], book: Path) -> Iterator[str]:
    """Each e-mail arrived. SMTP knows no keys: the same id may come again, never another."""
    db.execute(
        "SELECT idempotency_key AS key FROM notices_notice"
        " WHERE channel = 'email' AND state = ANY(%s)",
        [list(GONE)],
    )
    sent = {f"<{row.key.replace('/', '.')}@vardlots>" for row in db.fetchall()}
    with sqlite3.connect(book) as emails:
        taken = {row[0] for row in emails.execute("SELECT message_id FROM emails")}
    yield from _differ("e-mails sent but not taken, or the other way", sent ^ taken)


def _differ(what: str, found: Iterable[Any]) -> Iterator[str]:
    listed = sorted(map(str, found))
    if listed:
        yield f"{what}: {len(listed)}, such as {', '.join(listed[:3])}"
