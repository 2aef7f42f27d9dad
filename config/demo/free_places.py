"""Free places of the demonstration's providers, and the hits on the watch list that they give."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from capacity.slots.services import post_slot
from config.demo import places
from organisations.access import Actor
from organisations.events import deliver_events
from organisations.models import CareUnit

ASA_CEILINGS = (4, 3, 3)


def post_free_places(
    providers: Mapping[str, list[CareUnit]], actors: Mapping[int | None, Actor], *, now: datetime
) -> None:
    """Each provider posted places a few hours ago, the first one for all that it does."""
    today = timezone.localdate(now)
    monday = today + timedelta(days=7 - today.weekday())
    posted_at = now - timedelta(hours=3)
    for serial, private in enumerate(places.PROVIDERS):
        unit = providers[private.login][0]
        first = monday + timedelta(weeks=1 + serial % 5)
        values = {
            "first_day": first,
            "last_day": first + timedelta(days=6 + 7 * (serial % 3)),
            "offered": 2 + serial % 4,
            "asa_ceiling": ASA_CEILINGS[serial % 3],
            "book_by": first - timedelta(days=3),
            "contact": unit.phone,
            "note": "" if serial % 3 else "Inskrivning dagen före.",
        }
        for code in private.codes if serial == 0 else private.codes[:1]:
            post_slot(
                values | {"kva": code},
                care_unit=unit,
                actor=actors[unit.provider_id],
                now=posted_at,
            )
    deliver_events(now=now, limit=100_000)
