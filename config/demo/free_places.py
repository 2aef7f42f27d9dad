"""Free places of the demonstration's providers, and the hits on the watch list that they give."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from capacity.slots.services import post_slot
from config.demo import places
from organisations.access import Actor
from organisations.events import deliver_events
from organisations.models import CareUnit

# Every other provider has room, each in weeks of its own.
STEP = 2
ASA_CEILINGS = (4, 3, 2)


def post_free_places(
    providers: Mapping[str, list[CareUnit]], actors: Mapping[int | None, Actor], *, now: datetime
) -> None:
    """Post places for each procedure of some providers a few hours ago, and tell of them."""
    today = timezone.localdate(now)
    monday = today + timedelta(days=7 - today.weekday())
    posted_at = now - timedelta(hours=3)
    for serial, private in enumerate(places.PROVIDERS[::STEP]):
        unit = providers[private.login][0]
        first = monday + timedelta(weeks=1 + serial % 5)
        for number, code in enumerate(private.codes):
            values = {
                "kva": code,
                "first_day": first,
                "last_day": first + timedelta(days=6 + 7 * (serial % 3)),
                "offered": 2 + (serial + number) % 4,
                "asa_ceiling": ASA_CEILINGS[serial % 3],
                "age_min": None if code == "UJF" else 18,
                "age_max": None,
                "book_by": first - timedelta(days=3),
                "contact": unit.phone,
                "note": "" if serial % 3 else "Inskrivning dagen före.",
            }
            post_slot(values, care_unit=unit, actor=actors[unit.provider_id], now=posted_at)
    deliver_events(now=now, limit=100_000)
