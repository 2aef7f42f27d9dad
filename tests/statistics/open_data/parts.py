"""A third quarter with patients of two regions who went to other providers, for several reasons."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from organisations.access import as_product
from organisations.models import Region
from referral.models import Case, CaseState, Referral, ReferralCause
from referral.numbers import draw_case_numbers
from statistics.open_data.quarters import Quarter
from tests.factories import ContractLineFactory, RegionFactory, make_case, stockholm

QUARTER = Quarter(2026, 3)
PUBLISHED = stockholm(2026, 11, 20, 6)


def treated(
    number: int,
    *,
    region: Region,
    line: Any,
    cause: str = ReferralCause.WAITING_TIME,
    at: datetime | None = None,
) -> None:
    """So many patients of the region, treated in the quarter where ``line`` says.

    The first is walked through the services, the others are its rows over again.
    """
    moment = at or stockholm(2026, 8, 3, 12)
    made = make_case(CaseState.CLOSED, now=moment, region=region, line=line, referral_cause=cause)
    with as_product("test"), transaction.atomic():
        referral = Referral.objects.select_related("offer__call_off").get(offer=made.offer)
        numbers = draw_case_numbers(number - 1, county=region.code, year=moment.year)
        for days, case_number in enumerate(numbers):
            _once_more(made.refresh(), referral, case_number.value, days=days)


def _once_more(case: Case, referral: Referral, number: str, *, days: int) -> None:
    later = timedelta(days=days)
    offer, call_off = referral.offer, referral.offer.call_off
    for row in (case, call_off, offer, referral):
        row.pk = None
        row._state.adding = True
    case.number = call_off.case_number = number
    case.decision_date -= later
    case.referral_date -= later
    for row in (case, call_off):
        row.save()
    offer.case, offer.call_off = case, call_off
    offer.save()
    referral.offer = offer
    referral.save()


def line_in(home: Region, place: Region) -> Any:
    """A contract line of ``home`` at a unit that lies in ``place``."""
    return ContractLineFactory.create(
        kva="NGB",
        contract__owner_region=home,
        contract__cap_volume=None,
        care_unit__region=place,
    )


def two_regions() -> tuple[Region, Region]:
    """Halland sends 7 within and 6 across because of the wait, 2 by free choice; Dalarna 5 across
    and 3 for highly specialised care."""
    halland = RegionFactory.create()
    dalarna = RegionFactory.create(code="20", name="Region Dalarna", short_name="Dalarna")
    within, across = line_in(halland, halland), line_in(halland, dalarna)
    treated(7, region=halland, line=within)
    treated(6, region=halland, line=across)
    treated(2, region=halland, line=within, cause=ReferralCause.FREE_CHOICE)
    away = line_in(dalarna, halland)
    treated(5, region=dalarna, line=away)
    treated(3, region=dalarna, line=away, cause=ReferralCause.HIGHLY_SPECIALISED)
    return halland, dalarna
