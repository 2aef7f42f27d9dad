"""The simulator's own book: what was handed over, read, answered and called back. SQLite."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

MAX_ROWID = 2**63 - 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    message_id TEXT PRIMARY KEY, idempotency_key TEXT UNIQUE NOT NULL, body_hash TEXT NOT NULL,
    content TEXT NOT NULL, received_at TEXT NOT NULL, offered INTEGER NOT NULL DEFAULT 1,
    read_at TEXT, answer TEXT);
CREATE TABLE IF NOT EXISTS callbacks (
    delivery_id TEXT PRIMARY KEY, message_id TEXT NOT NULL, url TEXT NOT NULL,
    payload TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL DEFAULT 0,
    done_at TEXT, last_status TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS callbacks_of_message ON callbacks (message_id);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (next_try) WHERE done_at IS NULL;
CREATE TABLE IF NOT EXISTS inactive (identity_number TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS mailboxes (identity_number TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS emails (
    id INTEGER PRIMARY KEY, message_id TEXT, sender TEXT, recipients TEXT, subject TEXT,
    body TEXT, received_at TEXT);
"""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Callback(NamedTuple):
    """Something to tell Vårdlots, at the earliest at a Unix time."""

    url: str
    payload: dict[str, Any]
    not_before: float


class Book:
    """One connection per thread; what is answered for is committed, so a kill loses nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = threading.local()
        # SQLite has who must wait for another writer sleep and look again: here they are woken.
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._writes() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(SCHEMA)

    @property
    def _db(self) -> sqlite3.Connection:
        """This thread's connection, which ends with the thread."""
        found: sqlite3.Connection | None = getattr(self._own, "db", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=30)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing
            self._own.db = found
        return found

    @contextmanager
    def _writes(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed when the block ends well."""
        with self._writing, self._db as db:
            yield db

    # Messages

    def take(
        self, key: str, body_hash: str, content: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str]:
        """Enter a message once per key: the row and ``new``, ``same`` or ``other``.

        There is no row for a new message to somebody without an inbox. A message once taken keeps
        its receipt, whatever becomes of the inbox afterwards.
        """
        with self._writes() as db:
            db.execute("BEGIN IMMEDIATE")
            row = db.execute(
                "UPDATE messages SET offered = offered + 1 WHERE idempotency_key = ? RETURNING *",
                (key,),
            ).fetchone()
            if row is not None:
                return _message(row), "same" if row["body_hash"] == body_hash else "other"
            if not _reaches(db, content["channel"], content["recipient"]):
                return None, "not active"
            row = db.execute(
                "INSERT INTO messages (message_id, idempotency_key, body_hash, content,"
                " received_at) VALUES (?, ?, ?, ?, ?) RETURNING *",
                (str(uuid.uuid4()), key, body_hash, json.dumps(content), now()),
            ).fetchone()
            return _message(row), "new"

    def messages(self, reference: str = "", *, limit: int = -1) -> list[dict[str, Any]]:
        """The newest first, of one case number when it is given."""
        rows = self._db.execute(
            "SELECT * FROM messages"
            " WHERE ? = '' OR upper(json_extract(content, '$.reference')) = upper(?)"
            " ORDER BY rowid DESC LIMIT ?",
            (reference, reference, limit),
        ).fetchall()
        return [_message(row) for row in rows]

    def message(self, message_id: str) -> dict[str, Any] | None:
        row = self._db.execute(
            "SELECT * FROM messages WHERE message_id = ?", (message_id,)
        ).fetchone()
        return _message(row) if row else None

    def mark_read(self, message_id: str, callback: Callback | None = None) -> bool:
        """True the first time; the callback is queued with it or not at all."""
        with self._writes() as db:
            done = db.execute(
                "UPDATE messages SET read_at = ? WHERE message_id = ? AND read_at IS NULL",
                (now(), message_id),
            )
            return _queue_if(db, done.rowcount == 1, message_id, callback)

    def answer(
        self, message_id: str, answer: dict[str, Any], callback: Callback | None = None
    ) -> bool:
        """True when this was the first answer; the callback is queued with it or not at all."""
        with self._writes() as db:
            done = db.execute(
                "UPDATE messages SET answer = ? WHERE message_id = ? AND answer IS NULL",
                (json.dumps(answer), message_id),
            )
            return _queue_if(db, done.rowcount == 1, message_id, callback)

    def queue(self, message_id: str, callback: Callback) -> None:
        """A callback about the message that changes nothing in the book."""
        with self._writes() as db:
            _queue_if(db, True, message_id, callback)

    # Recipients

    def set_active(self, identity_number: str, active: bool) -> None:
        """Everybody has an inbox in 1177 but those whose inbox was closed here."""
        sql = (
            "DELETE FROM inactive WHERE identity_number = ?"
            if active
            else "INSERT OR IGNORE INTO inactive VALUES (?)"
        )
        with self._writes() as db:
            db.execute(sql, (identity_number,))

    def set_mailbox(self, identity_number: str, reachable: bool) -> None:
        """Nobody has a digital mailbox but those who were given one here."""
        sql = (
            "INSERT OR IGNORE INTO mailboxes VALUES (?)"
            if reachable
            else "DELETE FROM mailboxes WHERE identity_number = ?"
        )
        with self._writes() as db:
            db.execute(sql, (identity_number,))

    def is_active(self, identity_number: str) -> bool:
        return _reaches(self._db, "1177", identity_number)

    def has_mailbox(self, identity_number: str) -> bool:
        return _reaches(self._db, "digital", identity_number)

    # Callbacks

    def due_callbacks(self, at: float) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "SELECT * FROM callbacks WHERE done_at IS NULL AND next_try <= ? ORDER BY rowid",
            (at,),
        ).fetchall()
        return [dict(row) for row in rows]

    def callbacks_of(self, message_id: str) -> list[dict[str, Any]]:
        rows = self._db.execute(
            "SELECT * FROM callbacks WHERE message_id = ? ORDER BY rowid", (message_id,)
        ).fetchall()
        return [dict(row) for row in rows]

    def callback_tried(self, delivery_id: str, status: str, *, done: bool, next_try: float) -> None:
        with self._writes() as db:
            db.execute(
                "UPDATE callbacks SET attempts = attempts + 1, last_status = ?, done_at = ?,"
                " next_try = ? WHERE delivery_id = ?",
                (status, now() if done else None, next_try, delivery_id),
            )

    # E-mail

    def keep_email(
        self, *, message_id: str, sender: str, recipients: list[str], subject: str, body: str
    ) -> None:
        with self._writes() as db:
            db.execute(
                "INSERT INTO emails (message_id, sender, recipients, subject, body, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (message_id, sender, ", ".join(recipients), subject, body, now()),
            )

    def emails(self) -> list[dict[str, Any]]:
        rows = self._db.execute("SELECT * FROM emails ORDER BY id DESC LIMIT 500").fetchall()
        return [dict(row) for row in rows]

    def email(self, number: int) -> dict[str, Any] | None:
        if number > MAX_ROWID:
            return None
        with self._writes() as db:
            row = db.execute("SELECT * FROM emails WHERE id = ?", (number,)).fetchone()
        return dict(row) if row else None


def _reaches(db: sqlite3.Connection, channel: str, identity_number: str) -> bool:
    if channel == "digital":
        sql = "SELECT 1 FROM mailboxes WHERE identity_number = ?"
        return db.execute(sql, (identity_number,)).fetchone() is not None
    sql = "SELECT 1 FROM inactive WHERE identity_number = ?"
    return db.execute(sql, (identity_number,)).fetchone() is None


def _queue_if(
    db: sqlite3.Connection, first: bool, message_id: str, callback: Callback | None
) -> bool:
    if first and callback:
        db.execute(
            "INSERT INTO callbacks (delivery_id, message_id, url, payload, next_try)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                callback.payload["delivery_id"],
                message_id,
                callback.url,
                json.dumps(callback.payload),
                callback.not_before,
            ),
        )
    return first


def _message(row: sqlite3.Row) -> dict[str, Any]:
    message = dict(row)
    message["content"] = json.loads(message["content"])
    message["answer"] = json.loads(message["answer"]) if message["answer"] else None
    return message
