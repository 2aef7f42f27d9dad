"""The dashboard's pages: who sees what, and the cases behind each figure."""

import re
import urllib.parse
from html import unescape
from typing import Any

import pytest
from django.test import Client
from time_machine import travel

from organisations.models import AccessLog
from referral.services import block
from tests.factories import (
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)
from tests.statistics.dashboards.parts import NOW, busy_region

pytestmark = pytest.mark.django_db

PARTS = ("", "funnel/", "flows/", "contracts/")
LINK = re.compile(r'<a href="(/statistics/dashboard/cases/[^"]+)">([^<]+)</a>')
SMALL_CELL = re.compile(r"<td[^>]*>\s*[1-4]\s*</td>")


@pytest.fixture
def region(db: None) -> Any:
    return RegionFactory()


def read(actor: Any, address: str, **extra: Any) -> Any:
    client = Client()
    client.force_login(user_of(actor))
    with travel(NOW, tick=False):
        return client.get(address, **extra)


def pages_of(actor: Any, query: str = "?month=2026-03") -> dict[str, str]:
    found = {}
    for part in PARTS:
        answer = read(actor, f"/statistics/dashboard/{part}{query}")
        assert answer.status_code == 200
        found[part] = answer.content.decode()
    return found


def links_on(pages: dict[str, str]) -> list[tuple[str, str]]:
    return [(unescape(a), text) for page in pages.values() for a, text in LINK.findall(page)]


# Figures that are no counts: their lists hold what they are worked out from.
NO_COUNTS = ("figure=answered", "figure=confirmed")


def assert_lists_hold_as_many(actor: Any, links: list[tuple[str, str]]) -> None:
    judged = 0
    for address, text in links:
        answer = read(actor, address)
        assert answer.status_code == 200, address
        behind = answer.context["behind"]
        assert len(behind.keys) + behind.blocked == behind.counted
        assert len(answer.context["cases"]) == min(50, len(behind.keys))
        if text.isdigit() and not any(name in address for name in NO_COUNTS):
            if "figure=treated" in address and int(text) != behind.counted:
                continue  # days gained and cost
            judged += 1
            assert behind.counted == int(text), (address, text)
    assert judged > 5


def test_each_figure_leads_to_as_many_cases_for_a_navigator(region: Any) -> None:
    made = busy_region(region)
    actor = navigator_actor(region)
    whole = links_on(pages_of(actor))
    assert {"received", "offered", "accepted", "treated", "funnel", "left", "flow", "gap"} <= {
        re.findall(r"figure=(\w+)", address)[0] for address, _text in whole
    }
    assert_lists_hold_as_many(actor, whole)
    chosen = f"?month=2026-03&clinic={made[0].unit.hsa_id}&procedure=NG&span=twelve"
    assert_lists_hold_as_many(actor, links_on(pages_of(actor, chosen)))


def test_each_figure_leads_to_as_many_cases_for_a_clinic(region: Any) -> None:
    made = busy_region(region)
    actor = clinic_actor(made[0].unit)
    assert_lists_hold_as_many(actor, links_on(pages_of(actor)))
    others = {one.case.pk for one in made if one.unit != made[0].unit}
    behind = read(
        actor, "/statistics/dashboard/cases/?month=2026-03&figure=funnel&stage=form&what=reached"
    ).context["behind"]
    assert behind.keys
    assert not others & set(behind.keys)


def test_a_blocked_case_is_counted_and_not_shown(region: Any) -> None:
    made = make_case(now=NOW, region=region)
    block(made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=NOW)
    answer = read(
        navigator_actor(region),
        "/statistics/dashboard/cases/?month=2026-03&figure=received",
    )
    assert answer.context["behind"].blocked == 1
    assert made.case.number not in answer.content.decode()
    assert "spärrade" in answer.content.decode()


def test_the_list_of_cases_is_written_in_the_access_log(region: Any) -> None:
    made = make_case(now=NOW, region=region)
    read(navigator_actor(region), "/statistics/dashboard/cases/?month=2026-03&figure=received")
    assert AccessLog.objects.filter(case_number=made.case.number).exists()


def test_managers_and_administrators_see_figures_and_no_way_to_a_case(region: Any) -> None:
    busy_region(region)
    for actor in (manager_actor(region), region_admin_actor(region)):
        for page in pages_of(actor).values():
            assert not LINK.search(page)
            assert not SMALL_CELL.search(page)
            assert "dolt" in page
        answer = read(actor, "/statistics/dashboard/cases/?figure=received")
        assert answer.status_code == 403


