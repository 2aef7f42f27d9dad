"""A campaign to 27 425 patients: count, approve, start, write the notices, progress and results.

``python -m benchmarks.campaign --patients 27425``. What is handed to the gateway afterwards is
measured on its own. Beside each batch stands a bare insert of as many notices.
"""

import argparse
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benchmarks.database import own_database
from benchmarks.worklist import REGION, fill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=27_425)
    arguments = parser.parse_args()
    with own_database():
        fill(2 * arguments.patients)  # half of them are the region's
        all_wait()
        measure()


def all_wait() -> None:
    """Everybody in the region has waited for 61 to 360 days."""
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            """
            UPDATE referral_case SET state = 'in_progress', closed_at = NULL, close_reason = '',
                decision_date = current_date - 61 - (id %% 300)::int,
                referral_date = current_date - 400
            WHERE region_id = %s
            """,
            [REGION],
        )
        cursor.execute(
            "UPDATE organisations_region SET navigator_phone = '010-1' WHERE code = %s", [REGION]
        )
        cursor.execute("ANALYZE")
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def measure() -> None:
    from django.db import connection
    from django.utils import timezone

    from notices.campaigns import services
    from notices.campaigns.results import results_of
    from notices.campaigns.selectors import progress_of, reach_of, sample_of
    from notices.campaigns.sweep import run_campaigns
    from organisations.access import Actor, acting_as
    from organisations.acting import Product, act_as
    from organisations.models import Role, User

    act_as(Product("benchmark"))
    now = timezone.now()
    people = [User.objects.create(login=f"lots{n}", name=f"Lots {n}") for n in range(2)]
    first, second = (
        Actor(role=Role.NAVIGATOR, name=user.name, user_id=user.pk, region=REGION)
        for user in people
    )
    campaign = services.prepare(name="Vi frågar", criteria={"waited": 60}, actor=first, now=now)
    reach = timed("count", lambda: reach_of(campaign, now=now))
    print(f"  {reach.patients} patients")
    with acting_as(first):
        timed("sample of five", lambda: sample_of(campaign, first, now=now))
    timed(
        "approve",
        lambda: services.approve(campaign, seen_version=1, actor=second, now=now),
    )
    timed("start: fix the recipients", lambda: services.start(campaign, actor=first, now=now))
    took, began = [], time.perf_counter()
    while True:
        one = time.perf_counter()
        if not run_campaigns(now=now):
            break
        took.append(time.perf_counter() - one)
    seconds = time.perf_counter() - began
    longest, middle = 1000 * max(took), 1000 * sorted(took)[len(took) // 2]
    print(
        f"write {reach.patients} notices: {seconds:.1f} s in {len(took)} batches,"
        f" the longest {longest:.0f} ms, the middle {middle:.0f} ms"
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (LIKE notices_notice)")
        timed(
            "as many rows inserted by bare SQL",
            lambda: cursor.execute("INSERT INTO bare SELECT * FROM notices_notice"),
        )
    timed("progress", lambda: progress_of(campaign))
    timed("results", lambda: results_of(campaign, first))
    services.pause(campaign, actor=first, now=now)
    timed(
        "resume, all held",
        lambda: services.resume(campaign, actor=first, now=now + timedelta(minutes=1)),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MB")


def timed(what: str, work: Callable[[], Any]) -> Any:
    began, busy = time.perf_counter(), time.process_time()
    done = work()
    seconds, own = time.perf_counter() - began, time.process_time() - busy
    print(f"{what}: {1000 * seconds:.0f} ms, of it {1000 * own:.0f} ms of the processor's time")
    return done


if __name__ == "__main__":
    main()
