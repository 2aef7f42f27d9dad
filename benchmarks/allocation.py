"""A whole waiting list allocated to contract lines, beside the solver's call alone.

``python -m benchmarks.allocation --cases 10000 --lines 200``. The patients are of one region and
live in municipalities all over the country, of every ASA class and age, for twenty procedures; the
lines' contracts have caps so tight that not all get a place, half of them in SEK too. Measured is
what the sweep does: read the cases, match them, allocate, write what each got.
"""

import argparse
import os
import resource
import time
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from benchmarks.database import own_database
from benchmarks.worklist import REGION, fill

CODES = [f"NGB{n:02d}" for n in (9, 19, 29, 39, 49)] + [f"NFB{n:02d}" for n in (9, 29, 39, 49, 62)]
CODES += [f"NHG{n:02d}" for n in (9, 14, 44, 46, 96)] + [f"ABC{n:02d}" for n in (6, 16, 26, 36, 60)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=200)
    arguments = parser.parse_args()
    with own_database():
        fill(2 * arguments.cases)  # half of them are the region's
        make_waiting(arguments.cases)
        make_lines(arguments.lines, arguments.cases)
        measure()


def make_waiting(cases: int) -> None:
    """The region's cases wait, with different needs, homes and waits."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            """
            WITH m AS (SELECT code, row_number() OVER (ORDER BY code) AS k
                FROM organisations_municipality)
            UPDATE patients_patient p SET municipality_id = m.code,
                birth_date = current_date - (18 * 365 + (p.id * 7919) %% (77 * 365))::int
            FROM m WHERE m.k = 1 + (p.id * 104729) %% (SELECT count(*) FROM m)
            """,
            [],
        )
        cursor.execute(
            """
            UPDATE referral_case SET state = 'in_progress', closed_at = NULL, close_reason = '',
                kva = (%s::text[])[1 + (id * 31) %% %s], asa = 1 + (id * 17) %% 4,
                decision_date = current_date - (id * 13 %% 300)::int,
                referral_date = current_date - 320,
                home_wait_days = CASE WHEN id %% 20 = 0 THEN NULL
                    ELSE (id * 13 %% 300) + 10 + (id * 37) %% 390 END
            WHERE region_id = %s
            """,
            [CODES, len(CODES), REGION],
        )
        cursor.execute("ANALYZE")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def make_lines(lines: int, cases: int) -> None:
    """Contracts of four lines each, with caps on lines, contracts and months."""
    from capacity.models import WaitingTime
    from contracts.models import Contract, ContractLine, Period, PeriodCap
    from organisations.acting import Product, act_as
    from organisations.models import CareUnit, Municipality, Provider, Region

    act_as(Product("benchmark"))
    random, today = Random(1), date.today()  # noqa: DTZ011 – any day will do
    towns = list(Municipality.objects.order_by("code"))
    regions = {region.pk: region for region in Region.objects.all()}
    share = cases / lines
    for number in range(lines // 4):
        town = random.choice(towns)
        provider = Provider.objects.create(
            name=f"Vård {number}", organisation_number=f"55{number:08d}", kind="private"
        )
        unit = CareUnit.objects.create(
            hsa_id=f"SE55{number:08d}-E001",
            name=f"Enhet {number}",
            provider=provider,
            region=town.region,
            municipality=town,
            latitude=town.latitude,
            longitude=town.longitude,
            receives=True,
        )
        places = int(share * 4 * random.uniform(0.2, 0.6))
        contract = Contract.objects.create(
            number=f"B-{number}",
            title="Benchmark",
            owner_region=random.choice(list(regions.values())),
            provider=provider,
            contract_type="procurement",
            valid_from=today - timedelta(days=100),
            valid_to=today + timedelta(days=300),
            cap_volume=places,
            cap_sek=Decimal(places) * 60_000 if number % 2 else None,
        )
        contract.regions_allowed.set([*random.sample(list(regions.values()), 6), regions[REGION]])
        for code in random.sample(CODES, 4):
            ContractLine.objects.create(
                contract=contract,
                care_unit=unit,
                kva=code,
                price_sek=Decimal(random.randint(200, 1200) * 100),
                asa_ceiling=random.choice([2, 2, 3, 4]),
                age_max=random.choice([None, None, 75, 85]),
                cap_volume=int(share * random.uniform(0.1, 0.8)),
            )
            WaitingTime.objects.create(
                care_unit=unit, kva=code, day=today, done=9, source="Benchmark",
                median_days=(days := random.randint(5, 150)), p80_days=days + 30,
            )  # fmt: skip
        if number % 3 == 0:
            PeriodCap.objects.create(
                contract=contract,
                period=Period.MONTH,
                cap_volume=max(1, places // 2),
                applies_from=today.replace(day=1),
            )


def measure() -> None:
    """Ask for the allocation as a navigator does, and let the sweep calculate it."""
    from django.utils import timezone

    from organisations.access import Actor, as_product
    from organisations.models import CareUnit, Role
    from referral import services
    from referral.models import AllocationRun

    navigator = Actor(role=Role.NAVIGATOR, name="Benchmark", region=REGION)
    clinics = list(CareUnit.objects.filter(sends=True, region_id=REGION))
    now = timezone.now()
    began = time.perf_counter()
    run = services.request_allocation(clinics=clinics, actor=navigator, now=now)
    asked = time.perf_counter() - began
    began, busy = time.perf_counter(), time.process_time()
    with as_product("benchmark"):
        services.run_allocations(now=now)
    whole, busy = time.perf_counter() - began, time.process_time() - busy
    run = AllocationRun.objects.get(pk=run.pk)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    load = os.getloadavg()[0]
    print(f"{run.cases} cases, state {run.state}, best proved {run.is_best}, {run.is_cheapest}")
    print(f"asking {asked:.1f} s, the sweep's work {whole:.1f} s, of it the solver", end=" ")
    print(f"{run.seconds:.1f} s (ratio {whole / (run.seconds or 1):.2f}), peak {peak:.0f} MB")
    print(f"processor time of the sweep's work {busy:.1f} s, load of the machine {load:.1f}")
    for name, figures in run.figures.items():
        print(f"{name:>6}: {figures}")


if __name__ == "__main__":
    main()
