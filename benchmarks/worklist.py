"""Worklist, search and case page with many cases, beside the bare SQL for the same rows.

``python -m benchmarks.worklist --cases 200000``. Half of the cases lie in one region, which is what
its navigators' pages are measured on; access log on, as always.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.database import own_database

REGION = "14"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    with own_database():
        made = time.perf_counter()
        fill(arguments.cases)
        print(f"{arguments.cases} cases made in {time.perf_counter() - made:.0f} s")
        measure(arguments.rounds)


def fill(cases: int) -> None:
    """Patients, cases, forms and a log row each, written by SQL; numbers with true check digits."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")  # the owner, whom the policies do not bind
        for number, statement in enumerate(FILL):
            if number == PATIENTS_BEFORE:
                fill_patients(cursor, cases)
            cursor.execute(statement, {"cases": cases, "region": REGION})
        cursor.execute("ANALYZE")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def fill_patients(cursor: Any, cases: int) -> None:
    """Only the application can write what it encrypts; the rest as SQL would."""
    from organisations.keys import hash_ring
    from organisations.sealing import seal

    context = "patients_patient.identity_number"
    given = ("Anna", "Åsa", "Björn", "Karin", "Nils", "Sara", "Olof", "Märta")
    family = ("Berg", "Öberg", "Lind", "Ström", "Åkesson", "Holm", "Ek")
    endings = ("", "sson", "man", "qvist", "gren")
    copy = """COPY patients_patient (identity_number, identity_hash, identity_kind, given_name,
        family_name, birth_date, sex, protection, street, postal_code, town, phone, language,
        created_at) FROM STDIN"""
    with cursor.copy(copy) as rows:
        for n in range(cases):
            born = date(1900, 1, 1) + timedelta(days=n // 9000)
            number = f"{born:%Y%m%d}{1000 + n % 9000:04d}"
            rows.write_row(
                (
                    seal(number, context=context),
                    hash_ring().digests(number, context=context)[0],
                    "personnummer",
                    given[n % 8],
                    f"{family[n % 7]}{endings[n // 7 % 5]} {n:x}",
                    born,
                    "F",
                    "none",
                    *[""] * 5,
                    datetime.now(UTC),
                )
            )


# The cases are made of the patients, which come before this statement.
PATIENTS_BEFORE = 2
FILL = (
    """
    INSERT INTO organisations_provider (name, organisation_number, hsa_id, kind, region_id)
    VALUES ('Benchmark', '5599000014', '', 'region', %(region)s)
    """,
    """
    INSERT INTO organisations_careunit (hsa_id, name, provider_id, region_id, municipality_id,
        latitude, longitude, email, phone, sends, receives, is_active)
    SELECT 'SE5599000014-B' || n, 'Klinik ' || n, (SELECT max(id) FROM organisations_provider),
        %(region)s, '1480', 57.7, 11.97, '', '', true, false, true
    FROM generate_series(1, 20) n
    """,
    """
    INSERT INTO referral_case (number, region_id, patient_id, sending_unit_id, state, kva,
        procedure_name, icd10, phase, asa, svf, referral_date, decision_date, received_at,
        close_reason, closed_at, guarantee_start, guarantee_days, last_day, watch_reason)
    SELECT (SELECT b.stem || d FROM generate_series(0, 9) d WHERE damm_holds(b.stem || d)),
        b.region, b.patient, b.unit, b.state, 'NGB49', 'Primär totalprotes', 'M17.1', 'treatment',
        2, false, b.day, b.day, b.day + interval '9 hours',
        CASE WHEN b.state = 'closed' THEN 'other' ELSE '' END,
        CASE WHEN b.state = 'closed' THEN b.day + interval '60 days' END,
        b.day, 90, b.day + 90, ''
    FROM (
        SELECT p.id AS patient, x.region, u.id AS unit,
            x.region || '-' || to_char(17 + n %% 10, 'FM00') || '-'
                || lpad((1 + n / 10)::text, 6, '0') || '-' AS stem,
            CASE WHEN n %% 5 = 0 THEN 'received' ELSE 'closed' END AS state,
            current_date - (n %% 3600)::int AS day
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM patients_patient) p
        CROSS JOIN LATERAL (
            SELECT CASE WHEN n %% 2 = 0 THEN %(region)s ELSE '01' END AS region
        ) x
        JOIN (
            SELECT id, row_number() OVER (ORDER BY id) AS k FROM organisations_careunit
        ) u ON u.k = 1 + n %% 20
    ) b
    """,
    """
    INSERT INTO referral_intakeform (sending_unit_id, created_at, saved_at, typed, case_id,
        submitted_at, version, medications, anticoagulants, interpreter, mobility, escort,
        transferable, not_transferable_reason, clinician, free_text)
    SELECT sending_unit_id, received_at, received_at, '', id, received_at, 1, '', false, '', '',
        false, true, '', '', '' FROM referral_case
    """,
    """
    INSERT INTO referral_caselog (case_id, at, verb, from_state, to_state, actor_name, role, place,
        why, details)
    SELECT c.id, c.received_at + n * interval '1 day', 'note', c.state, c.state, 'B', 'system', '',
        '', '{}' FROM referral_case c CROSS JOIN generate_series(1, 5) n
    """,
)


def measure(rounds: int) -> None:
    """Time pages in the server and the bare SQL; print p95 of each and the ratio."""
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from organisations.acting import Product, act_as
    from organisations.models import Assignment, Role, User
    from referral.models import Case

    user = User.objects.create_user("benchmark", name="Benchmark")
    Assignment.objects.create(
        user=user, role=Role.NAVIGATOR, region_id=REGION, starts_at=timezone.now()
    )
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    act_as(Product("benchmark"))
    opened = Case.objects.filter(region_id=REGION, state="received").order_by("last_day", "pk")
    some, far = opened[5], opened[min(25_000, opened.count() - 60)]
    name = some.patient.family_name.split()[0]
    sql = (
        "SELECT c.*, p.* FROM referral_case c JOIN patients_patient p ON p.id = c.patient_id WHERE "
    )
    page = "c.region_id = %s AND c.state <> 'closed' ORDER BY c.last_day, c.id LIMIT 51"
    far_page = f"(c.last_day, c.id) > (%s, %s) AND {page}"
    number = some.number
    cursor = f"{far.last_day}_{far.pk}"
    work: list[tuple[str, str, str, list[object]]] = [
        ("worklist, page 1", "/cases/?view=all", page, [REGION]),
        (
            "worklist, page 500",
            f"/cases/?view=all&after={cursor}",
            far_page,
            [far.last_day, far.pk, REGION],
        ),
        ("case by number", f"/cases/{number}/", "c.number = %s", [number]),
        (
            "patient by identity number",
            f"/cases/?patient={some.patient_id}",
            "p.identity_hash = %s",
            [some.patient.identity_hash],
        ),
        (
            f"part of a name ({name})",
            f"/cases/?q={name}",
            "c.region_id = %s AND UPPER(p.family_name) LIKE %s ORDER BY c.last_day, c.id LIMIT 51",
            [REGION, f"%{name.upper()}%"],
        ),
    ]
    print(f"{'':<28}{'server p95':>12}{'bare SQL p95':>14}")
    for title, address, where, parameters in work:

        def bare(where: str = where, parameters: list[object] = parameters) -> None:
            with connection.cursor() as db:
                db.execute(sql + where, parameters)
                db.fetchall()

        def served(address: str = address) -> None:
            assert client.get(address).status_code == 200

        print(f"{title:<28}{p95(served, rounds):>9.1f} ms{p95(bare, rounds):>11.1f} ms")


def p95(work: Callable[[], None], rounds: int) -> float:
    """Milliseconds that 95 % of the rounds stay under; two rounds first to warm up."""
    for _warm in range(2):
        work()
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[int(0.95 * (rounds - 1))]


if __name__ == "__main__":
    main()