def test_each_choice_shows_a_manager_the_same_funnel_flows_and_gaps(region: Any) -> None:
    made = busy_region(region)
    actor = manager_actor(region)
    chosen = f"?month=2026-03&clinic={made[0].unit.hsa_id}&procedure=NGB49&mvo=311"
    for part in ("funnel/", "flows/", "contracts/"):
        plain = read(actor, f"/statistics/dashboard/{part}?month=2026-03").context
        other = read(actor, f"/statistics/dashboard/{part}{chosen}").context
        name = {"funnel/": "funnel", "flows/": "flows", "contracts/": "gaps"}[part]
        assert plain[name] == other[name]


def test_others_have_no_dashboard(region: Any) -> None:
    made = make_case(now=NOW, region=region)
    for actor in (contract_owner_actor(region), provider_actor(made.line.care_unit)):
        for part in (*PARTS, "export.csv", "cases/?figure=received"):
            assert read(actor, f"/statistics/dashboard/{part}").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        *("month=2026-13", "month=%00", "clinic=x", "procedure=%25%25", "procedure=AAAAAA"),
        *("mvo=x", "span=x", "month=2026-03&mvo=%F0%9F%98%80&procedure=%00"),
    ],
)
def test_a_choice_that_does_not_hold_is_told_and_left_out(region: Any, query: str) -> None:
    actor = navigator_actor(region)
    for part in PARTS:
        answer = read(actor, f"/statistics/dashboard/{part}?{query}")
        assert answer.status_code == 200
        errors = answer.context["form"].errors
        assert errors
        for text in errors.values():
            assert text[0] in unescape(answer.content.decode())


def test_each_page_asks_for_what_it_is_chosen_by_and_keeps_the_rest(region: Any) -> None:
    unit = make_case(now=NOW, region=region).unit
    chosen = f"month=2026-03&clinic={unit.hsa_id}&procedure=NG&span=twelve"
    every = {"month", "clinic", "mvo", "procedure", "span"}

    def fields(actor: Any, part: str) -> set[str]:
        context = read(actor, f"/statistics/dashboard/{part}?{chosen}").context
        asked = set(context["fields"])
        assert not asked & set(context["kept"])
        assert dict(urllib.parse.parse_qsl(chosen)).items() >= context["kept"].items()
        return asked

    navigator = navigator_actor(region)
    assert fields(navigator, "") == every - {"span"}
    assert fields(navigator, "funnel/") == fields(navigator, "flows/") == every
    assert fields(navigator, "contracts/") == every - {"month", "span"}
    manager = manager_actor(region)
    assert fields(manager, "") == {"month", "clinic"}
    assert fields(manager, "funnel/") == fields(manager, "flows/") == {"month"}
    assert fields(manager, "contracts/") == set()
    clinic = clinic_actor(unit)
    assert fields(clinic, "funnel/") == every - {"clinic"}


def test_every_link_keeps_what_is_chosen(region: Any) -> None:
    chosen = {
        "month": "2026-03",
        "clinic": make_case(now=NOW, region=region).unit.hsa_id,
        "procedure": "NG",
        "span": "twelve",
    }
    query = "?" + urllib.parse.urlencode(chosen)
    for page in pages_of(navigator_actor(region), query).values():
        # The main tab, without a query, is the way to begin anew.
        links = re.findall(r'href="(/statistics/dashboard/[^"]*\?[^"]*)"', page)
        assert len(links) >= 7
        for link in map(unescape, links):
            kept = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
            assert chosen.items() <= {**kept, "clinic": chosen["clinic"]}.items()
            assert "clinic" in kept


def test_the_period_asked_for_is_the_lists_too(region: Any) -> None:
    actor = navigator_actor(region)
    title = (
        read(actor, "/statistics/dashboard/cases/?month=2026-03&span=twelve&figure=flow")
        .context["behind"]
        .title
    )
    assert title == "Behandlade april 2025–mars 2026 hos vårdgivare i alla regioner"


@pytest.mark.parametrize(
    "query",
    ["figure=x", "figure=funnel&stage=x", "figure=funnel&stage=form&what=x", "figure=left"],
)
def test_an_address_that_names_no_figure_is_not_found(region: Any, query: str) -> None:
    answer = read(navigator_actor(region), f"/statistics/dashboard/cases/?{query}")
    assert answer.status_code == 404


def test_an_address_without_a_figure_leads_to_the_figures(region: Any) -> None:
    answer = read(navigator_actor(region), "/statistics/dashboard/cases/")
    assert (answer.status_code, answer["Location"]) == (302, "/statistics/dashboard/")


def test_every_picture_has_words_and_a_table(region: Any) -> None:
    busy_region(region)
    for part, page in pages_of(navigator_actor(region)).items():
        pictures = re.findall(r"<svg(?! aria-hidden)[^>]*>", page)
        assert all("aria-label=" in picture and 'role="img"' in picture for picture in pictures)
        assert page.count("<table") >= len(pictures) > 0 or part == "contracts/"
        ids = re.findall(r' id="([^"]*)"', page)
        assert len(ids) == len(set(ids))
