"""From one page of statistics to another, what is chosen goes along where it is understood."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organisations.access import Actor
from organisations.models import CareUnit
from statistics.months import Month
from statistics.tabs import PAGES
from tests.factories import (
    CareUnitFactory,
    clinic_actor,
    manager_actor,
    navigator_actor,
    user_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit() -> CareUnit:
    return CareUnitFactory.create(sends=True)


def tabs_of(actor: Actor, name: str, chosen: dict[str, str]) -> dict[str, dict[str, str]]:
    """What each tab of a page asks for, by the address's name; every link answers."""
    client = Client()
    client.force_login(user_of(actor))
    answer = client.get(reverse(name), chosen)
    assert answer.status_code == 200
    found = {}
    names = {reverse(page.name): page.name for page in PAGES}
    for tab in answer.context["pages"]:
        link = urlsplit(tab["url"])
        assert f'href="{tab["url"].replace("&", "&amp;")}"' in answer.content.decode()
        assert client.get(tab["url"]).status_code == 200
        found[names[link.path]] = {key: one for key, [one] in parse_qs(link.query).items()}
    return found


def month(back: int) -> str:
    return str(Month.of(timezone.localdate()).back(back))


def test_month_and_clinic_go_along_to_the_pages_that_know_them(unit):
    chosen = {"month": month(2), "clinic": unit.hsa_id}
    found = tabs_of(navigator_actor(unit.region), "statistics", chosen)
    for name in ("statistics", "dashboard", "guarantee"):
        assert found[name] == chosen
    assert found["performance"] == {"month": month(2)}
    for name in ("frozen-months", "pathways", "open-data"):
        assert found[name] == {}


def test_what_only_one_page_knows_stays_with_that_page(unit):
    navigator = navigator_actor(unit.region)
    chosen = {"month": month(1), "procedure": "NGB49", "span": "twelve"}
    found = tabs_of(navigator, "dashboard-flows", chosen)
    assert found["dashboard"] == chosen
    assert found["guarantee"] == {"month": month(1)}
    chosen = {"dimension": "phase", "phase": "treatment", "month": month(1)}
    found = tabs_of(navigator, "guarantee", chosen)
    assert found["statistics"] == found["performance"] == {"month": month(1)}
    assert found["guarantee"] == chosen


def test_nothing_goes_along_that_the_other_page_cannot_read(unit):
    manager = manager_actor(unit.region)
    for chosen in ({"month": "2026-13", "clinic": "SE-x"}, {"month": "\x00", "page": "2"}):
        assert set(map(str, tabs_of(manager, "statistics", chosen).values())) == {"{}"}
    # The agreement goes back further than the month's page.
    found = tabs_of(manager, "performance", {"month": month(40)})
    assert (found["performance"], found["statistics"]) == ({"month": month(40)}, {})
    # Those who see figures only choose no procedure.
    found = tabs_of(manager, "statistics", {"procedure": "NGB49"})
    assert found["dashboard"] == {}


def test_a_clinic_has_no_tab_to_a_page_that_is_not_for_it(unit):
    found = tabs_of(clinic_actor(unit), "statistics", {"month": month(1)})
    assert not {"performance", "pathways"} & set(found)
    assert found["guarantee"] == {"month": month(1)}
