"""Many fight for the last places under a cap while their connections are killed at random.

``python -m benchmarks.cap --rounds 1000``. Each round is a line with ten places left, held by
another kind of cap from round to round. Everybody (64: eight processes of eight threads, each with
a connection of its own) tries until it has a place or is told that there is none; some give their
place back on the way and fight for it again. Meanwhile connections are ended by the server at
random moments. After each round: nobody passed the cap, no place was lost, and the counters equal
the ledger.
"""

import argparse
import multiprocessing
import os
import random
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.database import own_database

PLACES = 10
PRICE = Decimal(80_000)
NAME = "vardlots-cap-fight"
PATIENCE = 300

# Which cap leaves ten places, one kind a round.
KINDS = ("line volume", "contract volume", "line SEK", "contract SEK", "week on line", "year")


@dataclass
class Outcome:
    """What happened in all rounds; ``wrong`` holds every rule that was broken."""

    rounds: int = 0
    taken: int = 0
    refused: int = 0
    killed: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds in {self.seconds:.0f} s: {self.taken} places taken, "
            f"{self.refused} refused, {self.killed} connections killed, "
            f"{len(self.wrong)} rules broken"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    arguments = parser.parse_args()
    with own_database() as folder:
        from config.embedded.places import Places
        from config.embedded.urls import DATABASE, postgres_url
        from organisations.acting import Product, act_as

        os.environ["DATABASE_URL"] = postgres_url(Places(folder), database=DATABASE)
        act_as(Product("benchmark"))
        outcome = fight(arguments.rounds, arguments.processes, arguments.threads)
    print(outcome)
    for text in outcome.wrong[:20]:
        print(text)
    raise SystemExit(bool(outcome.wrong))


def fight(rounds: int, processes: int, threads: int, *, seed: int = 1) -> Outcome:
    """Fight ``rounds`` rounds in the database of ``DATABASE_URL``; returns what happened."""
    context = multiprocessing.get_context("spawn")
    begin, done = (context.Barrier(processes * threads + 1) for _ in range(2))
    lines, reports = context.Queue(), context.Queue()
    arguments = (rounds, threads, begin, done, lines, reports)
    fighters = [
        context.Process(target=fighter, args=(n, seed, *arguments), daemon=True)
        for n in range(processes)
    ]
    outcome, over = Outcome(), threading.Event()
    # A child that dies breaks the barriers, so that the run ends with an error and never hangs.
    watcher = threading.Thread(target=_watch, args=(fighters, over, begin, done), daemon=True)
    for process in fighters:
        process.start()
    watcher.start()
    chaos = threading.Thread(target=kill_at_random, args=(seed, over, outcome))
    chaos.start()
    began = time.perf_counter()
    try:
        for number in range(rounds):
            line = make_line(number)
            for _process in range(processes):
                lines.put(line)
            begin.wait(PATIENCE)
            done.wait(PATIENCE)
            outcome.rounds += 1
            outcome.wrong += [f"round {number}: {text}" for text in broken_rules(line)]
        for _process in range(processes):
            taken, refused = reports.get(timeout=PATIENCE)
            outcome.taken += taken
            outcome.refused += refused
    finally:
        over.set()
        chaos.join()
        for process in fighters:
            process.join(10)
    outcome.seconds = time.perf_counter() - began
    if outcome.taken < rounds * PLACES:
        outcome.wrong.append(f"{outcome.taken} places taken in all, {rounds * PLACES} there were")
    return outcome


def _watch(fighters: list[BaseProcess], over: threading.Event, *barriers: Barrier) -> None:
    while not over.wait(1):
        if any(process.exitcode for process in fighters):
            for barrier in barriers:
                barrier.abort()
            return


def make_line(number: int) -> int:
    """A line with ten places left under the round's kind of cap; two are taken already."""
    from datetime import date, timedelta

    from django.utils import timezone

    from contracts.models import Contract, ContractLine, Period, PeriodCap
    from contracts.services import reserve, use
    from organisations.models import CareUnit, Municipality, Provider, Region

    now, kind = timezone.now(), KINDS[number % len(KINDS)]
    provider, _new = Provider.objects.get_or_create(
        name="Kampen AB", defaults={"organisation_number": "5599000022", "kind": "private"}
    )
    region = Region.objects.get(code="13")
    town = Municipality.objects.filter(region=region).order_by("code")[0]
    unit, _new = CareUnit.objects.get_or_create(
        hsa_id="SE5599000022-F001",
        defaults={
            "name": "Kampen",
            "provider": provider,
            "region": region,
            "municipality": town,
            "latitude": town.latitude,
            "longitude": town.longitude,
            "receives": True,
        },
    )
    all_places, today = PLACES + 2, timezone.localdate(now)
    contract = Contract.objects.create(
        number=f"FIGHT-{number:05d}",
        title="Kampen",
        owner_region=region,
        provider=provider,
        contract_type=Contract.Type.PROCUREMENT,
        valid_from=date(2020, 1, 1),
        valid_to=today + timedelta(days=365),
        cap_volume=all_places if kind == "contract volume" else None,
        cap_sek=all_places * PRICE if kind == "contract SEK" else None,
    )
    line = ContractLine.objects.create(
        contract=contract,
        care_unit=unit,
        kva="NGB49",
        price_sek=PRICE,
        cap_volume=all_places if kind == "line volume" else None,
        cap_sek=all_places * PRICE if kind == "line SEK" else None,
    )
    if kind == "week on line":
        PeriodCap.objects.create(
            line=line, period=Period.WEEK, cap_volume=all_places, applies_from=today
        )
    if kind == "year":
        PeriodCap.objects.create(
            contract=contract, period=Period.YEAR, cap_sek=all_places * PRICE, applies_from=today
        )
    for n in range(2):
        use(reserve(line, case_number=_number(number, 900 + n), region=region, now=now), now=now)
    return int(line.pk)


