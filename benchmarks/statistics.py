"""The month's statistics at national scale, beside the bare SQL that counts the same.

``python -m benchmarks.statistics --cases 1000000``. Ten years of cases in 21 regions; a quarter of
them in one, which the pages are measured on (Region Stockholm has 23 per cent of the people). Some
140 000 of a million are open. Facts and months are made by the product's own rebuild.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from benchmarks.database import own_database
from statistics import median

REGION = "01"
SEED = 20260101


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--one-region", action="store_true", help="count the months of the measured region only"
    )
    arguments = parser.parse_args()
    with own_database():
        began = time.perf_counter()
        fill(arguments.cases)
        print(f"{arguments.cases} cases made in {time.perf_counter() - began:.0f} s", flush=True)
        rebuild_all(one_region=arguments.one_region)
        measure(arguments.rounds)


def fill(cases: int) -> None:
    """Everything that facts are made of, by SQL, past the triggers that hold the caps."""
    from django.conf import settings
    from django.db import connection

    from benchmarks.worklist import fill_patients
    from organisations.models import Region

    patients = max(1, cases // 10)
    others = [code for code in Region.objects.values_list("code", flat=True) if code != REGION]
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")  # the owner, whom the policies do not bind
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        fill_patients(cursor, patients)
        fill_numbers(cursor, cases, others)
        for statement in FILL:
            cursor.execute(statement)
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("ANALYZE")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


# Triggers that hold caps and blocks, one row at a time.
GUARDED = ("referral_case", "contracts_contract", "contracts_contractline", "contracts_calloff")


def fill_numbers(cursor: Any, cases: int, others: list[str]) -> None:
    """A numbered list of the cases to be: number, region and the day each came in."""
    from organisations.case_numbers import CaseNumber

    cursor.execute(
        "CREATE TEMP TABLE wanted (n int PRIMARY KEY, number text, region text, day date)"
    )
    # The last day of the last whole month, and ten years back.
    last = date.today().replace(day=1) - timedelta(days=1)  # noqa: DTZ011
    running: dict[tuple[str, int], int] = {}
    with cursor.copy("COPY wanted FROM STDIN") as rows:
        for n in range(cases):
            region = REGION if n % 4 == 0 else others[n // 4 % len(others)]
            # A prime number of days, so that every region has cases of every day.
            day = last - timedelta(days=n * 977 % 3650)
            running[region, day.year] = serial = running.get((region, day.year), 0) + 1
            number = CaseNumber.build(county=region, year=day.year, running=serial)
            rows.write_row((n, number.value, region, day))


# Cases of the last 511 days are open, which is 14 per cent; of the others most were treated.
FILL = (
    """
    INSERT INTO organisations_provider (name, organisation_number, hsa_id, kind, region_id)
    SELECT 'Benchmark ' || n, '559900' || lpad(n::text, 4, '0'), '', 'private', NULL
    FROM generate_series(1, 60) n
    """,
    """
    CREATE TEMP TABLE providers AS SELECT id, row_number() OVER (ORDER BY id) AS k
    FROM organisations_provider WHERE name LIKE 'Benchmark %'
    """,
    """
    INSERT INTO organisations_careunit (hsa_id, name, provider_id, region_id, municipality_id,
        medical_area_id, latitude, longitude, email, phone, sends, receives, is_active)
    SELECT 'SE5599000014-C' || r.code || n, 'Klinik ' || r.code || '-' || n,
        (SELECT min(id) FROM providers), r.code,
        (SELECT min(code) FROM organisations_municipality m WHERE m.region_id = r.code),
        (SELECT min(mvo) FROM organisations_medicalarea), r.latitude, r.longitude, '', '',
        true, false, true
    FROM organisations_region r CROSS JOIN generate_series(1, 20) n
    """,
    """
    INSERT INTO organisations_careunit (hsa_id, name, provider_id, region_id, municipality_id,
        latitude, longitude, email, phone, sends, receives, is_active)
    SELECT 'SE5599000014-M' || p.k, 'Mottagare ' || p.k, p.id, m.region_id, m.code, m.latitude,
        m.longitude, '', '', false, true, true
    FROM providers p JOIN LATERAL (
        SELECT * FROM organisations_municipality ORDER BY code OFFSET p.k * 4 LIMIT 1) m ON true
    """,
    """
    INSERT INTO contracts_contract (number, title, owner_region_id, provider_id, contract_type,
        reimbursement_principle, reimbursement, valid_from, valid_to, option_years, notice_months,
        included, is_stopped, alert_percents, version, taken_volume, taken_sek)
    SELECT 'B-' || p.k || '-' || n, 'Avtal ' || p.k || '-' || n,
        CASE WHEN n = 1 THEN '01' ELSE '14' END, p.id,
        CASE WHEN n = 3 THEN 'free_choice' ELSE 'procurement' END, 'per_episode', '',
        '2010-01-01', '2040-01-01', 0, 0, '', false, '{80}', 0, 0, 0
    FROM providers p CROSS JOIN generate_series(1, 3) n
    """,
    """
    INSERT INTO contracts_contractline (contract_id, care_unit_id, kva, price_sek, included,
        asa_ceiling, is_active, taken_volume, taken_sek)
    SELECT k.id, u.id, 'NGB49', 80000, '', 3, true, 0, 0
    FROM contracts_contract k JOIN organisations_careunit u
        ON u.provider_id = k.provider_id AND u.receives
    WHERE k.number LIKE 'B-%'
    """,
    """
    CREATE TEMP TABLE lines AS SELECT id, care_unit_id, row_number() OVER (ORDER BY id) AS k
    FROM contracts_contractline
    WHERE contract_id IN (SELECT id FROM contracts_contract WHERE number LIKE 'B-%')
    """,
    """
    UPDATE patients_patient p SET sex = CASE WHEN id % 2 = 0 THEN 'F' ELSE 'M' END,
        birth_date = DATE '1935-01-01' + (id * 37 % 30000)::int,
        municipality_id = m.code
    FROM (SELECT code, row_number() OVER (ORDER BY code) - 1 AS k
        FROM organisations_municipality) m
    WHERE m.k = p.id % (SELECT count(*) FROM organisations_municipality)
    """,
    """
    CREATE TEMP TABLE patients AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS k FROM patients_patient
    """,
    """
    CREATE TEMP TABLE clinics AS SELECT id, region_id,
        row_number() OVER (PARTITION BY region_id ORDER BY id) - 1 AS k
    FROM organisations_careunit WHERE sends AND name LIKE 'Klinik %'
    """,
    """
    CREATE TEMP TABLE codes AS SELECT kva, row_number() OVER (ORDER BY kva) - 1 AS k
    FROM contracts_procedure WHERE kva LIKE 'N%'
    """,
    *(f"ANALYZE {table}" for table in ("wanted", "patients", "clinics", "codes", "lines")),
    """
    CREATE TEMP TABLE made AS
    SELECT w.n, w.number, w.region, w.day, p.id AS patient, u.id AS unit, q.kva,
        w.day + make_interval(hours => 7 + w.n % 10, mins => w.n % 60) AS came,
        CASE WHEN w.day > current_date - 511 THEN 'open'
            WHEN w.n % 10 < 7 THEN 'treated' ELSE 'ended' END AS outcome,
        l.id AS line, l.care_unit_id AS receiver, w.n % 23 AS jitter,
        -- A patient has one running case for a procedure.
        w.n / (SELECT count(*) FROM patients)::int AS turn
    FROM wanted w
    JOIN patients p ON p.k = w.n % (SELECT count(*) FROM patients)
    JOIN clinics u ON u.region_id = w.region AND u.k = w.n / 21 % 20
    JOIN codes q ON q.k = w.n / 7 % (SELECT count(*) FROM codes)
    JOIN lines l ON l.k = 1 + w.n / 11 % (SELECT count(*) FROM lines)
    """,
    """
    INSERT INTO referral_case (number, region_id, patient_id, sending_unit_id, receiving_unit_id,
        state, kva, procedure_name, icd10, phase, asa, svf, referral_date, decision_date,
        home_wait_days, received_at, confirmed_at, closed_at, close_reason, guarantee_start,
        guarantee_days, last_day, clock_stopped_on, watch_reason, blocked)
    SELECT number, region, patient, unit, CASE WHEN outcome = 'treated' THEN receiver END,
        CASE WHEN outcome = 'open' THEN 'in_progress' ELSE 'closed' END,
        CASE WHEN outcome = 'open' THEN 'NG' || chr(65 + turn) || '49' ELSE kva END, 'Åtgärd',
        'M17.1', 'treatment', 2, n % 17 = 0, day - 9, day - 5, 200, came,
        CASE WHEN outcome = 'treated' THEN came + make_interval(days => 20 + jitter) END,
        CASE WHEN outcome <> 'open' THEN came + make_interval(days => 90 + jitter) END,
        CASE outcome WHEN 'open' THEN '' WHEN 'treated' THEN 'treated' ELSE 'home_clinic' END,
        day - 5, 90, day + 85,
        CASE outcome WHEN 'open' THEN NULL WHEN 'treated' THEN day + 60 + (jitter * 2)::int
            ELSE day + 90 + jitter::int END, '', ''
    FROM made
    """,
    "ANALYZE made",
    "CREATE TEMP TABLE cases AS SELECT c.id, m.* FROM made m JOIN referral_case c USING (number)",
    "ANALYZE cases",
    """
    INSERT INTO referral_caselog (case_id, at, verb, from_state, to_state, actor_name, role, place,
        why, details)
    SELECT id, came + make_interval(days => k, hours => jitter::int), v.verb, 'received',
        'in_progress', 'B', 'system', '', '', '{}'
    FROM cases CROSS JOIN (VALUES ('take', 2), ('note', 3), ('note', 5), ('book', 28),
        ('note', 40)) AS v (verb, k)
    WHERE v.verb <> 'book' OR outcome = 'treated'
    """,
    # The first offer is declined in half of the cases; the treated have an accepted one.
    """
    CREATE TEMP TABLE offers AS
    SELECT c.*, s.serial,
        CASE WHEN s.serial = 2 THEN 'accepted' WHEN c.n % 3 = 0 THEN 'expired'
            ELSE 'declined' END AS offer_state,
        c.came + make_interval(days => CASE s.serial WHEN 1 THEN 4 ELSE 9 END) AS sent
    FROM cases c CROSS JOIN generate_series(1, 2) AS s (serial)
    WHERE (s.serial = 1 AND c.n % 2 = 0) OR (s.serial = 2 AND c.outcome = 'treated')
    """,
    """
    INSERT INTO contracts_calloff (line_id, region_id, case_number, state, counts_on, amount_sek,
        reserved_at, used_at, settled_at, released_at)
    SELECT line, region, number, CASE WHEN serial = 1 THEN 'released' ELSE 'settled' END, day,
        60000 + jitter * 1000.25, sent, CASE WHEN serial = 2 THEN sent END,
        CASE WHEN serial = 2 THEN sent END,
        CASE WHEN serial = 1 THEN sent + interval '4 days' END
    FROM offers
    """,
    """
    INSERT INTO referral_offer (case_id, serial, line_id, care_unit_id, call_off_id, state,
        contract_number, price_sek, included, expected_wait_days, home_wait_days, text, sent_at,
        due_at, answered_at, answer_channel, decline_reason, answer_comment)
    SELECT o.id, o.serial, o.line, o.receiver, w.id, o.offer_state, 'B', 80000, '', 30,
        CASE WHEN o.n % 5 > 0 THEN 120 + o.jitter END, '', o.sent, o.sent + interval '30 days',
        CASE WHEN o.offer_state <> 'expired'
            THEN o.sent + make_interval(hours => 5 + (o.jitter * 3)::int) END,
        CASE WHEN o.offer_state <> 'expired' THEN '1177' ELSE '' END,
        CASE WHEN o.offer_state = 'declined' THEN 'travel' ELSE '' END, ''
    FROM offers o JOIN contracts_calloff w ON w.case_number = o.number AND w.reserved_at = o.sent
    """,
    """
    INSERT INTO referral_referral (offer_id, sent_at, confirmed_at, rejection_reason,
        rejection_comment, booked_for, treated_on, back_referral)
    SELECT f.id, f.answered_at, c.came + make_interval(days => 20 + c.jitter::int), '', '',
        c.came + interval '60 days', c.day + 60 + (c.jitter * 2)::int, ''
    FROM referral_offer f JOIN cases c ON c.id = f.case_id WHERE f.state = 'accepted'
    """,
    """
    INSERT INTO referral_pause (case_id, reason, first_day, last_day, comment)
    SELECT id, CASE WHEN n % 2 = 0 THEN 'patient' ELSE 'medical' END, day + 5, day + 5 + 9, ''
    FROM cases WHERE n % 13 = 0
    """,
    "DELETE FROM statistics_stalecase",
)


def rebuild_all(*, one_region: bool) -> None:
    """All facts and months, region by region, as ``manage.py rebuild_statistics`` does."""
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from organisations.acting import Product, act_as
    from organisations.models import Region
    from statistics.facts.rollup import count_all, make_all

    act_as(Product("benchmark"))
    now = timezone.now()
    codes = list(Region.objects.values_list("code", flat=True))
    began = time.perf_counter()
    facts = sum(make_all(code, now=now) for code in codes)
    print(f"{facts} facts made in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    months = sum(count_all(code, now=now) for code in ([REGION] if one_region else codes))
    print(f"{months} months counted in {time.perf_counter() - began:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("ANALYZE")
        for table in ("casefact", "offerfact", "monthrow"):
            cursor.execute("SELECT pg_total_relation_size(%s)", [f"statistics_{table}"])
            print(f"{table:<12}{cursor.fetchone()[0] / 1e6:>9.0f} MB")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


BARE_TREND = """
SELECT date_trunc('month', x.treated_on), count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY x.treated_on - c.decided_on)
FROM statistics_offerfact x JOIN statistics_casefact c ON c.case_id = x.case_id
WHERE x.region_id = %(region)s AND x.treated_on >= %(first)s AND x.treated_on < %(after)s
GROUP BY 1
"""
BARE_MONTH_ROWS = """
SELECT dimension, key, figures FROM statistics_monthrow
WHERE region_id = %(region)s AND month = %(month)s
"""
BARE_TREND_ROWS = """
SELECT month, figures FROM statistics_monthrow
WHERE region_id = %(region)s AND dimension = 'region' AND key = %(region)s
    AND month >= %(first)s AND month < %(after)s
