"""What the access log costs: its share of a request, and sealing and verifying beside bare SHA-256.

``python -m benchmarks.access_log --cases 20000 --rows 500000``. The share is the time spent in
writing the rows over the time of the whole request, in the same requests; the same request without
the log stands beside, which shows the commit's wait for the disk too. The rows of the log are there
already, with their indexes.
"""

import argparse
import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import statistics as figures
from benchmarks.database import own_database
from benchmarks.worklist import REGION, fill

USERS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    with own_database():
        from organisations.acting import Product, act_as

        act_as(Product("benchmark"))  # what is filled in; each request acts as its user
        fill(arguments.cases)
        users = make_users()
        fill_log(arguments.rows, users)
        measure_requests(users[0], arguments.rounds)
        measure_review(arguments.rounds)
        measure_chain()


def make_users() -> list[Any]:
    from django.utils import timezone

    from organisations.models import Assignment, Role, User

    users = [
        User.objects.create_user(f"benchmark-{n}", name=f"Bo Benchmark{n}") for n in range(USERS)
    ]
    for user in users:
        Assignment.objects.create(
            user=user, role=Role.NAVIGATOR, region_id=REGION, starts_at=timezone.now()
        )
    return users


def fill_log(rows: int, users: list[Any]) -> None:
    """Rows as the product writes them, 50 at a time as a list does, over all cases and a year."""
    from django.db import connection
    from django.utils import timezone

    from organisations.access import actor_for, record_access
    from referral.models import Case

    now = timezone.now()
    actors = [actor_for(user, now=now) for user in users]
    cases = list(Case.objects.filter(region_id=REGION).values_list("number", "patient_id"))
    began = time.perf_counter()
    for start in range(0, rows, 50):
        shown = [cases[(start + n) % len(cases)] for n in range(50)]
        actor = actors[start // 50 % USERS]
        assert actor is not None
        at = now - timedelta(days=365) * (rows - start) / rows
        record_access(actor, what="case", now=at, cases=shown)
    spent = time.perf_counter() - began
    print(f"{rows} rows written, 50 at a time: {spent / rows * 1e6:.0f} µs a row")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure_requests(user: Any, rounds: int) -> None:
    """Each round asks once with the log and once without, so that both meet the same machine."""
    from django.test import Client

    from referral.models import Case

    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    case = Case.objects.filter(region_id=REGION, state="received").order_by("last_day")[5]

    def request(address: str) -> float:
        began = time.perf_counter()
        assert client.get(address).status_code == 200
        return time.perf_counter() - began

    heads = ("request", "rows", "with log", "without", "writing", "share", "quiet")
    print("\n{:<22}{:>6}{:>12}{:>12}{:>12}{:>9}{:>9}".format(*heads))
    for title, address, rows in (
        ("worklist", "/cases/?view=all", 50),
        ("case page", f"/cases/{case.number}/", 1),
        ("notices of a case", f"/cases/{case.number}/notices/", 1),
        ("case over the API", f"/api/v1/cases/{case.number}/", 1),
    ):
        totals, without, spent, shares = [], [], [], []
        for _round in range(rounds + 3):
            with watched_writing() as writing:
                totals.append(request(address))
            with no_writing():
                without.append(request(address))
            spent.append(sum(writing))
            shares.append(spent[-1] / totals[-1])
        print(
            f"{title:<22}{rows:>6}{ms(totals[3:]):>9.1f} ms{ms(without[3:]):>9.1f} ms"
            f"{ms(spent[3:]):>9.2f} ms{figures.median(shares[3:]) * 100:>7.1f} %"
            f"{tenth(spent[3:]) / tenth(totals[3:]) * 100:>7.1f} %"
        )


def tenth(times: list[float]) -> float:
    """What the fastest tenth took at most: a busy machine disturbs those least, and short waits
    for the database suffer from it more than long work does."""
    return figures.quantiles(times, n=10)[0]


@contextmanager
def watched_writing() -> Iterator[list[float]]:
    """Collects the time of each call that writes rows, with all that it asks of the database."""
    from organisations import access

    plain, times = access._write, []

    def timed(*args: Any, **options: Any) -> None:
        began = time.perf_counter()
        plain(*args, **options)
        times.append(time.perf_counter() - began)

    access._write = timed
    try:
        yield times
    finally:
        access._write = plain


@contextmanager
def no_writing() -> Iterator[None]:
    from organisations import access

    plain = access._write
    access._write = lambda *args, **options: None
    try:
        yield
    finally:
        access._write = plain


def measure_review(rounds: int) -> None:
    from django.utils import timezone

    from organisations.access import Actor
    from organisations.access_log.reviewing import draw_sample
    from organisations.models import AccessLog, Role, User
    from referral.selectors.access_review import Filters, access_page

    admin = Actor(
        role=Role.REGION_ADMIN, name="A", region=REGION, user_id=User.objects.earliest("pk").pk
    )
    middle = AccessLog.objects.order_by("pk")[AccessLog.objects.count() // 2].pk
    one = AccessLog.objects.latest("pk")
    print(f"\n{'review':<34}{'median':>12}")
    pages: tuple[tuple[str, Callable[[], object]], ...] = (
        ("page 1", lambda: access_page(admin, Filters())),
        ("page in the middle", lambda: access_page(admin, Filters(), cursor=str(middle))),
        ("one patient", lambda: access_page(admin, Filters(case_number=one.case_number))),
        ("one user", lambda: access_page(admin, Filters(user_id=one.user_id))),
    )
    for title, work in pages:
        print(f"{title:<34}{ms(timings(work, rounds)):>9.1f} ms")
    today = timezone.localdate()
    began = time.perf_counter()
    year = today - timedelta(days=370)
    draw_sample(first_day=year, last_day=today, size=20, actor=admin, now=timezone.now(), seed=1)
    print(f"{'sample of 20 of all rows':<34}{(time.perf_counter() - began) * 1000:>9.0f} ms")


def measure_chain() -> None:
    from django.utils import timezone

    from organisations.access_log.sealing import seal_log
    from organisations.access_log.verifying import verify
    from organisations.models import AccessLog

    rows = AccessLog.objects.count()
    began = time.perf_counter()
    while seal_log(now=timezone.now()):
        pass
    sealed = time.perf_counter() - began
    began = time.perf_counter()
    found = verify(now=timezone.now())
    verified = time.perf_counter() - began
    assert found.holds
    assert found.rows == rows
    began = time.perf_counter()
    for _row in range(rows):
        hmac.digest(b"key", b"x" * 160, "sha256")
    bare = time.perf_counter() - began
    print(f"\n{'chain':<22}{'rows/s':>12}")
    for title, spent in (("seal", sealed), ("verify", verified), ("bare HMAC-SHA-256", bare)):
        print(f"{title:<22}{rows / spent:>12.0f}")


def timings(work: Callable[[], object], rounds: int) -> list[float]:
    times = []
    for _round in range(rounds + 2):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times[2:]


def ms(seconds: list[float]) -> float:
    return figures.median(seconds) * 1000


if __name__ == "__main__":
    main()
