"""Page, files and API show the same, and a manager no small number."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from contracts.models import ContractLine
from organisations.access import Actor
from organisations.models import CareUnit, MedicalArea
from referral import services
from referral.models import Case, CaseState, CloseReason
from statistics.guarantee.columns import COUNTS, SIZE, Basis, Column, Kind
from statistics.guarantee.models import WithheldWaiting
from statistics.guarantee.selectors import Dimension, guarantee_for
from statistics.months import Month
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)
from tests.shared_world import shared

pytestmark = pytest.mark.django_db
NOW = stockholm(2026, 3, 20, 12)
MONTH = Month(2026, 3)
SMALL = {1, 2, 3, 4}


def made_region() -> Any:
    """Three clinics: seven waiting of which one over 30 days, six waiting, three done."""
    region = RegionFactory()
    line = ContractLineFactory(kva="NGB", contract__owner_region=region, contract__cap_volume=None)
    units = [CareUnitFactory(region=region, sends=True, name=f"Klinik {n}") for n in range(3)]
    for unit, many in zip(units, (7, 6, 0), strict=True):
        for number in range(many):
            days = 45 if (unit, number) == (units[0], 0) else 10
            make_case(
                now=NOW,
                region=region,
                unit=unit,
                line=line,
                referral_date=date(2026, 3, 20 if days == 10 else 1),
                decision_date=date(2026, 3, 20),
            )
    for _n in range(3):
        make_case(CaseState.TREATED, now=NOW, region=region, unit=units[2], line=line)
    old = Case.objects.filter(sending_unit=units[0]).order_by("pk")[0]
    Case.objects.filter(pk=old.pk).update(
        referral_date=date(2026, 1, 1),
        decision_date=date(2026, 1, 20),
        guarantee_start=date(2026, 1, 20),
    )
    return region


@pytest.fixture(scope="module")
def region(django_db_setup: None, django_db_blocker: object) -> Iterator[Any]:
    with shared(django_db_blocker):
        yield made_region()


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def test_page_files_and_api_show_the_same(region: Any) -> None:
    client = client_of(navigator_actor(region))
    with travel(NOW, tick=False):
        page = client.get("/statistics/guarantee/?month=2026-03&dimension=clinic")
        plain = client.get("/statistics/guarantee/export.csv?month=2026-03").content
        book = openpyxl.load_workbook(
            io.BytesIO(client.get("/statistics/guarantee/export.xlsx?month=2026-03").content)
        )
        answer = client.get("/api/v1/statistics/guarantee/?month=2026-03").json()
    assert page.status_code == 200
    text = page.content.decode()
    assert "Klinik 0" in text
    assert "Väntande vid månadens slut" in text
    rows = list(csv.reader(io.StringIO(plain.decode("utf-8-sig")), delimiter=";"))
    sheet = [[cell.value for cell in row] for row in book["2026-03"].iter_rows()]
    assert [row[:6] for row in rows[1:]] == [[*map(str, row[:6])] for row in sheet[1:]]
    waiting = answer["kinds"][0]
    assert waiting["total"]["count"] == 13
    assert [w["count"] for w in waiting["total"]["within"]] == [12, 13, 13, 13]
    assert waiting["total"]["own"] == {
        "days": region.guarantee_days,
        "count": 13,
        "percent": 100.0,
        "low": pytest.approx(77.2, abs=0.1),
        "high": 100.0,
    }
    total = next(row for row in rows if row[4] == "Totalt" and row[3].startswith("Utan pauser"))
    assert total[5:8] == ["13", "12", "92,3"]


def test_a_manager_sees_no_small_number_in_any_file(region: Any) -> None:
    client = client_of(manager_actor(region))
    with travel(NOW, tick=False):
        for dimension in Dimension.values:
            query = f"?month=2026-03&dimension={dimension}"
            page = client.get(f"/statistics/guarantee/{query}")
            assert page.status_code == 200
            assert "dolt" in page.content.decode()
            plain = client.get(f"/statistics/guarantee/export.csv{query}").content
            for row in csv.reader(io.StringIO(plain.decode("utf-8-sig")), delimiter=";"):
                assert not {*map(str, SMALL)} & {row[5], row[6], row[10], row[14], row[18]}
            answer = client.get(f"/api/v1/statistics/guarantee/{query}").json()
            for kind in answer["kinds"]:
                for line in (kind["total"], *kind["lines"]):
                    assert line["count"] not in SMALL
                    counts = [0, *(w["count"] for w in line["within"]), line["count"]]
                    told = [count for count in counts if count is not None]
                    assert not {b - a for a in told for b in told} & SMALL, line
                    assert line["patient_paused"] is None


def test_nothing_is_shown_of_the_done_of_a_clinic_whose_treated_are_hidden(region: Any) -> None:
    """All nine in the region are within 30 days, so six that are would be the clinic's treated."""
    other = CareUnit.objects.get(name="Klinik 1", region=region)
    line = ContractLine.objects.get(contract__owner_region=region)
    for _number in range(6):
        make_case(CaseState.TREATED, now=NOW, region=region, unit=other, line=line)
    for actor, shown in ((manager_actor(region), None), (navigator_actor(region), 6)):
        found = guarantee_for(actor, month=MONTH, today=NOW.date())
        assert found.totals[Kind.DONE].within["without"][30].count == 9
        (line_of_other,) = [one for one in found.lines[Kind.DONE] if one.label == "Klinik 1"]
        assert line_of_other.size == shown
        assert {cell.count for cell in line_of_other.within["without"].values()} == {shown}
        assert line_of_other.own["without"].count == shown


