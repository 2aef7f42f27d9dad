"""What the product's own cases tell of waiting times, for the situation view."""

from collections.abc import Sequence
from datetime import datetime

from capacity.services import put_own_waits
from contracts.codes import covering_codes
from organisations.access import as_product
from organisations.events import subscribe_gathering
from organisations.models import DomainEvent
from referral.models import Referral


def subscribe_all() -> None:
    subscribe_gathering("case.treated", "referral.own_waits", on_treated)


@as_product("own waiting times")
def on_treated(events: Sequence[DomainEvent], now: datetime) -> None:
    """Count the treated patients of each day, unit and group of codes anew."""
    numbers = {event.case_number for event in events}
    newest = (
        Referral.objects.filter(offer__case__number__in=numbers, treated_on__isnull=False)
        .select_related("offer__case", "offer__care_unit")
        .order_by("offer__case_id", "-treated_on")
        .distinct("offer__case_id")
    )
    days = {
        (treated.offer.care_unit, covering_codes(treated.offer.case.kva)[-1], treated.treated_on)
        for treated in newest
        if treated.treated_on is not None
    }
    for unit, group, day in sorted(days, key=lambda one: (one[0].pk, one[1], one[2])):
        same = Referral.objects.filter(
            offer__care_unit=unit, offer__case__kva__startswith=group, treated_on=day
        ).values_list("offer__case__decision_date", "offer__case__asa")
        put_own_waits(
            unit,
            kva=group,
            day=day,
            waits=[(day - decided).days for decided, _asa in same],
            asa34=sum(asa >= 3 for _decided, asa in same),
        )
