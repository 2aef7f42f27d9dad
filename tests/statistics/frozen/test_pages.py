"""The months as pages, files and API: each role its own, small numbers hidden, filters kept."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.test import Client
from rest_framework.test import APIClient
from time_machine import travel

from organisations.access import Actor
from organisations.models import ApiToken, CareUnit, Region, User
from organisations.scopes import Scope
from statistics.frozen import services
from statistics.frozen.models import FrozenMonth, Recount, Subscription
from statistics.guarantee.models import WithheldWaiting
from statistics.months import Month
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    clinic_actor,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    stockholm,
    user_of,
)
from tests.statistics.frozen.parts import FREEZES, Counted, days, number, region_since

pytestmark = pytest.mark.django_db

PAGE = "/statistics/months/2026-03/"
NOW = stockholm(2026, 4, 9, 12)


@pytest.fixture(autouse=True)
def _at_a_time() -> Iterator[None]:
    with travel(NOW, tick=False):
        yield


@pytest.fixture
def counted(monkeypatch: Any) -> Counted:
    """Stands for the count of all pages."""
    counted = Counted()

    def month_figures(region: str, month: Month, *, anew: bool = False) -> list[Any]:
        return counted(region, month)

    monkeypatch.setattr("statistics.monthly.figures.month_figures", month_figures)
    return counted


@pytest.fixture
def units(db: None) -> list[CareUnit]:
    return [CareUnitFactory(region=RegionFactory(), sends=True) for _n in range(3)]


def figures(units: list[CareUnit], *received: int) -> list[Any]:
    rows = [
        number(n, dimension="clinic", key=str(unit.pk))
        for unit, n in zip(units, received, strict=True)
    ]
    return [number(sum(received)), days(sum(received), 4.5), *rows]


@pytest.fixture
def region(counted: Counted, units: list[CareUnit]) -> Region:
    """March, frozen with 20 + 9 + 3; the night after the last one was 30."""
    region = region_since(stockholm(2026, 3, 10, 12), unit=units[0])
    WithheldWaiting.objects.create(region=region, first_day="2026-03-01", decided_at=FREEZES)
    counted.now(*figures(units, 20, 9, 3))
    services.run_months(now=FREEZES, count=counted)
    counted.now(*figures(units, 20, 9, 30))
    services.run_months(now=stockholm(2026, 4, 8, 2, 30), count=counted)
    return region


def visit(actor: Actor, address: str, **query: Any) -> Any:
    client = Client()
    client.force_login(user_of(actor))
    return client.get(address, query)


def send(actor: Actor, address: str, **body: Any) -> Any:
    client = Client()
    client.force_login(user_of(actor))
    return client.post(address, body)


def table(actor: Actor, **query: Any) -> list[list[str]]:
    text = visit(actor, f"{PAGE}export.csv", **query).content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))[1:]


def test_the_list_tells_state_version_rules_and_corrections(region: Region) -> None:
    text = visit(navigator_actor(region), "/statistics/months/").content.decode()
    assert "Fryst 2026-04-07" in text
    assert "Preliminär, fryses 2026-05-06" in text
    assert "2026-1" in text
    services.run_months(now=stockholm(2026, 7, 1, 9), count=Counted())
    assert (
        "skulle ha frysts 2026-05-06"
        in visit(navigator_actor(region), "/statistics/months/").content.decode()
    )


def test_a_month_shows_frozen_and_known_side_by_side(region: Region, units: Any) -> None:
    rows = table(navigator_actor(region), dimension="clinic")
    assert {row[1]: (row[5], row[11]) for row in rows} == {
        str(units[0].pk): ("20", "20"),
        str(units[1].pk): ("9", "9"),
        str(units[2].pk): ("3", "30"),
    }
    page = visit(navigator_actor(region), PAGE, dimension="clinic").content.decode()
    assert "rättad" in page
    assert "Känt nu" in page


def test_a_manager_sees_neither_the_small_number_nor_what_gives_it(
    region: Region, units: Any
) -> None:
    """3 is hidden with 9 in the frozen version, and so both in what is known now."""
    for actor in (manager_actor(region), region_admin_actor(region)):
        rows = {row[1]: (row[5], row[11]) for row in table(actor, dimension="clinic")}
        assert rows == {
            str(units[0].pk): ("20", "20"),
            str(units[1].pk): ("dolt", "dolt"),
            str(units[2].pk): ("dolt", "dolt"),
        }
        page = visit(actor, PAGE, dimension="clinic").content.decode()
        assert "Rättelser av små tal visas inte" in page
        book = openpyxl.load_workbook(
            io.BytesIO(visit(actor, f"{PAGE}export.xlsx", dimension="clinic").content)
        )
        assert "3" not in {str(cell.value) for row in book["2026-03"].rows for cell in row}
        assert book["Rättelser"].max_row == 1


def test_a_clinic_sees_its_own_row_alone(region: Region, units: Any) -> None:
    actor = clinic_actor(units[2])
    for dimension in ("clinic", "region", "sex", "finns-inte"):
        assert [(row[1], row[5], row[11]) for row in table(actor, dimension=dimension)] == [
            (str(units[2].pk), "3", "30")
        ]
    page = visit(actor, PAGE).content.decode()
    assert f"Grupp {units[0].pk}" not in page
    assert ">3<" in page


def test_another_region_has_no_such_month(region: Region) -> None:
    for actor in (
        manager_actor(RegionFactory(code="14")),
        navigator_actor(RegionFactory(code="14")),
    ):
        for address in (PAGE, f"{PAGE}export.csv"):
            assert visit(actor, address).status_code == 404
        assert send(actor, f"{PAGE}recount/").status_code == 404
        assert "2026-03" not in visit(actor, "/statistics/months/").content.decode()
    assert (
        send(manager_actor(RegionFactory(code="14")), f"{PAGE}publish/", reason="x").status_code
        == 404
    )


def test_roles_without_statistics_are_refused(region: Region, units: Any) -> None:
    for actor in (operator_actor(), provider_actor(units[0])):
        for address in (
            "/statistics/months/",
            PAGE,
            f"{PAGE}export.csv",
            "/statistics/subscription/",
        ):
            assert visit(actor, address).status_code == 403
    for actor in (navigator_actor(region), region_admin_actor(region), clinic_actor(units[0])):
        assert send(actor, f"{PAGE}publish/", reason="x").status_code == 403
    assert send(clinic_actor(units[0]), f"{PAGE}recount/").status_code == 403
    assert FrozenMonth.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    [
        *("/statistics/months/2026-13/", "/statistics/months/mars/", "/statistics/months/1999-01/"),
        *("/statistics/months/2026-01/", f"{PAGE}export.pdf", f"{PAGE}?version=2"),
    ],
)
def test_what_is_not_there_is_not_found(region: Region, address: str) -> None:
    assert (
        visit(
            navigator_actor(region),
            address.split("?")[0],
            **dict(part.split("=") for part in address.split("?")[1:]),
        ).status_code
        == 404
    )


@pytest.mark.parametrize(
    "query",
    [
        *({"dimension": "x"}, {"measure": "x"}, {"version": "x"}, {"version": "99999999999"}),
        *({"group": "x" * 500}, {"page": "x"}, {"group": "\x00"}, {"version": "-1"}),
    ],
)
def test_a_filter_that_cannot_be_read_says_so_and_shows_the_month(
    region: Region, query: dict[str, str]
) -> None:
    answer = visit(navigator_actor(region), PAGE, **query)
    assert answer.status_code == 200
    assert "Månadsstatistik mars 2026" in answer.content.decode()


def test_filters_choose_measure_and_group(region: Region, units: Any) -> None:
    actor = navigator_actor(region)
    assert [row[3] for row in table(actor, measure="received")] == ["Inkomna"]
    found = table(actor, dimension="clinic", group=f"grupp {units[1].pk}")
    assert [row[1] for row in found] == [str(units[1].pk)]


def test_a_preliminary_month_shows_what_is_known_now(region: Region, counted: Counted) -> None:
    counted.now(number(12), of=Month(2026, 4))
    answer = visit(navigator_actor(region), "/statistics/months/2026-04/").content.decode()
    assert "kan ändras tills månaden fryses" in answer
    assert ">12<" in answer


def test_a_preliminary_month_hides_small_numbers_too(region: Region, counted: Counted) -> None:
    counted.now(number(3), of=Month(2026, 4))
    answer = visit(manager_actor(region), "/statistics/months/2026-04/").content.decode()
    assert ">3<" not in answer
    assert "dolt" in answer


def test_a_manager_publishes_a_version_and_both_are_read(region: Region) -> None:
    actor = manager_actor(region)
    wrong = send(actor, f"{PAGE}publish/", reason=" ")
    assert wrong.status_code == 422
    assert send(actor, f"{PAGE}publish/", reason="Sena svar.").status_code == 302
    again = send(actor, f"{PAGE}publish/", reason="En gång till.")
    assert again.status_code == 409
    assert "Ingen siffra har ändrats" in again.content.decode()
    navigator = navigator_actor(region)
    assert [row[5] for row in table(navigator, measure="received", version=1)] == ["32"]
    assert [row[5] for row in table(navigator, measure="received")] == ["59"]
    page = visit(navigator, PAGE).content.decode()
    assert "Sena svar." in page
    assert "Version 1" in page


def test_recount_on_demand_tells_how_many(region: Region, counted: Counted, units: Any) -> None:
    actor = manager_actor(region)
    counted.now(*figures(units, 21, 9, 30))
    client = Client()
    client.force_login(user_of(actor))
    answer = client.post(f"{PAGE}recount/", follow=True).content.decode()
    assert "3 siffror har rättats." in answer
    assert (
        "Ingen siffra har ändrats" in client.post(f"{PAGE}recount/", follow=True).content.decode()
    )
    assert Recount.objects.count() == 2


def test_a_person_subscribes_for_itself_alone(region: Region) -> None:
    actor = manager_actor(region)
    assert "ingen e-postadress" in send(actor, "/statistics/subscription/").content.decode()
    User.objects.filter(pk=actor.user_id).update(email="chef@r.example")
    answer = send(actor, "/statistics/subscription/", email="annan@r.example", user="1")
    assert answer.status_code == 302
    found = Subscription.objects.get()
    assert (found.user_id, found.user.email) == (actor.user_id, "chef@r.example")
    assert "Sluta prenumerera" in visit(actor, "/statistics/subscription/").content.decode()
    send(actor, "/statistics/subscription/", leave="1")
    assert Subscription.objects.get().ended_at == NOW


def api(actor: Actor, *scopes: str) -> APIClient:
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(actor), scopes=list(scopes) or Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_what_is_hidden_for_the_few_who_wait_stays_as_it_was_decided(
    counted: Counted, units: list[CareUnit]
) -> None:
    region = region_since(stockholm(2026, 3, 10, 12), unit=units[0])
    WithheldWaiting.objects.create(
        region=region,
        first_day="2026-03-01",
        hidden_flows={"received": [units[0].pk, units[2].pk]},
        decided_at=FREEZES,
    )
    counted.now(*figures(units, 20, 9, 30))
    services.run_months(now=FREEZES, count=counted)
    rows = {row[1]: row[5] for row in table(manager_actor(region), dimension="clinic")}
    assert [rows[str(unit.pk)] for unit in units] == ["dolt", "9", "dolt"]
    rows = {row[1]: row[5] for row in table(navigator_actor(region), dimension="clinic")}
    assert [rows[str(unit.pk)] for unit in units] == ["20", "9", "30"]


def test_the_api_tells_the_same(region: Region, units: Any) -> None:
    client = api(manager_actor(region))
    months = client.get("/api/v1/statistics/months/").json()
    assert [(one["month"], len(one["versions"])) for one in months] == [
        ("2026-04", 0),
        ("2026-03", 1),
    ]
    found = client.get("/api/v1/statistics/months/2026-03/?dimension=clinic").json()
    assert (found["version"], found["preliminary"]) == (1, False)
    by_key = {row["key"]: row for row in found["figures"]}
    small = by_key[str(units[2].pk)]
    assert (small["hidden"], set(small["frozen"].values()), set(small["known"].values())) == (
        True,
        {None},
        {None},
    )
    assert by_key[str(units[0].pk)]["frozen"]["n"] == 20
    for wrong in ("?dimension=x", "?measure=x", "?version=x"):
        assert client.get(f"/api/v1/statistics/months/2026-03/{wrong}").status_code == 400
    for missing in ("2026-13", "2026-01", "x"):
        assert client.get(f"/api/v1/statistics/months/{missing}/").status_code == 404
    assert client.get("/api/v1/statistics/months/2026-03/?version=7").status_code == 404
    assert api(operator_actor()).get("/api/v1/statistics/months/").status_code == 403
    limited = api(manager_actor(region), Scope.CASES_READ)
    assert limited.get("/api/v1/statistics/months/").status_code == 403


def test_a_page_asks_as_little_of_the_database_with_many_figures(
    region: Region, counted: Counted, units: Any, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    client.force_login(user_of(manager_actor(region)))
    counted.now(
        *figures(units, 20, 9, 30),
        *(number(10, dimension="procedure", key=f"N{n}") for n in range(300)),
    )
    services.run_months(now=stockholm(2026, 4, 9, 2, 30), count=counted)
    with django_assert_max_num_queries(40):
        assert client.get(PAGE, {"dimension": "procedure"}).status_code == 200
