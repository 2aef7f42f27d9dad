"""Notices swept and handed to the gateway by one process, beside the same client's bare calls.

``python -m benchmarks.notices --notices 27425``. The gateway is the simulator, a process of its
own; its book tells whether each notice arrived exactly once. The bare limit is as many messages
posted by the product's client and as many threads, with nothing read and nothing recorded.
"""

import argparse
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.database import own_database
from benchmarks.processes import Machine
from benchmarks.worklist import fill

BODY = "Du väntar på vård. " * 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notices", type=int, default=27_425)
    arguments = parser.parse_args()
    with own_database() as folder, Machine(folder) as machine:
        machine.start("simulator")
        os.environ |= {"VARDLOTS_GATEWAY_URL": machine.gateway_url}
        fill(arguments.notices)
        make_notices(arguments.notices)
        measure(arguments.notices, machine)


def make_notices(number: int) -> None:
    """A notice without an offer in each of so many cases, due now."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            """
            INSERT INTO notices_notice (case_id, kind, channel, why_channel, state, sender_id,
                email_to, subject, body, idempotency_key, created_at, due_at, receipt, attempts,
                last_error, request_id)
            SELECT id, 'booked_time', '1177', '', 'waiting', sending_unit_id, '', 'Information',
                %s, number || '/benchmark', now(), now(), '', 0, '', ''
            FROM referral_case ORDER BY id LIMIT %s
            """,
            [BODY, number],
        )
        cursor.execute("ANALYZE notices_notice")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def measure(number: int, machine: Machine) -> None:
    from django.conf import settings
    from django.utils import timezone

    from organisations.acting import Product, act_as
    from organisations.sweeps import run_due

    settings.GATEWAY_URL = machine.gateway_url
    act_as(Product("benchmark"))
    run_due(now=timezone.now() - timedelta(days=1))  # what is read once is read
    book = machine.data / "simulator.sqlite3"
    with memory_seen(book, number) as seen:
        began, busy = time.perf_counter(), time.process_time()
        handled = run_due(now=timezone.now())
        took, busy = time.perf_counter() - began, time.process_time() - busy
    keys = all_keys(book)
    bare, bare_busy = post_bare(number)
    print(f"load {os.getloadavg()[0]:.1f}; {handled['inbox']} notices handled")
    print(f"swept: {took:.1f} s ({busy:.1f} s busy), {number / took:.0f} a second")
    print(f"bare:  {bare:.1f} s ({bare_busy:.1f} s busy), {number / bare:.0f} a second")
    print(f"ratio {took / bare:.2f}")
    print("memory, MB at share of the work:", ", ".join(f"{at:.0%} {mb:.0f}" for at, mb in seen))
    if sorted(keys) != sorted(set(keys)) or len(keys) != number:
        raise SystemExit(f"{len(keys)} keys in the book, {len(set(keys))} different")


def post_bare(number: int) -> tuple[float, float]:
    """Seconds, and seconds of them busy, for as many messages by the product's client alone."""
    from notices.at_once import at_once
    from notices.gateways import InboxMessage, send_message

    def post(n: int) -> str:
        message = InboxMessage(
            recipient=f"19{n:010d}",
            sender_hsa_id="SE5599000014-B1",
            sender_name="Klinik 1",
            subject="Information",
            body=BODY,
            reference=f"14-26-{n:06d}-0",
            thread=str(n),
            answerable=False,
        )
        return send_message(message, key=f"bare/{n}")

    began, busy = time.perf_counter(), time.process_time()
    receipts = at_once(post, range(number), until=float("inf"))
    took = time.perf_counter() - began, time.process_time() - busy
    if not all(isinstance(receipt, str) for receipt in receipts):
        raise SystemExit("the bare posts did not all get their receipt")
    return took


def all_keys(book: Path) -> list[str]:
    with sqlite3.connect(book) as db:
        return [key for (key,) in db.execute("SELECT idempotency_key FROM messages")]


@contextmanager
def memory_seen(book: Path, number: int) -> Iterator[list[tuple[float, float]]]:
    """Resident memory of this process at each tenth of the work, as (share, MB)."""
    import psutil

    seen: list[tuple[float, float]] = []
    over = threading.Event()

    def watch() -> None:
        process = psutil.Process()
        db: Any = sqlite3.connect(book)
        while not over.wait(0.2):
            (count,) = db.execute("SELECT count(*) FROM messages").fetchone()
            if count / number >= (len(seen) + 1) / 10:
                seen.append((count / number, process.memory_info().rss / 1e6))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


if __name__ == "__main__":
    main()
