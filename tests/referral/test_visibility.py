"""Who sees which cases (design 5.6)."""

import pytest
from django.utils import timezone

from organisations.access import Actor
from referral import services
from referral.machine import CaseNotFound
from referral.models import Case, CaseState
from referral.selectors import find_by_number, get_case, timeline, worklist
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    clinic_actor,
    contract_owner_actor,
    integration_actor,
    make_case,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
TODAY = NOW.date()
WITH_PROVIDER = {
    CaseState.ACCEPTED,
    CaseState.CONFIRMED,
    CaseState.BOOKED,
    CaseState.TREATED,
    CaseState.CLOSED,
}


def seen(actor: Actor) -> set[str]:
    return set(Case.objects.visible_to(actor).values_list("number", flat=True))


def test_a_navigator_sees_the_cases_of_the_region():
    mine = make_case(now=NOW)
    other_clinic = make_case(now=NOW)
    make_case(now=NOW, region=RegionFactory(code="14"))
    assert seen(mine.navigator) == {mine.case.number, other_clinic.case.number}


def test_a_clinic_sees_its_own_cases():
    mine = make_case(now=NOW)
    make_case(now=NOW)
    assert seen(mine.clinic) == {mine.case.number}


@pytest.mark.parametrize("state", CaseState)
def test_a_provider_sees_a_case_from_the_patients_yes_on(state):
    made = make_case(state, now=NOW)
    expected = {made.case.number} if state in WITH_PROVIDER else set()
    assert seen(made.provider) == seen(provider_actor(made.line.care_unit)) == expected


def test_a_provider_sees_nothing_of_others():
    make_case(CaseState.ACCEPTED, now=NOW)
    assert seen(provider_actor(CareUnitFactory())) == set()


def test_someone_at_one_unit_does_not_see_the_providers_other_units():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    sibling = CareUnitFactory(provider=made.line.care_unit.provider)
    assert seen(provider_actor(sibling)) == set()


def test_a_provider_that_says_no_sees_the_case_no_more():
    made = make_case(CaseState.ACCEPTED, now=NOW)
    services.reject(made.case, reason="other", comment="Nej", actor=made.provider, now=NOW)
    assert seen(made.provider) == set()


def test_an_integration_sees_its_region_or_its_unit():
    made, other = make_case(now=NOW), make_case(now=NOW)
    region = made.case.region
    assert seen(integration_actor(region)) == {made.case.number, other.case.number}
    assert seen(integration_actor(region, made.unit)) == {made.case.number}


@pytest.mark.parametrize("state", [CaseState.RECEIVED, CaseState.TREATED])
@pytest.mark.parametrize(
    "actor",
    [contract_owner_actor, manager_actor, region_admin_actor, lambda _region: operator_actor()],
)
def test_roles_that_need_no_patients_see_none(state, actor):
    made = make_case(state, now=NOW)
    assert seen(actor(made.case.region)) == set()


def test_the_patient_as_actor_sees_no_lists():
    make_case(now=NOW)
    assert seen(Actor.patient("Patienten i 1177")) == set()


@pytest.mark.parametrize("role", ["navigator", "clinic", "provider", "integration"])
def test_a_role_without_a_place_sees_nothing(role):
    make_case(CaseState.ACCEPTED, now=NOW)
    assert seen(Actor(role=role, name="Ingen plats")) == set()


def test_a_case_that_must_stay_unknown_is_not_found():
    made = make_case(now=NOW)
    stranger = navigator_actor(RegionFactory(code="14"))
    assert find_by_number(stranger, made.case.number) is None
    with pytest.raises(CaseNotFound):
        get_case(stranger, made.case.number)


def test_a_case_is_found_however_its_number_is_written():
    made = make_case(now=NOW)
    assert get_case(made.clinic, f" {made.case.number.replace('-', ' ')} ") == made.case


def test_a_wrong_number_finds_nothing():
    made = make_case(now=NOW)
    wrong = f"{made.case.number[:-1]}{(int(made.case.number[-1]) + 1) % 10}"
    assert find_by_number(made.clinic, wrong) is None


def search(actor: Actor, text: str) -> list[Case]:
    return list(worklist(actor, view="all", today=TODAY, search=text))


def test_a_search_finds_a_name_a_personnummer_and_a_case_number():
    made = make_case(now=NOW, given_name="Anna", family_name="Lindqvist")
    for text in ("lindq", "anna lind", made.patient.identity_formatted, made.case.number):
        assert search(made.navigator, text) == [made.case], text


def test_a_name_does_not_find_a_protected_identity():
    made = make_case(now=NOW, family_name="Hemlig", protection="sekretessmarkering")
    assert search(made.navigator, "Hemlig") == []
    assert search(made.navigator, made.patient.identity_number) == [made.case]


def test_a_search_stays_within_what_the_actor_may_see():
    made = make_case(now=NOW)
    stranger = clinic_actor(CareUnitFactory(sends=True))
    assert search(stranger, made.case.number) == search(stranger, "Testsson") == []


def test_a_provider_sees_the_story_from_the_yes_on_and_its_own_notes():
    made = make_case(CaseState.CONFIRMED)
    services.note(made.case, text="Hemmets egen", actor=made.navigator, now=timezone.now())
    services.note(made.case, text="Vår egen", actor=made.provider, now=timezone.now())
    seen = [(entry.verb, entry.why) for entry in timeline(made.provider, made.refresh())]
    assert seen == [("note", "Vår egen"), ("confirm", ""), ("accept", "")]
