"""A waiting list of 50 000 rows, from the file to cases, beside bare COPY of the rows it became.

``python -m benchmarks.waiting_list_file --rows 50000``. The file is handed in and read by the
sweep, with row-level security, encryption, access log and events on; ``--xlsx`` hands it in as a
workbook. Then the same rows are copied into tables without guards, but with the same columns,
checks and indexes. Ends with an error if a row has not become what it should.
"""

import argparse
import csv
import io
import os
import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.database import own_database

REGION = "14"
TABLES = (
    *("patients_patient", "referral_case", "referral_intakeform", "referral_intakeformversion"),
    *("referral_caselog", "organisations_accesslog", "organisations_domainevent"),
)
GIVEN = ("Anna", "Åsa", "Björn", "Karin", "Nils", "Sara", "Olof", "Märta")
FAMILY = ("Berg", "Öberg", "Lind", "Ström", "Åkesson", "Holm", "Ek")
KVAS = ("NGB49", "NFB49", "CJE20", "JKA21", "NGD11", "UJD02")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--xlsx", action="store_true")
    arguments = parser.parse_args()
    with own_database():
        rows = made_rows(arguments.rows)
        content = workbook(rows) if arguments.xlsx else text(rows)
        measure(content, rows=arguments.rows)


def made_rows(number: int) -> list[list[str]]:
    from stdnum import luhn

    from referral.waiting_list_file.columns import COLUMNS

    today = datetime.now(UTC).date()
    rows = [[column.heading for column in COLUMNS]]
    for n in range(number):
        born = date(1940, 1, 1) + timedelta(days=n // 900)
        digits = f"{born:%y%m%d}{100 + n % 900:03d}"
        values = {
            "identity_number": f"{born:%Y}{digits[2:]}{luhn.calc_check_digit(digits)}",
            "given_name": GIVEN[n % 8],
            "family_name": f"{FAMILY[n % 7]}-{n:x}",
            "street": f"Storgatan {n % 97}",
            "postal_code": f"{41100 + n % 800}",
            "town": "Göteborg",
            "municipality": "1480",
            "phone": f"070-{1740600 + n % 100}",
            "kva": KVAS[n % 6],
            "icd10": "M17.1",
            "phase": "behandling",
            "referral_date": f"{today - timedelta(days=40 + n % 300)}",
            "decision_date": f"{today - timedelta(days=10 + n % 30)}",
            "asa": str(1 + n % 4),
            "bmi": "27,5",
            "mobility": "går själv",
            "medications": "Alvedon 500 mg vid behov, Metoprolol 50 mg x 1",
            "anticoagulants": "ja" if n % 5 == 0 else "nej",
            "clinician": "Överläkare Prov",
            "transferable": "ja",
            "free_text": "Ont vid gång, vaknar på natten. Har provat sjukgymnastik i ett halvår.",
            "share_consent": "ja" if n % 10 == 0 else "",
            "share_consent_how": "telefon" if n % 10 == 0 else "",
            "share_consent_on": f"{today - timedelta(days=5)}" if n % 10 == 0 else "",
        }
        rows.append([values.get(column.key, "") for column in COLUMNS])
    return rows


def text(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def workbook(rows: list[list[str]]) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    page = book.add_worksheet()
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def measure(content: bytes, *, rows: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from organisations.acting import Product, act_as
    from organisations.models import CareUnit
    from referral.models import Case, WaitingListFile
    from referral.waiting_list_file.services import hand_in, run_waiting_lists

    act_as(Product("benchmark"))
    unit = make_unit()
    assert isinstance(unit, CareUnit)
    now, load = timezone.now(), os.getloadavg()[0]
    before = peak()
    began, busy = time.perf_counter(), time.process_time()
    made = hand_in(
        content, name="lista", sending_unit=unit, to_store=True, actor=actor_of(unit), now=now
    )
    handed = time.perf_counter() - began
    run_waiting_lists(now=now)
    took, busy = time.perf_counter() - began, time.process_time() - busy
    made = WaitingListFile.objects.get(pk=made.pk)
    first, made_cases = took, Case.objects.count()
    print(
        f"{rows} rows, {len(content) / 2**20:.1f} MB, load {load:.1f} and {os.getloadavg()[0]:.1f}"
    )
    print(
        f"handed in: {handed:.2f} s; checked and stored: {took:.1f} s, {busy:.1f} s of it busy here"
    )
    print(f"peak memory of the process: {before} MB before, {peak()} MB after")
    bare = bare_copy(connection)
    print(f"bare COPY of the same rows: {bare:.1f} s; ratio {first / bare:.1f}")
    again = time.perf_counter()
    more = content.replace(b"\n", b"\r\n", 1) if not content.startswith(b"PK") else b""
    if more:
        hand_in(more, name="igen", sending_unit=unit, to_store=True, actor=actor_of(unit), now=now)
        run_waiting_lists(now=now)
        known = WaitingListFile.objects.latest("pk").known
        print(f"the same list next week, {known} known: {time.perf_counter() - again:.1f} s")
    if not made.stored == made_cases == rows == Case.objects.count():
        print(
            f"WRONG: {made.state}, {made.stored} stored, {made_cases} cases, {made.faulty} faults"
        )
        sys.exit(1)


def make_unit() -> Any:
    from organisations.models import CareUnit, Provider

    provider = Provider.objects.create(
        name="Benchmark", organisation_number="5599000014", kind="region", region_id=REGION
    )
    return CareUnit.objects.create(
        hsa_id="SE5599000014-B1",
        name="Klinik 1",
        provider=provider,
        region_id=REGION,
        municipality_id="1480",
        latitude=57.7,
        longitude=11.97,
        sends=True,
    )


def actor_of(unit: Any) -> Any:
    from organisations.access import Actor
    from organisations.models import Role, User

    user, _made = User.objects.get_or_create(login="benchmark", defaults={"name": "Benchmark"})
    return Actor(
        role=Role.CLINIC,
        name="Benchmark",
        user_id=user.pk,
        region=REGION,
        care_unit_id=unit.pk,
        place=unit.name,
    )


def bare_copy(connection: Any) -> float:
    """Seconds to copy what was stored into tables like those, without triggers and policies."""
    took = 0.0
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        for table in TABLES:
            with cursor.copy(f"COPY {table} TO STDOUT") as rows:
                content = b"".join(rows)
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            began = time.perf_counter()
            with cursor.copy(f"COPY bare_{table} FROM STDIN") as rows:
                rows.write(content)
            took += time.perf_counter() - began
    return took


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
