"""The dashboard over the API: the page's figures, the page's hiding, bad choices refused."""

from typing import Any

import pytest
from django.http import HttpResponse
from time_machine import travel

from statistics.dashboards.flows import flows_of
from statistics.dashboards.forms import Choice, Span
from statistics.dashboards.funnel import funnel_of
from statistics.dashboards.gaps import gaps_of
from statistics.dashboards.trend import figures_of, key_figures, trends
from tests.api.conftest import api
from tests.factories import (
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    manager_actor,
    navigator_actor,
)
from tests.statistics.dashboards.parts import MONTH, NOW, TODAY, busy_region

__all__ = ["api"]
pytestmark = pytest.mark.django_db

PARTS = ("", "trends/", "funnel/", "flows/", "gaps/")
SMALL = {1, 2, 3, 4}


@pytest.fixture
def region(db: None) -> Any:
    return RegionFactory()


@pytest.fixture
def ask(api: Any) -> Any:
    """``ask(actor, part, **choices)``: the answer."""

    def answer(actor: Any, part: str, **choices: str) -> HttpResponse:
        with travel(NOW, tick=False):
            found: HttpResponse = api(actor).get(f"/api/v1/statistics/dashboard/{part}", choices)
        return found

    return answer


def counts_in(answer: Any, names: frozenset[str]) -> list[Any]:
    """Every number under one of the names, wherever it stands."""
    if isinstance(answer, dict):
        here = [value for name, value in answer.items() if name in names]
        return here + [n for value in answer.values() for n in counts_in(value, names)]
    if isinstance(answer, list):
        return [n for value in answer for n in counts_in(value, names)]
    return []


def test_the_figures_are_those_of_the_pages(region: Any, ask: Any) -> None:
    made = busy_region(region)
    actor = navigator_actor(region)
    choice = Choice(MONTH, clinic=made[0].unit, procedure="NG", span=Span.TWELVE)
    asked = {
        "month": "2026-03",
        "clinic": made[0].unit.hsa_id,
        "procedure": "ng",
        "span": "twelve",
    }
    found = {part: ask(actor, part, **asked).json() for part in PARTS}
    for one in found.values():
        assert (one["region"], one["clinic"]) == (region.code, made[0].unit.hsa_id)
        assert (one["procedure"], one["mvo"], one["suppressed"]) == ("NG", None, False)
    statistics = figures_of(actor, choice)
    assert [
        (one["key"], one["value"], one["since_last_month"], one["since_last_year"])
        for one in found[""]["figures"]
    ] == [
        (one.figure.key, *(None if isinstance(n, str) else n for n in one.numbers))
        for one in key_figures(statistics)
    ]
    assert found[""]["running"]
    for one, trend in zip(found["trends/"]["trends"], trends(statistics, today=TODAY), strict=True):
        assert one["key"] == trend.figure.key
        assert [month["month"] for month in one["months"]] == [str(row.month) for row in trend.rows]
    funnel = funnel_of(actor, choice)
    assert (found["funnel/"]["first_month"], found["funnel/"]["last_month"]) == (
        "2025-04",
        "2026-03",
    )
    assert [
        (one["key"], one["reached"], one["still"], one["left"])
        for one in found["funnel/"]["stages"]
    ] == [(one.key, one.reached, one.still, one.left) for one in funnel.stages]
    assert [one["total"] for one in found["flows/"]["rows"]] == [
        row.total for row in flows_of(actor, choice).rows
    ]
    assert found["gaps/"]["total"] == gaps_of(actor, choice, today=TODAY).total
    assert found["gaps/"]["day"] == str(TODAY)


def test_a_trend_tells_limits_and_signals_by_month(region: Any, ask: Any) -> None:
    """Too few months here for limits, so the centre and the limits are null and none signals."""
    busy_region(region)
    (received, *_rest) = ask(navigator_actor(region), "trends/", month="2026-03").json()["trends"]
    last = received["months"][-1]
    assert received["centre"] is None
    assert last["month"] == "2026-03"
    assert (last["low"], last["high"], last["outside"], last["one_side"]) == (
        None,
        None,
        False,
        False,
    )


def test_shares_change_by_percentage_points(region: Any, ask: Any) -> None:
    busy_region(region)
    figures = {one["key"]: one for one in ask(navigator_actor(region), "").json()["figures"]}
    assert figures["accepted_share"]["unit"] == "%"
    assert figures["accepted_share"]["unit_of_change"] == "procentenheter"
    assert figures["handling_days"]["unit_of_change"] == "dagar"


def test_a_manager_gets_no_small_number_and_the_whole_region(region: Any, ask: Any) -> None:
    made = busy_region(region)
    actor = manager_actor(region)
    chosen = {"month": "2026-03", "clinic": made[0].unit.hsa_id}
    names = frozenset({"reached", "still", "left", "count", "total"})
    for part in ("funnel/", "flows/", "gaps/"):
        answer = ask(actor, part, **chosen).json()
        assert answer["suppressed"]
        assert answer["clinic"] is None
        assert answer == ask(actor, part, month="2026-03").json()
        numbers = counts_in(answer, names)
        assert None in numbers
        assert not set(numbers) & SMALL
    for figure in ask(actor, "", month="2026-03").json()["figures"]:
        if not figure["unit"]:
            assert figure["value"] not in SMALL
        assert not figure["hidden"] or figure["value"] is None


def test_a_clinic_gets_its_own_figures(region: Any, ask: Any) -> None:
    made = busy_region(region)
    actor = clinic_actor(made[0].unit)
    for part in PARTS:
        assert ask(actor, part).json()["clinic"] == made[0].unit.hsa_id
    other = made[-2].unit if made[-2].unit != made[0].unit else made[10].unit
    assert ask(actor, "", clinic=other.hsa_id).status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("month", "2026-13"), ("month", "\x00"), ("clinic", "x"), ("procedure", "%%")),
        *(("mvo", "x"), ("span", "x"), ("procedure", "AAAAAA")),
    ],
)
def test_a_choice_that_does_not_hold_is_refused_at_its_field(
    region: Any, ask: Any, name: str, value: str
) -> None:
    actor = navigator_actor(region)
    for part in PARTS:
        answer = ask(actor, part, **{name: value})
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    "asked", [{"mvo": "311"}, {"procedure": "NGB49"}, {"span": "twelve"}, {"span": "x"}]
)
def test_those_who_see_figures_only_are_refused_what_they_may_not_choose(
    region: Any, ask: Any, asked: dict[str, str]
) -> None:
    for part in PARTS:
        answer = ask(manager_actor(region), part, **asked)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == list(asked)
        assert "Din roll" in answer.json()["errors"][0]["detail"]


def test_others_have_no_dashboard(region: Any, ask: Any) -> None:
    for part in PARTS:
        assert ask(contract_owner_actor(region), part).status_code == 403
