"""Reads of waiting times that pages, API and services share."""

from datetime import date, timedelta

from capacity.models import OWN_SOURCE, WaitingTime
from contracts.codes import covering_codes
from organisations.models import CareUnit

# A waiting time older than this says nothing about today.
FRESH_DAYS = 120


def median_wait_days(unit: CareUnit, *, kva: str, today: date) -> int | None:
    """The newest median wait in days for the code, or its group, at the unit; else ``None``.

    As registers have it: the product's own patients at a unit are too few to promise by.
    """
    return (
        WaitingTime.objects.filter(
            care_unit=unit,
            kva__in=covering_codes(kva),
            day__range=(today - timedelta(days=FRESH_DAYS), today),
        )
        .exclude(source=OWN_SOURCE)
        .filter(need_within_days=None)
        .order_by("-day", "-kva", "source")
        .values_list("median_days", flat=True)
        .first()
    )
