"""What the product's own cases tell of waiting times, for the situation view."""

from datetime import datetime

from capacity.services import put_own_waits
from contracts.codes import covering_codes
from organisations.access import as_product
from organisations.events import subscribe
from organisations.models import DomainEvent
from referral.models import Referral


def subscribe_all() -> None:
    subscribe("case.treated", "referral.own_waits", on_treated)


@as_product("own waiting times")
def on_treated(event: DomainEvent, now: datetime) -> None:
    """Count the day's treated patients of the unit and the group of codes anew."""
    treated = (
        Referral.objects.filter(offer__case__number=event.case_number, treated_on__isnull=False)
        .select_related("offer__case", "offer__care_unit")
        .order_by("-treated_on")
        .first()
    )
    if treated is None or treated.treated_on is None:
        return
    group = covering_codes(treated.offer.case.kva)[-1]
    same = Referral.objects.filter(
        offer__care_unit=treated.offer.care_unit,
        offer__case__kva__startswith=group,
        treated_on=treated.treated_on,
    ).values_list("treated_on", "offer__case__decision_date", "offer__case__asa")
    put_own_waits(
        treated.offer.care_unit,
        kva=group,
        day=treated.treated_on,
        waits=[(day - decided).days for day, decided, _asa in same if day],
        asa34=sum(asa >= 3 for _day, _decided, asa in same),
    )
