"""Whom a campaign reaches: each of the filter's values by itself, and who is never reached."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.campaigns.filters import as_stored, as_typed, filter_of, years_before
from notices.campaigns.selectors import chosen_cases, navigators_of, reach_of
from notices.campaigns.sweep import run_campaigns
from notices.models import Campaign
from patients.models import Patient
from referral import services as cases
from referral.models import Case, CaseState, Phase
from tests.factories import (
    CareUnitFactory,
    MadeCase,
    MedicalAreaFactory,
    MunicipalityFactory,
    navigator_actor,
    user_of,
)
from tests.notices.campaigns.parts import NOW, clinic, prepared, started, waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit():
    return clinic()


def found(criteria: dict[str, object], made: MadeCase) -> set[str]:
    campaign = prepared(made.navigator, criteria)
    return set(chosen_cases(campaign, now=NOW).values_list("number", flat=True))


def test_those_who_have_waited_longer_than_so_many_days(unit):
    waits(unit, 60)
    longer = waits(unit, 61)
    assert found({"waited": 60}, longer) == {longer.case.number}


def test_by_clinic_and_area(unit):
    area = MedicalAreaFactory(mvo="998")
    other = CareUnitFactory(region=unit.region, sends=True, medical_area=area)
    here, there = waits(unit), waits(other)
    assert found({"clinics": [unit.hsa_id]}, here) == {here.case.number}
    assert found({"areas": [area.pk]}, here) == {there.case.number}


def test_by_procedure_and_phase(unit):
    knee = waits(unit)
    hip = waits(unit, kva="NFB49", phase=Phase.FIRST_VISIT)
    assert found({"kva": "NFB NGB49"}, knee) == {knee.case.number, hip.case.number}
    assert found({"kva": "NFB"}, knee) == {hip.case.number}
    assert found({"phase": "first_visit"}, knee) == {hip.case.number}


def test_by_whether_the_guarantee_has_passed(unit):
    passed, within, paused = waits(unit, 200), waits(unit, 10), waits(unit, 200)
    Case.objects.filter(pk=paused.case.pk).update(paused_from=NOW.date() - timedelta(days=150))
    assert found({"guarantee": "passed"}, passed) == {passed.case.number}
    assert found({"guarantee": "within"}, passed) == {within.case.number, paused.case.number}


def test_by_home_and_age(unit):
    town = MunicipalityFactory(region=unit.region)
    near, far = waits(unit), waits(unit)
    born = date(1950, 3, 11)  # 75 years until tomorrow
    Patient.objects.filter(pk=near.patient.pk).update(municipality=town, birth_date=born)
    Patient.objects.filter(pk=far.patient.pk).update(birth_date=date(1990, 1, 1))
    assert found({"homes": [town.pk]}, near) == {near.case.number}
    assert found({"age_to": 75, "age_from": 75}, near) == {near.case.number}
    assert found({"age_from": 76}, near) == set()
    assert found({"age_to": 40}, near) == {far.case.number}


def test_those_who_have_an_offer_only_when_asked_for(unit):
    offered = waits(unit, state=CaseState.OFFERED)
    assert found({}, offered) == set()
    assert found({"offered": True}, offered) == {offered.case.number}


def test_whom_another_campaign_told_or_is_about_to_tell_is_left_out(unit):
    told = waits(unit)
    first = started(told.navigator)
    assert found({"untold": 30}, told) == set()  # on the first one's list
    run_campaigns(now=NOW)
    assert found({"untold": 30}, told) == set()
    first.recipients.update(told_at=NOW - timedelta(days=31))
    assert found({"untold": 30}, told) == {told.case.number}


@pytest.mark.parametrize("state", [CaseState.ACCEPTED, CaseState.BOOKED, CaseState.CLOSED])
def test_nobody_whom_a_provider_has_taken(unit, state):
    assert found({"offered": True}, waits(unit, state=state)) == set()


def test_nobody_who_has_died_or_moved_abroad_or_blocked_the_navigators(unit):
    dead, gone, blocked, hidden = (waits(unit) for _n in range(4))
    Patient.objects.filter(pk=dead.patient.pk).update(deceased_on=NOW.date())
    Patient.objects.filter(pk=gone.patient.pk).update(emigrated_on=NOW.date())
    cases.block(blocked.case, reach="units", asked_by_patient=True, actor=blocked.clinic, now=NOW)
    cases.protect(
        hidden.case,
        protection="sekretessmarkering",
        reason="Skyddad.",
        actor=hidden.navigator,
        now=NOW,
    )
    assert found({}, dead) == {hidden.case.number}
    reach = reach_of(prepared(dead.navigator, {}), now=NOW)
    assert (reach.patients, reach.by_letter) == (1, 1)
    assert reach.least_sek == reach.most_sek == 12  # by letter, through Skatteverket


def test_nobody_of_another_region(unit):
    here = waits(unit)
    waits(CareUnitFactory(region__code="14", sends=True))
    assert found({}, here) == {here.case.number}


def test_a_filter_reads_the_same_when_it_has_been_kept(unit):
    town = MunicipalityFactory(region=unit.region)
    criteria = {
        "waited": 60,
        "guarantee": "passed",
        "phase": "treatment",
        "kva": "NFB NGB49",
        "age_from": 1,
        "age_to": 0,
        "untold": 90,
        "offered": True,
        "clinics": [unit.hsa_id],
        "homes": [town.pk],
    }
    actor = navigators_of(unit.region_id)
    kept = as_stored(filter_of(criteria, actor=actor, today=NOW.date()).form.cleaned_data)
    assert kept == criteria
    again = filter_of(kept, actor=actor, today=NOW.date())
    assert as_stored(again.form.cleaned_data) == as_stored(
        filter_of(dict(as_typed(kept).lists()), actor=actor, today=NOW.date()).form.cleaned_data
    )


def test_a_clinic_that_is_no_more_is_told_of(unit, client):
    made = waits(unit)
    campaign = prepared(made.navigator, {"clinics": [unit.hsa_id]})
    Campaign.objects.filter(pk=campaign.pk).update(criteria={"clinics": ["SE0-X"]})
    client.force_login(user_of(made.navigator))
    page = client.get(f"/campaigns/{campaign.pk}/")
    assert page.status_code == 200
    assert "gäller inte längre" in page.content.decode()


@given(st.dates(date(1900, 1, 1), date(2400, 1, 1)), st.integers(0, 150))
def test_years_before_is_that_many_birthdays_ago(day, years):
    before = years_before(day, years)
    assert day.year - before.year == years
    assert (before.month, before.day) in {(day.month, day.day), (2, 28)}


def test_any_navigator_of_the_region_finds_the_same(unit):
    made = waits(unit)
    campaign = prepared(navigator_actor(unit.region), {})
    assert reach_of(campaign, now=NOW).patients == 1
    assert made.case.region_id == campaign.region_id
