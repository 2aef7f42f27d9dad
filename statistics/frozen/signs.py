"""Months that could not be frozen or recounted, for the operator's page."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from organisations.access import as_product
from organisations.administration.signs import Sign
from statistics.frozen.models import MonthDue


@as_product("signs for the operator")
def failing(now: datetime) -> list[str]:
    """Region, month and kind of error of each."""
    rows = MonthDue.objects.filter(failures__gt=0).order_by("first_day", "region")
    return [f"{row.region_id} {row.month}: {row.last_error}" for row in rows]


def signs(now: datetime) -> Iterator[Sign]:
    found = failing(now)
    text = "; ".join(found[:5]) if found else _("alla räknade")
    yield Sign(_("Frysta månader i statistiken"), text, not found)
