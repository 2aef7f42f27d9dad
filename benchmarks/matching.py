"""Ranking at national scale: one case, and everybody who waits, beside the bare SQL.

``python -m benchmarks.matching``. Makes 2 000 contract lines of 40 codes in all 21 regions, three
sources' daily waits for 120 days, quality measures and weights, then ranks: one need at a time,
with all that the page shows (p95 of the rounds), and 140 000 needs from one landscape. The bare
SQL reads the same rows by psycopg and makes nothing of them.
"""

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import statistics
from benchmarks.database import own_database

LINES, UNITS, CODES, WAITING = 2_000, 400, 40, 140_000

MAKE = (
    """
    INSERT INTO organisations_provider (name, organisation_number, hsa_id, kind)
    SELECT 'Vårdgivare ' || n, '5599' || lpad(n::text, 6, '0'), '', 'private'
    FROM generate_series(1, 200) n
    """,
    """
    INSERT INTO organisations_careunit (hsa_id, name, provider_id, region_id, municipality_id,
        latitude, longitude, email, phone, sends, receives, is_active, languages, equipment)
    SELECT 'SE5599000000-B' || lpad(n::text, 4, '0'), 'Enhet ' || n, p.id, m.region_id, m.code,
        m.latitude, m.longitude, '', '', false, true, true,
        CASE WHEN n %% 3 = 0 THEN '{ar,so}'::varchar[] ELSE '{}' END,
        CASE WHEN n %% 2 = 0 THEN '{bariatric,lift}'::varchar[] ELSE '{lift}' END
    FROM generate_series(1, %(units)s) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) k FROM organisations_provider) p
        ON p.k = 1 + n %% 200
    JOIN (SELECT *, row_number() OVER (ORDER BY code) k FROM organisations_municipality) m
        ON m.k = 1 + (n * 7) %% 290
    """,
    """
    INSERT INTO contracts_contract (number, title, owner_region_id, provider_id, contract_type,
        reimbursement_principle, reimbursement, valid_from, valid_to, option_years, notice_months,
        included, is_stopped, alert_percents, version, cap_volume, taken_volume, taken_sek)
    SELECT 'B-' || u.id, 'Avtal', r.code, u.provider_id,
        CASE WHEN u.n %% 5 = 0 THEN 'free_choice' ELSE 'procurement' END, 'per_episode', '',
        current_date - 500, current_date + 500, 0, 6, '', u.n %% 20 = 0, '{80,90,100}', 0, 500, 0, 0
    FROM (SELECT *, row_number() OVER (ORDER BY id) n FROM organisations_careunit) u
    JOIN (SELECT code, row_number() OVER (ORDER BY code) k FROM organisations_region) r
        ON r.k = 1 + u.n %% 21
    """,
    """
    INSERT INTO contracts_contract_regions_allowed (contract_id, region_id)
    SELECT c.id, r.code FROM contracts_contract c
    JOIN (SELECT code, row_number() OVER (ORDER BY code) k FROM organisations_region) r
        ON r.code = c.owner_region_id OR (r.k + c.id) %% 3 = 0
    """,
    """
    INSERT INTO contracts_contractline (contract_id, care_unit_id, kva, price_sek, included,
        asa_ceiling, age_min, is_active, cap_volume, taken_volume, taken_sek)
    SELECT c.id, u.id, 'N' || chr(65 + ((u.n + j) %% %(codes)s / 10)::int)
            || chr(65 + ((u.n + j) %% 10)::int),
        50000 + (u.n * 37 + j * 911) %% 60000, '', 2 + (u.n + j) %% 3, 18, true, 100, 0, 0
    FROM (SELECT *, row_number() OVER (ORDER BY id) n FROM organisations_careunit) u
    JOIN contracts_contract c ON c.number = 'B-' || u.id
    CROSS JOIN generate_series(1, %(lines)s / %(units)s) j
    """,
    """
    INSERT INTO contracts_periodcap (contract_id, period, cap_volume, applies_from)
    SELECT id, 'month', 40, current_date FROM contracts_contract WHERE id %% 4 = 0
    """,
    """
    INSERT INTO capacity_waitingtime (care_unit_id, kva, day, done, median_days, p80_days, source)
    SELECT l.care_unit_id, l.kva, current_date - d, 9, 20 + (l.id * 13) %% 150, 400, s
    FROM contracts_contractline l CROSS JOIN generate_series(1, 120) d
    CROSS JOIN unnest(ARRAY['SPOR', 'Väntetider', 'Registret']) s
    """,
    """
    INSERT INTO capacity_qualitymeasure (care_unit_id, kva, year, reoperation_percent, source)
    SELECT care_unit_id, kva, y, (id * 7) %% 50 / 10.0, 'Registret'
    FROM contracts_contractline CROSS JOIN generate_series(2023, 2025) y
    """,
    """
    INSERT INTO capacity_matchingweights (region_id, version, wait, distance, price, quality,
        contract, changed_at, changed_by, why)
    SELECT code, v, 50, 20, 5, 20, 5, now(), 'B', 'B'
    FROM organisations_region CROSS JOIN generate_series(1, 5) v WHERE code > '09'
    """,
    "ANALYZE",
)

