"""Lead times of cancer pathways over region borders, with the national goals."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient
from time_machine import travel

from organisations.access import acting_as
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import ApiToken, Region
from organisations.scopes import Scope
from referral.models import CaseState, Phase
from referral.pathways import pathway_names
from referral.submission import check
from statistics.guarantee.models import WithheldWaiting
from statistics.models import InclusionCount, PathwayLimit
from statistics.pathways.halves import HalfYear
from statistics.pathways.selectors import (
    Lead,
    Pathways,
    Row,
    _grouped,
    _hide,
    _row,
    limits_of,
    pathways_for,
)
from statistics.pathways.services import enter_inclusion, enter_limit
from tests.factories import (
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    stockholm,
    submission,
    user_of,
)
from tests.statistics.open_data.parts import line_in

NOW = stockholm(2026, 3, 10, 12)
HALF = HalfYear(2026, 1)
TODAY = timezone.localdate(NOW)


def patients(number: int, *, region: Any, line: Any, days: int = 30, **more: Any) -> None:
    """So many, with suspicion ``days`` before the treatment."""
    unit = None
    values = {"svf_treatment": "surgery", "svf_pathway": "lungcancer"} | more
    for _place in range(number):
        made = make_case(
            CaseState.CLOSED,
            now=NOW,
            region=region,
            line=line,
            unit=unit,
            svf=True,
            suspicion_date=TODAY - timedelta(days=days),
            **values,
        )
        unit = made.unit


@pytest.fixture
def region(db: None) -> Any:
    """Two within the region in 20 days, one across in 40; the limit for lung surgery is 30."""
    halland = RegionFactory.create()
    dalarna = RegionFactory.create(code="20", name="Region Dalarna", short_name="Dalarna")
    patients(2, region=halland, line=line_in(halland, halland), days=20)
    patients(1, region=halland, line=line_in(halland, dalarna), days=40)
    enter_limit(
        pathway="lungcancer",
        treatment="surgery",
        days=30,
        actor=region_admin_actor(halland),
        now=NOW,
    )
    return halland


def found_by(actor: Any, period: HalfYear = HALF) -> Pathways:
    return pathways_for(actor, period=period)


def test_lead_times_by_pathway_border_and_flow(region):
    found = found_by(navigator_actor(region))
    assert (found.total.n, found.total.median, found.total.p80) == (3, 20, 32)
    assert {row.key: (row.n, row.median) for row in found.by_border} == {
        "within": (2, 20),
        "across": (1, 40),
    }
    assert [row.label for row in found.by_pathway] == ["Lungcancer"]
    assert {row.key: row.n for row in found.by_flow} == {"13": 2, "20": 1}


def test_the_share_within_the_limit_has_its_interval_and_goal(region):
    found = found_by(navigator_actor(region))
    assert found.total.share is not None
    assert round(found.total.share.percent, 1) == 66.7
    assert found.total.share.low < 66.7 < found.total.share.high
    assert found.total.reaches is False
    within = next(row for row in found.by_border if row.key == "within")
    assert within.reaches is True


def test_each_step_is_measured_from_the_cases_own_days(region):
    steps = {row.key: row.median for row in found_by(navigator_actor(region)).steps}
    assert steps["suspicion_to_treatment"] == 20
    assert steps["suspicion_to_decision"] == 10
    assert steps["decision_to_form"] == 10
    assert steps["form_to_confirmation"] == steps["confirmation_to_treatment"] == 0
    assert steps["suspicion_to_visit"] is None


def test_a_first_visit_is_no_treatment(region):
    patients(2, region=region, line=line_in(region, region), days=12, phase=Phase.FIRST_VISIT)
    found = found_by(navigator_actor(region))
    assert found.total.n == 5
    assert found.total.of == 3
    steps = {row.key: row.median for row in found.steps}
    assert steps["suspicion_to_visit"] == 12


def test_a_pathway_without_a_limit_has_no_share(region):
    patients(1, region=region, line=line_in(region, region), svf_pathway="myelom")
    rows = {row.key: row for row in found_by(navigator_actor(region)).by_pathway}
    assert rows["myelom"].share is None
    assert rows["myelom"].n == 1


def test_patients_without_a_pathway_are_told_of(region):
    made = make_case(
        CaseState.CLOSED, now=NOW, region=region, line=line_in(region, region), svf=True
    )
    assert made.case.svf_pathway == ""
    found = found_by(navigator_actor(region))
    assert (found.without_pathway, found.total.n) == (1, 3)
    assert found_by(manager_actor(region)).without_pathway is None


def test_other_half_years_and_regions_have_none_of_them(region):
    assert found_by(navigator_actor(region), HALF.next).total.n == 0
    other = RegionFactory.create(code="20")
    assert found_by(navigator_actor(other)).total.n == 0


def test_a_manager_sees_no_small_number(region):
    found = found_by(manager_actor(region))
    assert found.total.hidden
    for row in (found.total, *found.by_pathway, *found.by_border, *found.by_flow):
        assert row.n is None
        assert row.share is None
        assert row.median is None


def test_a_half_year_does_not_tell_a_month_that_is_hidden_for_the_one_before(region):
    dalarna = Region.objects.get(code="20")
    patients(4, region=region, line=line_in(region, region))
    patients(5, region=region, line=line_in(region, dalarna))
    assert found_by(manager_actor(region)).total.n == 12
    WithheldWaiting.objects.create(
        region=region, first_day="2026-02-01", hidden_next=["treated"], decided_at=NOW
    )
    assert found_by(manager_actor(region)).total.n is None
    assert found_by(navigator_actor(region)).total.n == 12


def test_only_those_who_see_the_regions_statistics(region):
    made = make_case(region=region)
    for actor in (clinic_actor(made.unit), contract_owner_actor(region)):
        with pytest.raises(NotAllowed):
            found_by(actor)


def test_the_newest_limit_holds(region):
    admin = region_admin_actor(region)
    enter_limit(pathway="lungcancer", treatment="surgery", days=44, actor=admin, now=NOW)
    assert limits_of(region.code) == {("lungcancer", "surgery"): 44}
    share = found_by(navigator_actor(region)).total.share
    assert share is not None
    assert share.percent == 100


def test_inclusion_against_the_goal(region):
    admin = region_admin_actor(region)
    enter_inclusion(
        period="2026H1", new_cases=200, included=150, source="Signe", actor=admin, now=NOW
    )
    found = found_by(manager_actor(region))
    assert found.inclusion_share is not None
    assert found.inclusion_share.percent == 75
    enter_inclusion(
        period="2026H1", new_cases=100, included=130, source="Signe", actor=admin, now=NOW
    )
    again = found_by(manager_actor(region)).inclusion_share
    assert again is not None
    assert again.percent == 100


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"period": "2026"}, "period"),
        ({"new_cases": 0}, "new_cases"),
        ({"new_cases": 10**9}, "new_cases"),
        ({"included": -1}, "included"),
        ({"source": " "}, "source"),
        ({"source": "a\x00"}, "source"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(db, values, field):
    admin = region_admin_actor(RegionFactory.create())
    given_ = {"period": "2026H1", "new_cases": 10, "included": 7, "source": "Signe"} | values
    with pytest.raises(InvalidInput) as error:
        enter_inclusion(**given_, actor=admin, now=NOW)
    assert set(error.value.fields) == {field}


def test_limits_are_entered_by_the_regions_administrator_alone(db):
    region = RegionFactory.create()
    with pytest.raises(NotAllowed):
        enter_limit(
            pathway="myelom", treatment="drugs", days=9, actor=manager_actor(region), now=NOW
        )
    for wrong in ({"pathway": "x"}, {"treatment": "x"}, {"days": 0}, {"days": 366}):
        given_ = {"pathway": "myelom", "treatment": "drugs", "days": 9} | wrong
        with pytest.raises(InvalidInput):
            enter_limit(**given_, actor=region_admin_actor(region), now=NOW)


def test_another_regions_numbers_are_not_read(region):
    admin = region_admin_actor(region)
    enter_inclusion(
        period="2026H1", new_cases=200, included=150, source="Signe", actor=admin, now=NOW
    )
    other = RegionFactory.create(code="20")
    for actor, sees in ((admin, True), (manager_actor(other), False), (None, False)):
        with acting_as(actor):
            assert PathwayLimit.objects.exists() == sees
            assert InclusionCount.objects.exists() == sees


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"svf_pathway": "okänd"}, "svf_pathway"),
        ({"svf": False}, "svf_pathway"),
        ({"suspicion_date": None}, "suspicion_date"),
        ({"suspicion_date": TODAY}, "suspicion_date"),
        ({"svf_pathway": ""}, "svf_pathway"),
        ({"svf_treatment": "x"}, "svf_treatment"),
    ],
)
def test_the_form_says_what_is_wrong_with_the_pathway(db, values, field):
    good = {"svf": True, "svf_pathway": "myelom", "suspicion_date": TODAY - timedelta(days=15)}
    assert check(submission(today=TODAY, **good), today=TODAY) == {}
    assert set(check(submission(today=TODAY, **(good | values)), today=TODAY)) == {field}


def test_the_list_of_pathways_has_unique_names_and_codes():
    names = pathway_names()
    assert len(names) == len(set(names.values())) == 29
    assert all(code.isascii() and len(code) <= 40 for code in names)


def test_page_files_and_api_tell_the_same(region):
    with travel(NOW, tick=False):
        client = Client()
        client.force_login(user_of(navigator_actor(region)))
        page = client.get(reverse("pathways"))
        text = client.get(reverse("pathways-csv")).content.decode("utf-8-sig")
        assert client.get(reverse("pathways-xlsx")).status_code == 200
        api = APIClient()
        _kept, token = ApiToken.objects.create(
            user_of(navigator_actor(region)), scopes=Scope.values
        )
        api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        answer = api.get("/api/v1/cancer-pathways/").json()
        assert api.get("/api/v1/cancer-pathways/?period=x").status_code == 400
    assert page.status_code == 200
    assert "målet nås inte" in page.content.decode()
    assert answer["total"]["n"] == 3
    assert answer["lead_time_goal"] == 80
    assert "Alla;Alla;3;20,0;32,0;3;66,7" in text


def chart_of(page: str) -> str:
    return page[page.index('aria-label="Andel inom längsta ledtid"') :].partition("</section>")[0]


def test_a_chart_without_bars_is_a_sentence_and_keeps_its_table(db):
    region = RegionFactory.create()
    client = Client()
    client.force_login(user_of(navigator_actor(region)))

    def shown() -> str:
        with travel(NOW, tick=False):
            return chart_of(client.get(reverse("pathways")).content.decode())

    assert "ingen andel inom längsta ledtid att rita" in shown()
    patients(1, region=region, line=line_in(region, region), days=40)
    admin = region_admin_actor(region)
    for days, has_bars in ((30, False), (50, True)):
        told = {"pathway": "lungcancer", "treatment": "surgery", "days": days}
        enter_limit(**told, actor=admin, now=NOW)
        assert ("<svg" in shown()) is has_bars
        assert ("diagrammet har inga staplar" in shown()) is not has_bars
        assert '<th scope="row">Lungcancer</th>' in shown()


def test_the_administrator_enters_both_on_one_page(db):
    region = RegionFactory.create()
    client = Client()
    client.force_login(user_of(region_admin_actor(region)))
    address = reverse("pathway-settings")
    limit = {"what": "limit", "pathway": "myelom", "treatment": "drugs", "days": "30"}
    assert client.post(address, limit).status_code == 302
    assert client.post(address, limit | {"days": "x"}).status_code == 422
    counts = {"what": "inclusion", "period": "2026H1", "new_cases": "9", "included": "8"}
    assert client.post(address, counts).status_code == 422
    assert client.post(address, counts | {"source": "Signe"}).status_code == 302
    assert client.post(address, {"what": "other"}).status_code == 422
    assert "Myelom" in client.get(address).content.decode()


lead = st.builds(
    Lead,
    st.sampled_from(["lungcancer", "myelom", "lymfom"]),
    st.sampled_from(["surgery", "drugs"]),
    st.just("13"),
    st.sampled_from(["13", "20", "01"]),
    st.fixed_dictionaries({"suspicion_to_treatment": st.integers(10, 60)}),
)
LIMITS = {("lungcancer", "surgery"): 30, ("myelom", "surgery"): 30, ("myelom", "drugs"): 30}


def parts_of(rows: list[Row]) -> list[tuple[int, int]]:
    return [
        (round(row.share.percent * row.of / 100), row.of) for row in rows if row.share and row.of
    ]


@given(st.lists(lead, max_size=60))
def test_no_small_number_is_shown_or_left_by_subtraction(leads: list[Lead]) -> None:
    by = [lambda one: one.pathway, lambda one: str(one.home == one.place), lambda one: one.place]
    true = [_grouped(leads, key, str, LIMITS) for key in by]
    counts = [{row.key: (row.n or 0, row.of or 0) for row in table} for table in true]
    total = _row("all", "all", leads, LIMITS)
    _hide(true[0], true[1], true[2], total)
    _pathways, borders, flows = true
    for row in borders:
        if row.n is not None and row.key == "True":
            assert [flow.n for flow in flows if flow.key == "13"] == [row.n]
    for table, known in zip(true, counts, strict=True):
        for row in table:
            assert row.n not in {1, 2, 3, 4}
        hidden = [known[row.key][0] for row in table if row.n is None]
        if hidden and total.n is not None:
            # All that is known of the hidden is their sum: more than one, not all small.
            assert len(hidden) > 1
            assert max(hidden) > 4
        for count, base in parts_of(table):
            assert not {count, base, base - count} & {1, 2, 3, 4}
        lost = [row for row in table if row.share is None and known[row.key][1]]
        shown = sum(base for _count, base in parts_of(table))
        whole = [sum(base for _c, base in parts_of(other)) for other in true]
        if lost and any(w > shown for w in whole):
            assert len(lost) > 1
            assert sum(known[row.key][1] for row in lost) > 4
