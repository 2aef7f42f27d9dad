"""Whose waiting is shown is decided once for each month, when the month has been frozen."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from contracts.models import ContractLine
from organisations.models import CareUnit
from organisations.sweeps import run_due
from referral import services as handling
from referral.models import Case, CloseReason
from statistics.frozen.selectors import Choice, month_page
from statistics.guarantee.columns import Kind
from statistics.guarantee.flows import flows_of, waiting_at, waiting_since, waiting_until
from statistics.guarantee.selectors import Dimension, guarantee_for
from statistics.guarantee.services import decide_due
from statistics.guarantee.withheld import region_told
from statistics.hiding import hidden_after_few
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
    """In March eleven came in to a clinic where one ended, fifteen to one where five did, ten to a
    third and none to a fourth."""
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    units = [CareUnitFactory(region=region, sends=True, name=f"Klinik {n}") for n in range(4)]
    for unit, many, ended in zip(units, (11, 15, 10, 0), (1, 5, 0, 0), strict=True):
        made = [make_case(now=CAME, region=region, unit=unit, line=line) for _ in range(many)]
        for one in made[:ended]:
            end(one.case, actor=one.navigator)
    return region


def end(case: Case, *, actor: Any) -> None:
    handling.take(case, actor=actor, now=CAME)
    handling.end(case, reason=CloseReason.HOME_CLINIC, comment="", actor=actor, now=CAME)


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
    assert waiting(manager) == {**{f"Klinik {n}": None for n in range(4)}, "Totalt": 30}
    assert set(waiting(manager, by=Dimension.AREA).values()) == {None, 30}
    found = guarantee_for(manager, month=MARCH, today=TODAY)
    assert {cell.count for cell in found.lines[Kind.WAITING][1].within["without"].values()} == {
        None
    }
    assert waiting(navigator_actor(region))["Klinik 1"] == 10


def test_a_frozen_months_waiting_is_shown_of_the_clinics_that_it_tells_nothing_of(
    region: Any,
) -> None:
    freeze(region, MARCH)
    assert decide_due(now=NOW) == 1
    shown = waiting(manager_actor(region))
    # One ended at the first clinic, and is hidden with the second's five.
    told = {"Klinik 0": None, "Klinik 1": None, "Klinik 2": 10, "Klinik 3": 0}
    assert shown == told | {"Totalt": 30}


def is_told(actor: Any, month: Month) -> bool:
    """Whether the region's own cases in work and waiting are, by all their parts."""
    rows = month_page(actor, month, Choice()).rows
    stocks = {row.measure: row.hidden for row in rows if row.measure in {"in_work", "open_age"}}
    found = [waiting(actor, month=month), waiting(actor, month=month, by=Dimension.PHASE)]
    away = {sizes["Totalt"] is None for sizes in found} | set(stocks.values())
    assert len(stocks) == 2
    assert len(away) == 1
    return away == {False}


def test_the_regions_own_is_told_while_no_flow_of_fewer_than_five_follows(region: Any) -> None:
    """In March some came, and six were closed. In April one was closed, in May nothing happened."""
    manager, navigator = manager_actor(region), navigator_actor(region)
    april, may, june = (MARCH.back(-number) for number in (1, 2, 3))
    nothing, closed = frozenset[str](), frozenset({"closed"})
    run_due(now=stockholm(2026, 4, 1, 12))
    assert is_told(manager, MARCH)
    case, closed_at = Case.objects.filter(closed_at=None)[0], stockholm(2026, 4, 8, 12)
    handling.take(case, actor=navigator, now=closed_at)
    handling.end(case, reason=CloseReason.HOME_CLINIC, comment="", actor=navigator, now=closed_at)
    run_due(now=stockholm(2026, 4, 30, 12))
    assert WithheldWaiting.objects.get().first_day == MARCH.first_day
    assert not is_told(manager, april)
    # April's few would follow from what is in work, if May's were known.
    after = {april: nothing, may: closed, june: closed}
    assert hidden_after_few(region.code, after) == after
    run_due(now=stockholm(2026, 5, 20, 12))
    rows = WithheldWaiting.objects.order_by("first_day")
    assert [row.region_withheld for row in rows] == [False, True]
    assert [is_told(manager, month) for month in (MARCH, april, may)] == [True, False, False]
    assert hidden_after_few(region.code, after) == after
    assert {"closed", "closed_home_clinic"} <= {
        row.measure for row in month_page(manager, may, Choice()).rows if row.hidden
    }
    assert not any(row.hidden for row in month_page(navigator, may, Choice()).rows)


def closed_at_clinics(actor: Any, month: Month) -> dict[str, int | None]:
    rows = month_page(actor, month, Choice(dimension="clinic", measure="closed")).rows
    return {row.label: None if row.hidden else row.known.n for row in rows}


def test_what_left_a_clinic_where_few_wait_is_hidden_from_the_months_first_day(
    region: Any,
) -> None:
    """In April seven of ten ended at the third clinic, and six at the first, where as many came."""
    manager, navigator = manager_actor(region), navigator_actor(region)
    april, day = MARCH.back(-1), stockholm(2026, 4, 8, 12)
    run_due(now=stockholm(2026, 4, 7, 12))
    units = {unit.name: unit for unit in CareUnit.objects.filter(region=region)}
    line = ContractLine.objects.get(contract__owner_region=region)
    for _number in range(6):
        make_case(now=day, region=region, unit=units["Klinik 0"], line=line)
    for name, many in (("Klinik 0", 6), ("Klinik 2", 7)):
        for case in Case.objects.filter(sending_unit=units[name], closed_at=None)[:many]:
            handling.take(case, actor=navigator, now=day)
            handling.end(case, reason=CloseReason.HOME_CLINIC, comment="", actor=navigator, now=day)
    run_due(now=stockholm(2026, 4, 9, 12))
    closed = {"Klinik 0": 6, "Klinik 2": 7}
    assert closed_at_clinics(navigator, april) == closed
    assert set(closed_at_clinics(manager, april).values()) == {None}
    run_due(now=stockholm(2026, 5, 7, 12))
    row = WithheldWaiting.objects.get(first_day=april.first_day)
    assert row.hidden_flows == {"closed": [units["Klinik 0"].pk, units["Klinik 2"].pk]}
    assert closed_at_clinics(navigator, april) == closed
    assert set(closed_at_clinics(manager, april).values()) == {None}


def test_where_more_than_a_year_is_undecided_nothing_is_told(region: Any) -> None:
    """To count so many months would take a page too long, and the sweep stands still."""
    assert region_told(region.code, MARCH.back(-11))
    assert not region_told(region.code, MARCH.back(-12))


def test_a_month_is_decided_once_and_after_those_before_it(region: Any) -> None:
    freeze(region, MARCH.back(-1))
    assert decide_due(now=NOW) == 2
    assert decide_due(now=NOW) == 0
    rows = WithheldWaiting.objects.filter(region=region)
    assert [row.first_day for row in rows] == [date(2026, 3, 1), date(2026, 4, 1)]


def test_what_waits_is_what_came_in_less_what_left(region: Any) -> None:
    """The balance that the rule looks at is that of the page."""
    flows = flows_of(region.code, [MARCH])
    waiting = waiting_since(flows)
    assert waiting_until(waiting_at(region.code, MARCH), flows) == waiting
    page = guarantee_for(navigator_actor(region), month=MARCH, today=TODAY)
    sizes = {line.key: line.size for line in page.lines[Kind.WAITING]}
    assert {f"clinic:{clinic}": many for clinic, many in waiting[MARCH].items()} == {
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
