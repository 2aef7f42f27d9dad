"""What has happened put into the facts, as the sweeps do."""

from datetime import datetime

from organisations.access import as_product
from organisations.events import deliver_events
from referral.models import Case
from statistics.facts.upkeep import refresh_stale
from statistics.models import CaseFact


def put_in_facts(*, now: datetime) -> None:
    with as_product("test"):
        while deliver_events(now=now) + refresh_stale(now=now):
            pass
        assert CaseFact.objects.count() == Case.objects.count()