def _number(number: int, n: int) -> str:
    return f"13-{number % 100:02d}-{n:06d}-{number // 100:d}"[:15]


def fighter(
    process: int,
    seed: int,
    rounds: int,
    threads: int,
    begin: Barrier,
    done: Barrier,
    lines: Any,
    reports: Any,
) -> None:
    """One process: its threads fight each round for the line that is fetched from ``lines``."""
    import django

    django.setup()
    current: dict[str, int] = {}
    inside = threading.Barrier(threads)
    taken, refused = [0] * threads, [0] * threads

    def guarded(thread: int) -> None:
        try:
            run(thread)
        except BaseException:
            for barrier in (inside, begin, done):
                barrier.abort()
            raise

    def run(thread: int) -> None:
        chance = random.Random(f"{seed}/{process}/{thread}")
        for number in range(rounds):
            if thread == 0:
                current["line"] = lines.get(timeout=PATIENCE)
            inside.wait(PATIENCE)
            begin.wait(PATIENCE)
            if fight_for_a_place(
                current["line"], _number(number, process * threads + thread), chance
            ):
                taken[thread] += 1
            else:
                refused[thread] += 1
            done.wait(PATIENCE)

    workers = [threading.Thread(target=guarded, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    reports.put((sum(taken), sum(refused)))


def fight_for_a_place(line_id: int, case_number: str, chance: random.Random) -> bool:
    """Try until there is a place or a refusal; a killed connection is only a reason to ask again.

    One in four gives its place back and fights for it anew, once.
    """
    got = insist(lambda: take(line_id, case_number))
    if got and chance.random() < 0.25:
        insist(lambda: give_back(line_id, case_number))
        got = insist(lambda: take(line_id, case_number))
    return got


def insist(work: Any) -> bool:
    """Do the work until the database has answered it; one that never does is an error."""
    from django.db import InterfaceError, OperationalError, connection

    for _attempt in range(2_000):
        try:
            return bool(work())
        except (OperationalError, InterfaceError):  # killed, or the server has no slot just now
            connection.close()
            time.sleep(0.01)
    raise RuntimeError("the database does not answer")


def take(line_id: int, case_number: str) -> bool:
    """A place, perhaps had already: a kill may come after the commit and before its answer."""
    from django.db import connection
    from django.utils import timezone

    from contracts.models import CallOff, ContractLine
    from contracts.services import reserve
    from organisations.errors import CapReached
    from organisations.models import Region

    if connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [NAME])
    live = CallOff.objects.filter(line=line_id, case_number=case_number)
    if live.exclude(state="released").exists():
        return True
    line = ContractLine.objects.get(pk=line_id)
    try:
        reserve(line, case_number=case_number, region=Region(code="13"), now=timezone.now())
    except CapReached:
        return False
    return True


def give_back(line_id: int, case_number: str) -> bool:
    from django.utils import timezone

    from contracts.models import CallOff
    from contracts.services import release

    for call_off in CallOff.objects.filter(line=line_id, case_number=case_number, state="reserved"):
        release(call_off, now=timezone.now())
    return True


def kill_at_random(seed: int, over: threading.Event, outcome: Outcome) -> None:
    """End a fighter's connection at random moments, in the middle of whatever it does."""
    from django.db import connection

    chance = random.Random(seed)
    while not over.wait(chance.uniform(0.02, 0.2)):
        with connection.cursor() as cursor:
            # The application's role neither sees what others do nor may end it.
            cursor.execute("RESET ROLE")
            cursor.execute(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM ("
                " SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = %s AND state <> 'idle' ORDER BY random() LIMIT 1) a",
                [NAME],
            )
            outcome.killed += cursor.fetchone()[0]
    connection.close()


def broken_rules(line_id: int) -> list[str]:
    """Every rule that does not hold for the line after a round; empty when all hold."""
    from django.db.models import Count, Sum

    from contracts.models import CallOff, ContractLine, PeriodCount

    line = ContractLine.objects.select_related("contract").get(pk=line_id)
    live = CallOff.objects.filter(line=line).exclude(state="released")
    sums = live.aggregate(volume=Count("pk"), sek=Sum("amount_sek"))
    expected = (PLACES + 2, (PLACES + 2) * PRICE)
    found = {
        "ledger": (sums["volume"], sums["sek"]),
        "line": (line.taken_volume, line.taken_sek),
        "contract": (line.contract.taken_volume, line.contract.taken_sek),
    }
    counts = PeriodCount.objects.filter(period_cap__line=line) | PeriodCount.objects.filter(
        period_cap__contract=line.contract
    )
    for count in counts:
        found[f"period {count.starts_on}"] = (count.taken_volume, count.taken_sek)
    return [
        f"{where} has {value}, should be {expected}"
        for where, value in found.items()
        if value != expected
    ]


if __name__ == "__main__":
    main()
