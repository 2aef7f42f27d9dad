"""Notices while everything breaks: workers killed, Valkey emptied, PostgreSQL restarted, two beats,
a gateway that loses answers, fails, is slow, and doubles and shuffles its call-backs.

``python -m benchmarks.faults --notices 5000``. The real worker, beat, web server, Valkey,
PostgreSQL and simulator run as processes, and patients answer meanwhile. Afterwards the simulator's
own book and the product's tables must agree (benchmarks.fault_checks), and the checks must find
faults that are planted.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.database import own_database
from benchmarks.fault_checks import broken_rules
from benchmarks.fault_planting import prove
from benchmarks.processes import ROOT, Machine
from benchmarks.worklist import REGION, fill

WORKERS = ("worker 1", "worker 2")
BEATS = ("beat 1", "beat 2")
PATIENCE_SECONDS = 1800.0
# So many at the least, both yes and no, for there to be something to check.
ANSWERS = 6
# A notice that failed is tried again after minutes; the last look is after the longest it may be.
LATER = timedelta(hours=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notices", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=40, help="how many times something breaks")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    with own_database() as folder:
        made = make(arguments.notices)
        drop = folder / "print"
        run = Run(folder, random.Random(arguments.seed))
        print(f"{made} made in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        run.through(arguments.rounds)
        print(f"{run.told()} in {time.monotonic() - began:.0f} s", flush=True)
        wrong = run.checked(drop)
        for text in wrong:
            print(text)
        if wrong:
            raise SystemExit(1)
        print("every rule holds")
        print(f"planted faults found: {prove(run.superuser_url, run.book, drop, at=run.looked_at)}")


@dataclass
class Made:
    """How much there is to do."""

    offers: int
    plain: int

    def __str__(self) -> str:
        return f"{self.offers} offers and {self.plain} other notices"


def make(notices: int) -> Made:
    """Half of the notices are offers that the worker has yet to write, half stand there already."""
    from django.db import connection

    from organisations.acting import Product, act_as

    act_as(Product("benchmark"))
    fill(2 * notices)  # half of them in the region
    offers = notices // 2
    navigator, line = _navigator(), _line()
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            "UPDATE referral_case SET state = 'in_progress', navigator_id = %s, close_reason = '',"
            " closed_at = NULL WHERE region_id = %s",
            [navigator.user_id, REGION],
        )
        cursor.execute(
            """
            INSERT INTO notices_notice (case_id, kind, channel, why_channel, state, sender_id,
                email_to, subject, body, idempotency_key, created_at, due_at, receipt, attempts,
                last_error, request_id)
            SELECT id, 'booked_time', '1177', '', 'waiting', sending_unit_id, '', 'Information',
                'Text', number || '/benchmark', now(), now() + interval '1 day', '', 0, '', ''
            FROM referral_case WHERE region_id = %s ORDER BY id OFFSET %s LIMIT %s
            """,
            [REGION, offers, notices - offers],
        )
        cursor.execute("SET ROLE vardlots_app")
    _make_offers(line, offers, sent_by=navigator.user_id)
    return Made(offers, notices - offers)


def _make_offers(line: Any, number: int, *, sent_by: int) -> None:
    """What sending an offer leaves in the tables, without choosing and writing each."""
    from django.db import transaction
    from django.utils import timezone

    from contracts.services import reserve
    from organisations.events import emit, without_waking
    from referral.models import Case, Offer

    now = timezone.now()
    with transaction.atomic(), without_waking():
        cases = Case.objects.select_related("region").filter(region=REGION).order_by("pk")[:number]
        for case in cases:
            offer = Offer.objects.create(
                case=case,
                serial=1,
                line=line,
                care_unit=line.care_unit,
                call_off=reserve(line, case_number=case.number, region=case.region, now=now),
                contract_number=line.contract.number,
                price_sek=line.price_sek,
                included=line.included,
                text="Du kan få vård tidigare hos en annan vårdgivare.",
                sent_by_id=sent_by,
                sent_at=now,
                due_at=now + timedelta(days=30),
            )
            emit("offer.sent", now=now, case_number=case.number, payload={"offer": offer.serial})
        Case.objects.filter(pk__in=[case.pk for case in cases]).update(state="offered")


def _navigator() -> Any:
    from organisations.access import actor_for
    from organisations.models import Assignment, Role, User

    began = datetime(2020, 1, 1, tzinfo=UTC)
    user = User.objects.create(login="fault-navigator", name="Vårdlots")
    Assignment.objects.create(user=user, role=Role.NAVIGATOR, region_id=REGION, starts_at=began)
    actor = actor_for(user, now=datetime.now(UTC))
    assert actor is not None
    return actor


def _line() -> Any:
    from benchmarks.watch_list import make_line
    from organisations.models import CareUnit

    line = make_line()
    CareUnit.objects.filter(pk=line.care_unit_id).update(email="mottagning@example.org")
    line.cap_volume = 1_000_000
    line.save()
    return line


@dataclass
class Run:
    """One run of all programs while they are broken, seeded."""

    folder: Path
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        from config.embedded.places import Account, Places
        from config.embedded.postgres import SUPERUSER, EmbeddedPostgres
        from config.embedded.urls import postgres_url
        from config.embedded.valkey import EmbeddedValkey

        self.places = Places(self.folder)
        self.account = Account.of(self.places)
        self.postgres, self.valkey = EmbeddedPostgres(self.places), EmbeddedValkey(self.places)
        url = postgres_url(self.places, database="vardlots")
        self.superuser_url = url.replace("//vardlots@", f"//{SUPERUSER}@")
        self.machine = Machine(
            self.folder,
            VARDLOTS_SWEEP_SECONDS="1",
            VARDLOTS_BREAKER_PAUSE="1",
            WEB_CONCURRENCY="1",
        )
        self.book = self.folder / "simulator.sqlite3"
        self.over = threading.Event()
        # As of when nothing may wait: past the pauses of what was to be tried again.
        self.looked_at = datetime.now(UTC) + LATER

    def through(self, rounds: int) -> None:
        patients = threading.Thread(target=self._patients)
        with self.machine:
            for kind in ("simulator", "web"):
                self.machine.start(kind)
            self._close_some_inboxes()
            for beat in BEATS:
                self._start_beat(beat)
            for worker in WORKERS:
                self.machine.start("worker", worker)
            patients.start()
            try:
                self._break(rounds)
                self._mend()
                self._wait_until(lambda: self.done["answers"] >= ANSWERS)
            finally:
                self.over.set()
                patients.join()
            self._settle()

    def told(self) -> str:
        return ", ".join(f"{what} {count}" for what, count in sorted(self.done.items()))

    def checked(self, drop: Path) -> list[str]:
        """The rules that do not hold, at the time of the last look."""
        with psycopg.connect(self.superuser_url) as connection:
            return broken_rules(connection, self.book, drop, at=self.looked_at)

    # What breaks

    def _break(self, rounds: int) -> None:
        """Each kind of fault in turn, in an order and at moments left to chance."""
        kinds: list[Callable[[], None]] = [
            self._kill_worker,
            self._empty_valkey,
            self._kill_worker,
            lambda: self._restart_postgres(signal.SIGINT),
            self._kill_worker,
            lambda: self._restart_postgres(signal.SIGQUIT),
            self._kill_worker,
            self._kill_beat,
        ]
        plan = [kinds[n % len(kinds)] for n in range(rounds)]
        self.chance.shuffle(plan)
        for number, fault in enumerate(plan):
            self._set_off(number, rounds)
            self._trouble_gateway()
            self._wait_for_work()
            time.sleep(self.chance.uniform(0, 0.4))
            fault()

    def _set_off(self, number: int, rounds: int) -> None:
        """Have the round's share of the notices that stand there come due within a second."""
        with psycopg.connect(self.superuser_url) as connection:
            connection.execute(
                "UPDATE notices_notice SET due_at = now() + random() * interval '1 second'"
                " WHERE kind = 'booked_time' AND attempts = 0 AND state = 'waiting'"
                " AND id %% %s = %s",
                [rounds, number],
            )

    def _wait_for_work(self) -> None:
        """A fault that comes when nothing is going on tries nothing."""
        before, deadline = self._arrived(), time.monotonic() + 10
        while self._arrived() == before and time.monotonic() < deadline:
            time.sleep(0.02)

    def _kill_worker(self) -> None:
        name = self.chance.choice(WORKERS)
        self.done["workers killed"] += 1
        if self.chance.random() < 0.3:
            self.machine.kill_child(name)
            return
        self.machine.kill(name)
        self.machine.start("worker", name)

    def _kill_beat(self) -> None:
        name = self.chance.choice(BEATS)
        self.machine.kill(name)
        self._start_beat(name)
        self.done["beats killed"] += 1

    def _start_beat(self, name: str) -> None:
        self.machine.start("beat", name, "--schedule", os.fspath(self.folder / f"{name}.schedule"))

    def _empty_valkey(self) -> None:
        self.valkey.stop(self.account)  # it keeps nothing
        time.sleep(self.chance.uniform(0, 1))
        self.valkey.start(self.account)
        self.done["Valkey emptied"] += 1

    def _restart_postgres(self, how: signal.Signals) -> None:
        pid = int((self.places.pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, how)
        while self.postgres.is_running:
            time.sleep(0.05)
        self.postgres.start(self.account)
        self.done[f"PostgreSQL restarted ({how.name})"] += 1

    def _trouble_gateway(self) -> None:
        chance = self.chance
        self._steer(
            delay_seconds=chance.choice([0.0, 0.02, 0.1]),
            lose_answer_next=chance.randint(1, 5),
            fail_next=chance.randint(0, 3),
            fail_lookups=chance.choice([0, 0, 0, 1]),
            double_callbacks=chance.random() < 0.5,
            shuffle_callbacks=chance.random() < 0.5,
        )
        self.done["gateway troubled"] += 1

    def _mend(self) -> None:
        self._steer(
            delay_seconds=0.0,
            lose_answer_next=0,
            fail_next=0,
            fail_lookups=0,
            double_callbacks=False,
            shuffle_callbacks=False,
        )

    def _steer(self, **faults: Any) -> None:
        httpx.post(f"{self.machine.gateway_url}/faults", json=faults, timeout=30).raise_for_status()

    # Patients

    def _close_some_inboxes(self) -> None:
        """One in twenty has a digital mailbox instead of 1177, one in twenty neither."""
        from django.db import connection

        from patients.models import Patient

        patients = Patient.objects.filter(cases__region=REGION).order_by("pk")
        url = f"{self.machine.gateway_url}/recipients.json"
        with httpx.Client(timeout=30) as client:
            for n, patient in enumerate(patients):
                if n % 10 == 0:
                    places = {"active": False, "mailbox": n % 20 == 0}
                    client.post(url, json={"identity_number": patient.identity_number} | places)
        connection.close()  # it would not outlive the first restart

    def _patients(self) -> None:
        """Three in four of the offers that arrive are answered, some at once and some later."""
        chance, seen = random.Random(self.chance.random()), set[str]()
        with httpx.Client(timeout=30) as client:
            while not self.over.wait(0.3):
                for message_id in self._answerable():
                    if message_id in seen or chance.random() < 0.5:
                        continue
                    seen.add(message_id)
                    if len(seen) % 4:  # the fourth never answers
                        self._answer(client, message_id, accepted=len(seen) % 2 == 0)

    def _answer(self, client: httpx.Client, message_id: str, *, accepted: bool) -> None:
        answer = {"message_id": message_id, "accepted": accepted}
        if not accepted:
            answer["reason"] = "travel"
        with suppress(httpx.TransportError):
            client.get(f"{self.machine.gateway_url}/meddelanden/{message_id}")
            client.post(f"{self.machine.gateway_url}/answer.json", json=answer)
            self.done["answers"] += 1

    def _answerable(self) -> list[str]:
        return [
            row[0]
            for row in self._from_book(
                "SELECT message_id FROM messages WHERE answer IS NULL"
                " AND json_extract(content, '$.answerable')"
            )
        ]

    def _arrived(self) -> int:
        return int(self._from_book("SELECT count(*) FROM messages")[0][0])

    def _from_book(self, query: str) -> list[Any]:
        with sqlite3.connect(self.book, timeout=30) as db:
            return db.execute(query).fetchall()

    # The end

    def _settle(self) -> None:
        """All that is due gets done by the workers; what failed is then tried again, later."""
        self._wait_until(lambda: not self._left(datetime.now(UTC)))
        for name in (*BEATS, *WORKERS):
            self.machine.kill(name)
        self.looked_at = datetime.now(UTC) + LATER
        for _time in range(3):
            if self._left(self.looked_at):
                self._run_due(self.looked_at)
        self._wait_until(lambda: not self._left(self.looked_at))
        again = self._from_book("SELECT count(*) FROM messages WHERE offered > 1")
        self.done["messages handed over again"] = again[0][0]

    def _run_due(self, at: datetime) -> None:
        with self.machine.log("run_due").open("ab") as log:
            subprocess.run(
                [sys.executable, "manage.py", "run_due", "--at", at.isoformat()],
                cwd=ROOT,
                env=self.machine.environment,
                stdout=log,
                stderr=log,
                check=True,
            )

    def _left(self, at: datetime) -> int:
        """How much is due and not done, here and among the gateway's call-backs."""
        with psycopg.connect(self.superuser_url) as connection:
            rows = connection.execute(
                "SELECT (SELECT count(*) FROM notices_notice"
                "  WHERE state = 'waiting' AND due_at <= %(at)s)"
                " + (SELECT count(*) FROM organisations_eventdelivery"
                "  WHERE done_at IS NULL AND due_at <= %(at)s)"
                " + (SELECT count(*) FROM notices_letterbatch WHERE delivered_at IS NULL)",
                {"at": at},
            ).fetchone()
        waiting = self._from_book("SELECT count(*) FROM callbacks WHERE done_at IS NULL")
        return int(rows[0] if rows else 1) + int(waiting[0][0])

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"it did not come to an end; {self.told()}")
            time.sleep(0.2)


if __name__ == "__main__":
    main()
