"""In which order what is due leaves: offers and what belongs to them never behind a campaign."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from notices.models import Notice
from organisations.sweeps import claim_due


def claim_most_urgent(
    waiting: QuerySet[Notice], channels: Iterable[str], *, now: datetime, limit: int
) -> list[Notice]:
    """As ``claim_due``, the more urgent first, and in each level what has been due the longest.

    Asked level by level and channel by channel, as each has it in order in the index, however long
    another is.
    """
    found: list[Notice] = []
    by_channel = [waiting.filter(channel=channel) for channel in sorted(channels)]
    for priority in Notice.Priority:
        for queue in by_channel:
            if len(found) < limit:
                level = queue.filter(priority=priority)
                found += claim_due(level, now=now, limit=limit - len(found))
    return found
