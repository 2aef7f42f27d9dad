"""Whose waiting is shown is decided once for each month, when the month has been frozen."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from referral import services as handling
from referral.models import Case, CloseReason
from statistics.guarantee.columns import Kind
from statistics.guarantee.selectors import Dimension, guarantee_for
from statistics.guarantee.services import decide_due, month_ends
from statistics.models import FrozenMonth, WithheldWaiting
from statistics.months import Month
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    RegionFactory,
    make_case,
    manager_actor,
    navigator_actor,
    stockholm,
    user_of,
)
from tests.shared_world import shared

pytestmark = pytest.mark.django_db
CAME, TODAY = stockholm(2026, 3, 20, 12), date(2026, 4, 20)
MARCH = Month(2026, 3)
NOW = stockholm(2026, 4, 7, 6)


def made_region() -> Any:
    """In March eleven came in to each of two clinics, five to a third, none to a fourth. One of the
    first clinic's ended."""
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    units = [CareUnitFactory(region=region, sends=True, name=f"Klinik {n}") for n in range(4)]
    for unit, many in zip(units, (10, 11, 5, 0), strict=True):
        for _number in range(many):
            made = make_case(now=CAME, region=region, unit=unit, line=line)
    actor = made.navigator
    case = Case.objects.filter(sending_unit=units[0])[0]
    handling.take(case, actor=actor, now=CAME)
    handling.end(case, reason=CloseReason.HOME_CLINIC, comment="", actor=actor, now=CAME)
    make_case(now=CAME, region=region, unit=units[0], line=line)
    return region


@pytest.fixture(scope="module")
def region(django_db_setup: None, django_db_blocker: object) -> Iterator[Any]:
    with shared(django_db_blocker):
        yield made_region()


def freeze(region: Any, month: Month) -> None:
    FrozenMonth.objects.create(
        region=region,
        first_day=month.first_day,
        version=1,
        rules="1",
        due_on=TODAY,
        frozen_at=NOW,
        actor_name="Vårdlots",
        role="system",
    )


def waiting(actor: Any, *, month: Month = MARCH, by: str = Dimension.CLINIC) -> dict[str, Any]:
    found = guarantee_for(actor, month=month, today=TODAY, dimension=by)
    lines = [*found.lines[Kind.WAITING], found.totals[Kind.WAITING]]
    return {line.label: line.size for line in lines}


def test_no_clinics_waiting_is_shown_before_the_month_is_decided(region: Any) -> None:
    manager = manager_actor(region)
    assert decide_due(now=NOW) == 0  # not frozen yet
    assert waiting(manager) == {**{f"Klinik {n}": None for n in range(4)}, "Totalt": 26}
    assert set(waiting(manager, by=Dimension.AREA).values()) == {None, 26}
    found = guarantee_for(manager, month=MARCH, today=TODAY)
    assert {cell.count for cell in found.lines[Kind.WAITING][1].within["without"].values()} == {
        None
    }
    assert waiting(navigator_actor(region))["Klinik 1"] == 11


def test_a_frozen_months_waiting_is_shown_of_the_clinics_that_it_tells_nothing_of(
    region: Any,
) -> None:
    freeze(region, MARCH)
    assert decide_due(now=NOW) == 1
    shown = waiting(manager_actor(region))
    # One ended in the whole region, and could have been of the first clinic or the third.
    told = {"Klinik 0": None, "Klinik 1": 11, "Klinik 2": None, "Klinik 3": 0}
    assert shown == told | {"Totalt": 26}


def test_a_month_is_decided_once_and_after_those_before_it(region: Any) -> None:
    freeze(region, MARCH.back(-1))
    assert decide_due(now=NOW) == 2
    assert decide_due(now=NOW) == 0
    rows = WithheldWaiting.objects.filter(region=region)
    assert [row.first_day for row in rows] == [date(2026, 3, 1), date(2026, 4, 1)]


def test_what_waits_is_what_came_in_less_what_left(region: Any) -> None:
    """The balance that the rule looks at is that of the page."""
    (end,) = month_ends(region.code, [MARCH])
    page = guarantee_for(navigator_actor(region), month=MARCH, today=TODAY)
    sizes = {line.key: line.size for line in page.lines[Kind.WAITING]}
    assert {f"clinic:{clinic}": many for clinic, many in end.waiting.items()} == {
        key: size for key, size in sizes.items() if size
    }


@time_machine.travel(stockholm(2026, 4, 20), tick=False)
def test_who_sees_figures_only_first_sees_the_last_month_that_is_decided(
    region: Any, client: Client
) -> None:
    freeze(region, MARCH)
    decide_due(now=NOW)
    figures, cases = manager_actor(region=region), navigator_actor(region=region)
    for actor, month in ((figures, "2026-03"), (cases, "2026-04")):
        client.force_login(user_of(actor))
        page = client.get(reverse("guarantee"))
        assert page.context["found"].month == Month.parse(month)
    client.force_login(user_of(figures))
    assert 'value="2026-03" selected' in client.get(reverse("guarantee")).content.decode()
    page = client.get(reverse("guarantee"), {"month": "2026-04"})
    assert page.context["found"].month == Month(2026, 4)
