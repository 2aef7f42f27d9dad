"""One event that opens a line, with many watched cases, beside the bare SQL that finds them.

``python -m benchmarks.watch_list --cases 200000 --watched 5000``. Half of all cases lie in the
region; the watched ones are of four procedures, one of which the event is about.
"""

import argparse
import time
from typing import Any

from benchmarks.database import own_database
from benchmarks.worklist import REGION, fill

KVAS = ("NGB49", "NFB49", "CJE20", "JKA21")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--watched", type=int, default=5_000)
    arguments = parser.parse_args()
    with own_database():
        fill(arguments.cases)
        watch(arguments.watched)
        measure()


def watch(number: int) -> None:
    """Put open cases of the region on the watch list."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            """
            UPDATE referral_case c SET state = 'watched', watch_kind = 'wait', watch_reason = 'x',
                reviewed_on = current_date, review_on = current_date + 30,
                kva = (%(kvas)s::text[])[1 + w.n %% 4], asa = 1 + w.n %% 4
            FROM (
                SELECT id, (row_number() OVER (ORDER BY id))::int AS n FROM referral_case
                WHERE region_id = %(region)s AND state = 'received' LIMIT %(number)s
            ) w WHERE w.id = c.id
            """,
            {"kvas": list(KVAS), "region": REGION, "number": number},
        )
        cursor.execute("ANALYZE referral_case")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def measure() -> None:
    """The event that makes a hit of each case it fits, and one that finds nobody new."""
    from django.db import connection, transaction
    from django.utils import timezone

    from organisations.acting import Product, act_as
    from organisations.events import emit
    from organisations.models import DomainEvent
    from referral.models import WatchHit
    from referral.watch_hits import on_contract

    act_as(Product("benchmark"))
    line, now = make_line(), timezone.now()

    def bare() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.id, c.asa, p.birth_date FROM referral_case c"
                " JOIN patients_patient p ON p.id = c.patient_id"
                " WHERE c.region_id = %s AND c.state = 'watched' AND c.kva = %s AND c.asa <= 3",
                [REGION, KVAS[0]],
            )
            return cursor.fetchall()

    def happens() -> None:
        with transaction.atomic():
            event: DomainEvent = emit(
                "contract.opened", now=now, payload={"lines": [line.pk], "why": "room"}
            )
            on_contract(event, now)

    bare()
    found, sql = timed(bare)
    _none, first = timed(happens)
    hits = WatchHit.objects.count()
    _none, again = timed(happens)
    type(line).objects.filter(pk=line.pk).update(is_active=False)
    _none, closed = timed(happens)
    print(f"{len(found)} cases by bare SQL: {sql:.1f} ms")
    print(f"{hits} hits found and written: {first:.0f} ms, {first / max(1, hits):.2f} ms a hit")
    print(f"the same event again, nothing new: {again:.0f} ms")
    print(f"an event about a line that takes nobody: {closed:.1f} ms")


def make_line() -> Any:
    """A contract line for the first procedure that the region may call off on."""
    from datetime import date

    from contracts.models import Contract, ContractLine
    from organisations.models import CareUnit, Region

    unit = CareUnit.objects.select_related("provider").first()
    assert unit is not None
    CareUnit.objects.filter(pk=unit.pk).update(receives=True)
    contract = Contract.objects.create(
        number="B-1",
        title="Benchmark",
        owner_region_id=REGION,
        provider=unit.provider,
        contract_type=Contract.Type.PROCUREMENT,
        valid_from=date(2020, 1, 1),
        valid_to=date(2099, 1, 1),
    )
    contract.regions_allowed.set(Region.objects.all())
    return ContractLine.objects.create(
        contract=contract, care_unit=unit, kva=KVAS[0], price_sek=90_000, asa_ceiling=3
    )


def timed(work: Any) -> tuple[Any, float]:
    """What the work returned, and milliseconds."""
    began = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