# What one ranking reads, as bare as it can be asked for.
BARE = (
    """
    SELECT l.*, c.*, u.* FROM contracts_contractline l JOIN contracts_contract c
        ON c.id = l.contract_id JOIN organisations_careunit u ON u.id = l.care_unit_id
    WHERE l.kva = ANY(%(codes)s) AND c.valid_to >= current_date - 365
    """,
    """
    SELECT a.* FROM contracts_contract_regions_allowed a WHERE a.contract_id IN
        (SELECT contract_id FROM contracts_contractline WHERE kva = ANY(%(codes)s))
    """,
    """
    SELECT p.*, n.taken_volume, n.taken_sek FROM contracts_periodcap p
    LEFT JOIN contracts_periodcount n ON n.period_cap_id = p.id
        AND n.starts_on = date_trunc(p.period, current_date)::date
    WHERE p.contract_id IN
        (SELECT contract_id FROM contracts_contractline WHERE kva = ANY(%(codes)s))
    """,
    """
    SELECT DISTINCT ON (care_unit_id, kva) care_unit_id, kva, median_days, day, source
    FROM capacity_waitingtime WHERE kva = ANY(%(codes)s) AND day >= current_date - 120
        AND need_within_days IS NULL ORDER BY care_unit_id, kva, day DESC, source
    """,
    """
    SELECT DISTINCT ON (care_unit_id, kva) * FROM capacity_qualitymeasure
    WHERE kva = ANY(%(codes)s) ORDER BY care_unit_id, kva, year DESC, source
    """,
    """
    SELECT DISTINCT ON (region_id) * FROM capacity_matchingweights
    ORDER BY region_id, version DESC
    """,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--waiting", type=int, default=WAITING)
    arguments = parser.parse_args()
    with own_database():
        fill()
        measure(arguments.rounds, arguments.waiting)


def fill() -> None:
    from django.conf import settings
    from django.db import connection

    from organisations.acting import Product, act_as

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        for statement in MAKE:
            cursor.execute(statement, {"units": UNITS, "lines": LINES, "codes": CODES})
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")
    act_as(Product("benchmark"))


def measure(rounds: int, waiting: int) -> None:
    """Print p95 of one ranking and the seconds of all, each beside the bare SQL."""
    from django.utils import timezone

    from capacity.matching import Landscape, match
    from contracts.codes import covering_codes
    from contracts.models import ContractLine

    today, chance = timezone.localdate(), random.Random(1)
    codes = sorted(set(ContractLine.objects.values_list("kva", flat=True)))
    needs = [need(chance, codes) for _n in range(waiting)]
    some = needs[:rounds]
    found = [len(match(one, today=today).matches) for one in some[:20]]
    print(f"{ContractLine.objects.count()} lines, {statistics.mean(found):.0f} can take a patient")
    ours = [seconds(lambda one=one: match(one, today=today)) for one in some]
    busy = time.process_time()
    for one in some:
        match(one, today=today)
    busy = (time.process_time() - busy) / len(some)
    bare = [seconds(lambda one=one: read(covering_codes(one.kva))) for one in some]
    print(f"one case: p95 {p95(ours):.1f} ms, median {1000 * statistics.median(ours):.1f} ms,")
    print(f"  {1000 * busy:.1f} ms of them busy in Python;")
    print(f"  bare SQL p95 {p95(bare):.1f} ms, {p95(ours) / p95(bare):.1f} times")
    loaded = seconds(lambda: Landscape.load(None, today=today))
    bare_all = seconds(lambda: read(codes))
    landscape = Landscape.load(None, today=today)
    busy = time.process_time()
    ranked = seconds(lambda: [landscape.ranked(one) for one in needs])
    busy = time.process_time() - busy
    print(f"{waiting} needs: landscape {loaded:.1f} s, ranking {ranked:.1f} s ({busy:.1f} s busy);")
    print(f"  bare SQL {bare_all:.1f} s, {(loaded + ranked) / bare_all:.1f} times")


def need(chance: random.Random, codes: list[str]) -> Any:
    """A patient from somewhere in Sweden; one in ten needs an interpreter or equipment."""
    from capacity.matching import Need

    latitude, longitude, region, name = chance.choice(_towns())
    return Need(
        region=region,
        kva=chance.choice(codes) + "49",
        asa=chance.choice((1, 2, 2, 3)),
        age=chance.randint(18, 95),
        latitude=latitude,
        longitude=longitude,
        origin=name,
        max_distance_km=chance.choice((None, None, None, 300)),
        language=chance.choice(("", "", "", "", "", "", "", "", "", "arabiska")),
        equipment=frozenset({"bariatric"} if chance.random() < 0.1 else ()),
    )


def _towns() -> list[tuple[Any, ...]]:
    from organisations.models import Municipality

    if not _known:
        _known.extend(
            Municipality.objects.values_list("latitude", "longitude", "region_id", "name")
        )
    return _known


_known: list[tuple[Any, ...]] = []


def read(codes: list[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in BARE:
            cursor.execute(statement, {"codes": codes})
            cursor.fetchall()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95(taken: list[float]) -> float:
    """Milliseconds that 95 of 100 rounds stayed under."""
    return 1000 * sorted(taken)[int(len(taken) * 0.95)]


if __name__ == "__main__":
    main()
