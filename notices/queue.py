"""In which order what is due leaves: offers and what belongs to them never behind a campaign."""

from datetime import datetime

from django.db.models import QuerySet

from notices.models import Notice
from organisations.sweeps import claim_due


def claim_most_urgent(waiting: QuerySet[Notice], *, now: datetime, limit: int) -> list[Notice]:
    """As ``claim_due``, the more urgent first, each level by the time it is due.

    Asked level by level, so that each is answered by the index, however long another is.
    """
    found: list[Notice] = []
    for priority in Notice.Priority:
        if len(found) < limit:
            level = waiting.filter(priority=priority)
            found += claim_due(level, now=now, limit=limit - len(found))
    return found
