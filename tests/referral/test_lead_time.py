"""The lead time of a cancer pathway on the case page, and its correction."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from organisations.access import Actor, acting_as
from organisations.errors import InvalidInput, NotAllowed
from referral import services
from referral.guarantee import Urgency
from referral.lead_time import LeadTime, lead_time_of, lead_times_of
from referral.machine import CaseNotFound
from referral.models import Case, CaseState, Correction, IntakeFormVersion, Phase
from statistics.pathways.services import enter_limit
from tests.factories import (
    MadeCase,
    RegionFactory,
    make_case,
    navigator_actor,
    region_admin_actor,
    user_of,
)

TODAY = date(2026, 3, 10)


def lead(**changes: Any) -> LeadTime:
    return LeadTime(
        **(
            {
                "pathway": "Lungcancer",
                "suspicion": TODAY - timedelta(days=20),
                "treatment": "Kirurgi",
                "limit_days": 30,
                "started_on": None,
                "is_closed": False,
                "today": TODAY,
            }
            | changes
        )
    )


@pytest.mark.parametrize(
    ("changes", "left", "urgency", "words"),
    [
        ({}, 10, Urgency.CALM, "10 dagar kvar"),
        ({"limit_days": 27}, 7, Urgency.SOON, "7 dagar kvar"),
        ({"limit_days": 20}, 0, Urgency.SOON, "sista dagen i dag"),
        ({"limit_days": 19}, -1, Urgency.BREACHED, "1 dag över gränsen"),
        ({"started_on": TODAY - timedelta(days=2)}, 12, Urgency.KEPT, "hölls, 12 dagar kvar"),
        ({"limit_days": 15, "started_on": TODAY}, -5, Urgency.MISSED, "bröts med 5 dagar"),
        ({"limit_days": None}, None, Urgency.CALM, ""),
        ({"is_closed": True}, None, Urgency.CALM, ""),
    ],
)
def test_what_is_left_is_counted_in_calendar_days_to_the_treatment(changes, left, urgency, words):
    found = lead(**changes)
    assert (found.days_left, found.urgency, found.words) == (left, urgency, words)


@given(st.integers(1, 365), st.integers(0, 800))
def test_treatment_on_the_last_day_is_within_the_limit_and_the_day_after_is_not(limit, past):
    found = lead(limit_days=limit)
    assert found.last_day is not None
    for day, kept in ((found.last_day, True), (found.last_day + timedelta(days=1), False)):
        after = lead(limit_days=limit, started_on=day, today=day + timedelta(days=past))
        assert (after.urgency == Urgency.KEPT) is kept


SVF = {"svf": True, "svf_pathway": "lungcancer", "svf_treatment": "surgery"}


def cancer_case(state: CaseState = CaseState.IN_PROGRESS, **more: Any) -> MadeCase:
    """Suspected twenty days ago; lung surgery within 30 days in the region."""
    suspicion = timezone.localdate() - timedelta(days=20)
    made = make_case(state, **(SVF | {"suspicion_date": suspicion} | more))
    enter_limit(
        pathway="lungcancer",
        treatment="surgery",
        days=30,
        actor=region_admin_actor(made.unit.region),
        now=timezone.now(),
    )
    return made


def page_of(actor: Actor, made: MadeCase) -> str:
    client = Client()
    client.force_login(user_of(actor))
    answer = client.get(f"/cases/{made.case.number}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_all_who_see_the_case_see_its_lead_time(db):
    made = cancer_case(CaseState.CONFIRMED)
    last = timezone.localdate() + timedelta(days=10)
    for actor in (made.navigator, made.clinic, made.provider):
        page = page_of(actor, made)
        assert "Lungcancer" in page
        assert f'<span class="clock-panel__big">{last}</span>' in page
        assert "10 dagar kvar" in page
    assert "Rätta vårdförloppet" not in page_of(made.provider, made)


def test_a_treated_case_says_whether_the_lead_time_was_kept(db):
    page = page_of((made := cancer_case(CaseState.CLOSED)).navigator, made)
    assert "20 dagar efter misstanken" in page
    assert "hölls, 10 dagar kvar" in page


def test_a_first_visit_does_not_end_the_lead_time(db):
    made = cancer_case(CaseState.TREATED, phase=Phase.FIRST_VISIT)
    assert "ledtiden löper vidare till behandling" in page_of(made.navigator, made)


def test_without_a_limit_or_a_pathway_the_page_says_why_nothing_is_counted(db):
    made = cancer_case(svf_pathway="myelom")
    assert "Regionen har inte angett någon" in page_of(made.navigator, made)
    made = cancer_case(svf_treatment="")
    assert "Beror på den första behandlingen." in page_of(made.navigator, made)
    bare = make_case(CaseState.IN_PROGRESS, svf=True)
    assert "Ange vårdförloppet" in page_of(bare.navigator, bare)
    assert "Cancerförlopp" not in page_of((other := make_case()).clinic, other)


def correct(made: MadeCase, actor: Actor, **changes: Any) -> None:
    right = {name: getattr(made.case, name) for name in (*SVF, "suspicion_date")}
    reason = changes.pop("reason", "Fel dag i remissen.")
    now = timezone.now()
    services.correct_pathway(made.case, **(right | changes), reason=reason, actor=actor, now=now)


def test_a_correction_keeps_what_stood_before_and_is_in_the_log(db):
    made = cancer_case()
    before, right = made.case.suspicion_date, timezone.localdate() - timedelta(days=25)
    assert before is not None
    correct(made, made.clinic, suspicion_date=right, svf_treatment="drugs")
    case = made.refresh()
    assert (case.suspicion_date, case.svf_treatment) == (right, "drugs")
    row = case.corrections.get(kind=Correction.Kind.PATHWAY)
    assert row.changes == {
        "suspicion_date": [before.isoformat(), right.isoformat()],
        "svf_treatment": ["surgery", "drugs"],
    }
    assert [(r["before"], r["after"]) for r in row.rows][1] == ("Kirurgi", "Läkemedel")
    entry = case.log.get(verb="correct_pathway")
    assert entry.why == "Fel dag i remissen."
    assert entry.details == {"fields": ["suspicion_date", "svf_treatment"]}
    assert right.isoformat() not in json.dumps(entry.details)
    # The submitted form stays as sent; a completion starts from what is right.
    assert case.form.typed["suspicion_date"] == right.isoformat()
    sent = IntakeFormVersion.objects.get(form=case.form)
    assert str(sent.content["suspicion_date"]) == before.isoformat()


def test_a_case_that_was_wrongly_marked_is_no_longer_in_a_pathway(db):
    made = cancer_case()
    correct(made, made.navigator, svf=False, svf_pathway="", suspicion_date=None, svf_treatment="")
    case = made.refresh()
    assert (case.svf, case.svf_pathway, case.suspicion_date) == (False, "", None)
    assert "suspicion_date" not in case.form.typed
    assert "Lungcancer" in page_of(made.navigator, made)  # what stood before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "svf_pathway"),
        ({"svf_pathway": "okänd"}, "svf_pathway"),
        ({"svf": False}, "svf_pathway"),
        ({"svf_pathway": ""}, "svf_pathway"),
        ({"suspicion_date": None}, "suspicion_date"),
        ({"suspicion_date": date(2100, 1, 1)}, "suspicion_date"),
        ({"svf_treatment": "x"}, "svf_treatment"),
        ({"svf_treatment": "drugs", "reason": " "}, "reason"),
    ],
)
def test_a_correction_that_does_not_hold_is_refused_at_its_field(db, changes, field):
    made = cancer_case()
    with pytest.raises(InvalidInput) as caught:
        correct(made, made.navigator, **changes)
    assert list(caught.value.fields) == [field]
    assert not Correction.objects.exists()


def test_only_the_home_side_corrects_the_pathway(db):
    made = cancer_case(CaseState.CONFIRMED)
    with pytest.raises(NotAllowed):
        correct(made, made.provider, svf_treatment="drugs")
    with pytest.raises(CaseNotFound):
        correct(made, navigator_actor(RegionFactory(code="14")), svf_treatment="drugs")


def test_the_worklist_is_filtered_by_pathway(db):
    made = cancer_case()
    client = Client()
    client.force_login(user_of(made.navigator))
    for pathway, found in (("lungcancer", True), ("myelom", False)):
        page = client.get(f"/cases/?view=all&svf_pathway={pathway}").content.decode()
        assert (made.case.number in page) is found
    wrong = client.get("/cases/?view=all&svf_pathway=x")
    assert wrong.status_code == 200
    assert "Välj ett giltigt alternativ" in wrong.content.decode()


def worklist_of(actor: Actor, view: str = "all") -> str:
    client = Client()
    client.force_login(user_of(actor))
    page = client.get(reverse("worklist"), {"view": view}).content.decode()
    return " ".join(page.split())


@pytest.mark.parametrize(
    ("suspected", "urgency", "words"),
    [
        (20, "calm", "10 dagar kvar"),
        (30, "soon", "sista dagen i dag"),
        (33, "breached", "3 dagar över gränsen"),
    ],
)
def test_the_worklist_tells_how_much_is_left_of_the_lead_time(db, suspected, urgency, words):
    suspicion = timezone.localdate() - timedelta(days=suspected)
    made = cancer_case(suspicion_date=suspicion)
    page = worklist_of(made.navigator)
    assert (
        f'<span class="clock clock--{urgency}"><span class="clock__date">SVF'
        f' {suspicion + timedelta(days=30)}</span><span class="clock__left">{words}</span></span>'
    ) in page


def test_the_worklist_tells_no_lead_time_without_a_limit_or_a_treatment(db):
    made = cancer_case(svf_treatment="")
    cancer_case(svf_pathway="myelom", region=made.unit.region)
    assert '<span class="clock__date">SVF' not in worklist_of(made.navigator)


@pytest.mark.parametrize("phase", [Phase.TREATMENT, Phase.FIRST_VISIT])
@pytest.mark.parametrize("state", [CaseState.OFFERED, CaseState.TREATED, CaseState.CLOSED])
def test_list_and_case_tell_the_same_lead_time_to_all_who_see_it(db, state, phase):
    made = cancer_case(state, phase=phase)
    case, today = made.refresh(), timezone.localdate()
    for actor in (made.navigator, made.clinic, made.provider):
        with acting_as(actor):
            offers = list(case.offers.select_related("referral"))
            one = lead_time_of(case, offers, today=today)
            assert one is not None
            assert lead_times_of([case], today=today) == {case.pk: one}


def test_the_worklist_over_the_api_has_the_lead_time(db):
    made = cancer_case()
    client = Client()
    client.force_login(user_of(made.navigator))
    [row] = client.get("/api/v1/cases/").json()["results"]
    whole = client.get(f"/api/v1/cases/{made.case.number}/").json()
    assert row["lead_time"] == whole["lead_time"]
    assert (row["lead_time"]["days_left"], row["lead_time"]["limit_days"]) == (10, 30)
    other = make_case(CaseState.CONFIRMED)
    client.force_login(user_of(other.provider))
    assert [row["lead_time"] for row in client.get("/api/v1/cases/").json()["results"]] == [None]


def test_more_cases_in_pathways_take_no_more_queries(db):
    made = cancer_case(CaseState.TREATED)
    cancer_case(region=made.unit.region)
    client = Client()
    client.force_login(user_of(made.navigator))

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            page = client.get(reverse("worklist"), {"view": "all"}).content.decode()
        assert page.count('<span class="clock__date">SVF') == Case.objects.count()
        return len(found)

    few = queries()
    assert few <= 14
    for state in (CaseState.TREATED, CaseState.IN_PROGRESS, CaseState.OFFERED):
        cancer_case(state, region=made.unit.region)
    assert queries() == few