def test_nothing_is_shown_of_the_done_of_a_region_whose_treated_are_hidden(region: Any) -> None:
    """As in a month that hides its treated with the few of the month before: nine here, all within
    30 days, which by the sum of both months would give the few."""
    unit = CareUnit.objects.get(name="Klinik 1", region=region)
    line = ContractLine.objects.get(contract__owner_region=region)
    for _number in range(6):
        make_case(CaseState.TREATED, now=NOW, region=region, unit=unit, line=line)
    WithheldWaiting.objects.create(
        region=region, first_day="2026-02-01", hidden_next=["treated"], decided_at=NOW
    )
    for dimension in Dimension.values:
        found = guarantee_for(
            manager_actor(region), month=MONTH, today=NOW.date(), dimension=dimension
        )
        lines = [*found.lines[Kind.DONE], found.totals[Kind.DONE]]
        assert {line.size for line in lines} == {None}
        cells = {cell for line in lines for cell in line.within["without"].values()}
        assert {cell.count for cell in cells} == {None}
    found = guarantee_for(navigator_actor(region), month=MONTH, today=NOW.date())
    assert found.totals[Kind.DONE].size == 9


def test_each_choice_of_a_manager_shows_the_same_cells(region: Any) -> None:
    """No clinic, dimension or way to count gives what another hides."""
    actor = manager_actor(region)
    whole = guarantee_for(actor, month=MONTH, today=NOW.date())
    for kind in Kind.values:
        lines = {line.key: line for line in whole.lines[kind]}
        for unit in CareUnit.objects.filter(region=region, sends=True):
            one = guarantee_for(actor, month=MONTH, today=NOW.date(), clinic=unit)
            assert one.totals[kind] == lines[f"clinic:{unit.pk}"]
        for dimension in Dimension.values:
            other = guarantee_for(actor, month=MONTH, today=NOW.date(), dimension=dimension)
            assert other.totals[kind] == whole.totals[kind]


def test_a_managers_own_limits_of_a_mixed_region_tell_nothing_more(region: Any) -> None:
    """Child psychiatry has a limit of its own; the total is told only as a sum of what is shown."""
    area, _made = MedicalArea.objects.get_or_create(
        mvo="901", defaults={"name": "BUP", "group": "Barn- och ungdomspsykiatri"}
    )
    unit = CareUnit.objects.get(region=region, name="Klinik 1")
    CareUnit.objects.filter(pk=unit.pk).update(medical_area=area)
    Case.objects.filter(sending_unit=unit).update(guarantee_days=30)
    found = guarantee_for(manager_actor(region), month=MONTH, today=NOW.date())
    total = found.totals[Kind.WAITING]
    parts = [line.own[Basis.WITHOUT].count for line in found.lines[Kind.WAITING]]
    assert total.own_limit is None
    own = total.own[Basis.WITHOUT].count
    assert own == (None if None in parts else sum(n for n in parts if n is not None))


def test_ended_cases_stand_with_their_reason(region: Any) -> None:
    case = Case.objects.filter(region=region, state=CaseState.RECEIVED)[0]
    navigator = navigator_actor(region)
    services.take(case, actor=navigator, now=NOW)
    services.end(case, reason=CloseReason.HOME_CLINIC, comment="", actor=navigator, now=NOW)
    found = guarantee_for(navigator, month=MONTH, today=NOW.date())
    assert dict(found.ended)[str(CloseReason.HOME_CLINIC.label)] == 1
    assert found.totals[Kind.WAITING].size == 12
    hidden = guarantee_for(manager_actor(region), month=MONTH, today=NOW.date())
    assert dict(hidden.ended)[str(CloseReason.HOME_CLINIC.label)] is None


@pytest.mark.parametrize(
    "query", ["month=abc", "clinic=SE0", "dimension=x", "basis=%00", "phase=å", "month="]
)
def test_a_choice_that_cannot_be_read_is_told(region: Any, query: str) -> None:
    client = client_of(navigator_actor(region))
    page = client.get(f"/statistics/guarantee/?{query}")
    assert page.status_code == 200
    assert ("ds-validation-message" in page.content.decode()) == (query != "month=")
    api = client.get(f"/api/v1/statistics/guarantee/?{query}")
    assert api.status_code == (200 if query == "month=" else 400)


def test_who_comes_in(region: Any) -> None:
    unit = CareUnit.objects.filter(region=region, sends=True)[0]
    for actor, status in (
        (manager_actor(region), 200),
        (region_admin_actor(region), 200),
        (clinic_actor(unit), 200),
        (contract_owner_actor(region), 403),
    ):
        client = client_of(actor)
        assert client.get("/statistics/guarantee/").status_code == status
        assert client.get("/api/v1/statistics/guarantee/").status_code == status


def test_the_number_of_queries_does_not_grow_with_cases(region: Any) -> None:
    empty = RegionFactory()

    def queries(actor: Actor) -> int:
        with CaptureQueriesContext(connection) as captured:
            guarantee_for(actor, month=MONTH, today=NOW.date())
        return len(captured)

    assert queries(navigator_actor(region)) <= queries(navigator_actor(empty)) + 1


def test_every_count_is_one_of_the_columns() -> None:
    assert (SIZE, *(Column(b, n) for b in Basis.values for n in (30, 60, 90, 180))) == COUNTS
