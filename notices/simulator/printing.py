"""The print provider: takes deliveries from the folder, keeps its own book, acknowledges.

Each delivery is taken once by its name. Every file is checked against the index; what does not fit
is rejected, as are letters that it has been told to reject.
"""

import csv
import hashlib
import io
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from notices.simulator.faults import Faults

logger = logging.getLogger("simulator")

COLUMNS = ("file", "sha256", "status", "reason", "date")
SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    name TEXT PRIMARY KEY, told INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY, delivery TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
    pages TEXT NOT NULL, way TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    told INTEGER NOT NULL DEFAULT 0, UNIQUE (delivery, file));
"""
SHOWN = 200


class PrintShop(threading.Thread):
    """A thread that looks into the folder twice a second."""

    def __init__(self, path: Path, drop: Path, faults: Faults) -> None:
        super().__init__(daemon=True, name="print shop")
        self.path, self.drop, self.faults = path, drop, faults
        self._stopped = threading.Event()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as db:
            db.executescript(SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            try:
                self.look()
            except Exception:  # one bad delivery must not stop the press
                logger.exception("a delivery could not be taken")

    def look(self) -> None:
        """Take what has come, and acknowledge what has been taken."""
        with self._open() as db:
            known = {row["name"] for row in db.execute("SELECT name FROM deliveries")}
        for folder in sorted(self.drop.glob("brev-*")):
            if folder.name not in known:
                self._take(folder)
        self._acknowledge()

    def letters(self, *, limit: int = -1) -> list[dict[str, Any]]:
        """The newest first."""
        with self._open() as db:
            sql = "SELECT * FROM letters ORDER BY id DESC LIMIT ?"
            return [dict(row) for row in db.execute(sql, (limit,))]

    def send_back(self, number: int, reason: str) -> bool:
        """A letter comes back; False when there is none such that was posted."""
        with self._open() as db:
            done = db.execute(
                "UPDATE letters SET status = 'returned', reason = ?, told = 0"
                " WHERE id = ? AND status = 'posted'",
                (reason, number),
            )
        return done.rowcount == 1

    def _take(self, folder: Path) -> None:
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        told = int(self.faults.spend("lose_acknowledgements"))
        entries = [(folder.name, *self._checked(folder, row), told) for row in rows]
        with self._open() as db:
            db.execute("INSERT INTO deliveries (name) VALUES (?)", (folder.name,))
            db.executemany(
                "INSERT INTO letters (delivery, file, sha256, pages, way, status, reason, told)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                entries,
            )
        logger.info("delivery %s: %s letters", folder.name, len(entries))

    def _checked(self, folder: Path, row: dict[str, str]) -> tuple[str, ...]:
        name = row["file"]
        given = (name, row["sha256"], row["pages"], row["delivery"])
        path = folder / Path(name).name
        if not path.is_file():
            return (*given, "rejected", "Filen saknas")
        if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            return (*given, "rejected", "Fel kontrollsumma")
        if self.faults.spend("reject_letters"):
            return (*given, "rejected", "Sidorna kan inte tryckas")
        if self.faults.spend("return_letters"):
            return (*given, "returned", "Adressaten okänd")
        return (*given, "posted", "")

    def _acknowledge(self) -> None:
        """Write a file of what has not been told, for each delivery that has any."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM letters WHERE told = 0 ORDER BY delivery, id")
            waiting: dict[str, list[sqlite3.Row]] = {}
            for row in rows.fetchall():
                waiting.setdefault(row["delivery"], []).append(row)
        for delivery, letters in waiting.items():
            self._write(delivery, letters)
            keys = [(row["id"], row["status"]) for row in letters]
            with self._open() as db:
                db.executemany("UPDATE letters SET told = 1 WHERE id = ? AND status = ?", keys)
                db.execute("UPDATE deliveries SET told = told + 1 WHERE name = ?", (delivery,))

    def _write(self, delivery: str, letters: list[sqlite3.Row]) -> None:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(COLUMNS)
        today = date.today().isoformat()  # noqa: DTZ011 - the simulator's own clock
        for row in letters:
            writer.writerow((row["file"], row["sha256"], row["status"], row["reason"], today))
        content = out.getvalue().encode()
        folder = self.drop / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        # Named by what is in it, so that a file once written is not written over by another.
        name = f"ack-{delivery}-{hashlib.sha256(content).hexdigest()[:8]}.csv"
        (folder / f".{name}").write_bytes(content)
        os.replace(folder / f".{name}", folder / name)


def print_pages(app: Flask, shop: PrintShop) -> None:
    @app.get("/tryckeri")
    def letters_page() -> str:
        return render_template("letters.html", letters=shop.letters(limit=SHOWN), shown=SHOWN)

    @app.post("/tryckeri/<int:number>/retur")
    def send_back(number: int) -> BaseResponse:
        if number >= 2**63 or not shop.send_back(number, "Adressaten okänd"):
            abort(404)
        shop.look()
        return redirect(url_for("letters_page"))
