"""Each figure equals a plain recount over the objects."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organisations.access import Actor
from organisations.errors import NotAllowed
from organisations.models import User
from referral import services
from referral.models import Case, CaseState, Offer, Referral
from statistics import median
from statistics.months import Month
from statistics.selectors import Figures, statistics_for
from tests.factories import (
    ContractLineFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

MONTH = Month(2026, 3)


def some_months(region: Any) -> None:
    """Cases around the month's borders, with yes, no and treatment."""
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    moments = [
        stockholm(2026, 2, 28, 23, 59),
        stockholm(2026, 3, 1, 0, 0),
        stockholm(2026, 3, 29, 12, 0),  # the clocks go forward
        stockholm(2026, 3, 31, 23, 59),
        stockholm(2026, 4, 1, 0, 0),
    ]
    states = [CaseState.RECEIVED, CaseState.OFFERED, CaseState.CONFIRMED, CaseState.CLOSED]
    unit = None
    for number, (moment, state) in enumerate((m, s) for m in moments for s in states):
        made = make_case(state, now=moment, region=region, line=line, unit=unit)
        unit = made.unit if number % 3 else None
        if state == CaseState.OFFERED and number % 2 and made.offer:
            services.answer_offer(
                made.offer,
                accepted=False,
                channel="phone",
                reason="travel",
                actor=made.navigator,
                now=moment + timedelta(hours=30),
            )


def recount(region: Any, unit: Any = None) -> Figures:
    """The slow way: every object looked at in Python."""

    def inside(moment: Any) -> bool:
        return moment is not None and Month.of(timezone.localtime(moment).date()) == MONTH

    cases = [c for c in Case.objects.filter(region=region) if unit in {None, c.sending_unit}]
    offers = [o for o in Offer.objects.all() if o.case in cases]
    referrals = [r for r in Referral.objects.all() if r.offer in offers]
    answered = [o for o in offers if inside(o.answered_at)]
    confirmed = [r for r in referrals if inside(r.confirmed_at)]
    treated = [r for r in referrals if r.treated_on and Month.of(r.treated_on) == MONTH]
    gained = [
        r.offer.home_wait_days - (r.treated_on - timezone.localdate(r.offer.sent_at)).days
        for r in treated
        if r.offer.home_wait_days is not None and r.treated_on
    ]
    handling = [
        (r.confirmed_at - r.offer.case.received_at).total_seconds() / 86400
        for r in confirmed
        if r.confirmed_at
    ]
    hours = [(o.answered_at - o.sent_at).total_seconds() / 3600 for o in answered if o.answered_at]
    return Figures(
        received=sum(inside(c.received_at) for c in cases),
        offered=sum(inside(o.sent_at) for o in offers),
        answered=len(answered),
        accepted=sum(not o.decline_reason for o in answered),
        treated=len(treated),
        confirmed=len(confirmed),
        handling_days=median(handling) if handling else None,
        answer_hours=median(hours) if hours else None,
        days_gained=sum(gained) if gained else None,
        cost=sum((r.offer.call_off.amount_sek for r in treated), start=Decimal(0)),
    )


def test_the_region_and_each_clinic_equal_the_recount() -> None:
    region = RegionFactory()
    some_months(region)
    found = statistics_for(navigator_actor(region), month=MONTH)
    same(found.total, recount(region))
    assert len(found.clinics) > 1
    for unit, figures in found.clinics:
        same(figures, recount(region, unit))


def same(found: Figures, expected: Figures) -> None:
    for name in ("received", "offered", "answered", "accepted", "treated", "confirmed"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.handling_days == pytest.approx(expected.handling_days)
    assert found.answer_hours == pytest.approx(expected.answer_hours)
    assert (found.days_gained, found.cost) == (expected.days_gained, expected.cost)


def test_a_manager_sees_no_small_number() -> None:
    region = RegionFactory()
    some_months(region)
    found = statistics_for(manager_actor(region), month=MONTH)
    for _unit, figures in [(None, found.total), *found.clinics]:
        for name in ("received", "offered", "answered", "accepted", "treated"):
            assert getattr(figures, name) not in {1, 2, 3, 4}


def test_a_clinic_sees_its_own_and_a_contract_owner_none() -> None:
    region = RegionFactory()
    some_months(region)
    unit = Case.objects.order_by("pk")[0].sending_unit
    found = statistics_for(clinic_actor(unit), month=MONTH)
    assert [u for u, _figures in found.clinics] == [unit]
    same(found.total, recount(region, unit))
    with pytest.raises(NotAllowed):
        statistics_for(contract_owner_actor(region), month=MONTH)


def test_the_number_of_queries_does_not_grow_with_cases() -> None:
    region = RegionFactory()
    actor = navigator_actor(region)
    make_case(CaseState.RECEIVED, now=MONTH.start, region=region)
    few = queries(lambda: statistics_for(actor, month=MONTH))
    some_months(region)
    assert queries(lambda: statistics_for(actor, month=MONTH)) == few


def queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def page_client(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def test_the_downloads_hold_the_page_s_figures() -> None:
    region = RegionFactory()
    some_months(region)
    client = page_client(navigator_actor(region))
    month = str(Month.of(timezone.localdate()))
    plain = client.get(f"/statistics/export.csv?month={month}").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(plain), delimiter=";"))
    workbook = openpyxl.load_workbook(
        io.BytesIO(client.get(f"/statistics/export.xlsx?month={month}").content)
    )
    sheet = [[cell.value for cell in row] for row in workbook[month].iter_rows()]
    assert [row[0] for row in rows] == [row[0] for row in sheet]
    assert rows[-1][0] == "Totalt"


@pytest.mark.parametrize("query", ["month=abc", "month=9999-99", "clinic=SE0", "month=%00"])
def test_a_choice_that_cannot_be_read_is_told_on_the_page(query: str) -> None:
    answer = page_client(navigator_actor(RegionFactory())).get(f"/statistics/?{query}")
    assert answer.status_code == 200
    assert "ds-validation-message" in answer.content.decode()