"""


# Milliseconds, p95 of a page (design 6).
LIMIT = 150
PAGES = (
    "/statistics/?month={month}",
    "/statistics/months/{month}/",
    "/statistics/dashboard/?month={month}",
    "/statistics/dashboard/funnel/?month={month}",
    "/statistics/dashboard/flows/?month={month}",
    "/statistics/dashboard/contracts/?month={month}",
    "/statistics/guarantee/?month={month}",
    # The running month, in which all who wait now are counted: for what is hidden on their account
    # too, as nothing of the month has been decided.
    "/statistics/guarantee/",
    "/statistics/",
    "/statistics/dashboard/",
    "/statistics/performance/?month={month}",
    "/statistics/pathways/",
)


def freeze(month: Any) -> None:
    """The measured month and those about it, as the sweep does when it is their turn."""
    from django.utils import timezone

    from statistics.frozen.services import _one
    from statistics.models import MonthDue, WithheldWaiting
    from statistics.monthly.figures import month_figures
    from statistics.months import Month

    now = timezone.now()
    months = [month.back(back) for back in range(3)]
    for one in months:
        MonthDue.objects.create(region_id=REGION, first_day=one.first_day, due_at=now)
    began = time.perf_counter()
    while _one(now=now, count=month_figures):
        pass
    took = time.perf_counter() - began
    print(f"{len(months)} months frozen, {took / len(months):.2f} s each", flush=True)
    # What is told of the waiting has been decided up to the last month, as the sweep does.
    decided = {*months, Month.of(timezone.localdate(now)).back(1)}
    WithheldWaiting.objects.bulk_create(
        WithheldWaiting(region_id=REGION, first_day=one.first_day, decided_at=now)
        for one in sorted(decided)
    )


def busy(work: Callable[[], None]) -> Callable[[], None]:
    """While three of this month's cases are not in the facts as they are."""
    from django.utils import timezone

    from referral.models import Case
    from statistics.facts.upkeep import mark_stale
    from statistics.models import CaseFact, StaleCase

    def run() -> None:
        if not StaleCase.objects.exists():
            latest = Case.objects.filter(region=REGION).order_by("-received_at")[:3]
            cases = list(latest.values_list("pk", flat=True))
            mark_stale(cases, now=timezone.now())
            CaseFact.objects.filter(pk__in=cases).update(received_at=timezone.now())
        work()

    return run


def reader(role: str) -> Any:
    """Someone of the measured region, logged in."""
    from django.test import Client
    from django.utils import timezone

    from organisations.models import Assignment, User

    user = User.objects.create_user(f"benchmark-{role}", name="Benchmark")
    Assignment.objects.create(user=user, role=role, region_id=REGION, starts_at=timezone.now())
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def measure(rounds: int) -> None:
    from django.db import connection
    from django.utils import timezone

    import config.wsgi  # noqa: F401 – freezes what is loaded, as in each web process
    from organisations.models import Role
    from statistics.facts.counting import count_month
    from statistics.monthly.figures import month_figures, trend
    from statistics.months import Month

    readers = {role: reader(role) for role in (Role.NAVIGATOR, Role.MANAGER)}
    # The last month in which there were treatments.
    month = Month.of(timezone.localdate()).back(16)
    freeze(month)
    first = month.back(59).first_day
    wanted = {
        "region": REGION,
        "month": month.first_day,
        "first": first,
        "after": month.back(-1).first_day,
    }

    def bare(statement: str) -> Callable[[], None]:
        def run() -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement, wanted)
                cursor.fetchall()

        return run

    def page(role: Role, address: str) -> Callable[[], None]:
        def run() -> None:
            assert readers[role].get(address.format(month=month)).status_code == 200

        return run

    def both() -> None:
        month_figures(REGION, month)
        trend(REGION, month, 60)

    work: list[tuple[str, Callable[[], Any]]] = [
        ("month_figures, all dimensions", lambda: month_figures(REGION, month)),
        ("trend, five years", lambda: trend(REGION, month, 60)),
        ("month and five years", both),
        ("bare SQL: the month's rows", bare(BARE_MONTH_ROWS)),
        ("bare SQL: five years' rows", bare(BARE_TREND_ROWS)),
        ("bare SQL: one measure of five years from facts", bare(BARE_TREND)),
        ("a month counted anew", lambda: count_month(REGION, month)),
        ("this month counted anew", lambda: count_month(REGION, month.back(-16))),
    ]
    pages = [(f"{address} {role}", page(role, address)) for address in PAGES for role in readers]
    pages.append(("the month, while something happens", busy(page(Role.NAVIGATOR, PAGES[0]))))
    print(f"{len(month_figures(REGION, month))} figures in the month")
    print(f"{'':<54}{'p50':>9}{'p95':>12}{'limit':>12}")
    for title, run in [*work, *pages]:
        p50, p95 = percentiles(run, rounds)
        limit = f"{LIMIT:>9} ms" if (title, run) in pages else ""
        over = "  over" if limit and p95 > LIMIT else ""
        print(f"{title:<54}{p50:>6.1f} ms{p95:>9.1f} ms{limit}{over}", flush=True)


def percentiles(work: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Milliseconds; two rounds first to warm up."""
    for _warm in range(2):
        work()
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times), sorted(times)[int(0.95 * (rounds - 1))]


if __name__ == "__main__":
    main()
