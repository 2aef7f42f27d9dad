"""Who acts, in which role, and that every look at a patient is written down (design 5.6)."""

from datetime import timedelta

import pytest

from organisations.access import Actor, actor_for, record_access
from organisations.models import AccessLog, Assignment, Role, User
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    ProviderFactory,
    RegionFactory,
    UserFactory,
    clinic_actor,
    provider_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)


def assigned(user: User, role: Role = Role.NAVIGATOR, **fields) -> Assignment:
    values = {"region": RegionFactory(), "starts_at": LONG_AGO} | fields
    return Assignment.objects.create(user=user, role=role, **values)


def test_an_actor_has_the_role_and_the_place_of_the_assignment():
    unit = CareUnitFactory(sends=True)
    actor = clinic_actor(unit)
    assert (actor.role, actor.care_unit_id, actor.region) == (Role.CLINIC, unit.pk, "13")
    assert actor.place == unit.name


def test_someone_at_a_whole_provider_has_no_unit():
    provider = ProviderFactory()
    actor = provider_actor(provider)
    assert (actor.provider_id, actor.care_unit_id) == (provider.pk, None)
    assert actor.place == provider.name


def test_a_user_without_assignment_is_no_actor():
    assert actor_for(UserFactory(), now=NOW) is None


@pytest.mark.parametrize(
    ("starts", "ends", "live"),
    [
        (NOW, None, True),
        (NOW + DAY, None, False),
        (LONG_AGO, NOW, False),
        (LONG_AGO, NOW + DAY, True),
    ],
)
def test_an_assignment_holds_from_its_start_until_its_end(starts, ends, live):
    user = UserFactory()
    assigned(user, starts_at=starts, ends_at=ends)
    assert (actor_for(user, now=NOW) is not None) == live


def test_the_next_assignment_counts_when_the_first_has_ended():
    user = UserFactory()
    assigned(user, Role.NAVIGATOR, ends_at=NOW)
    assigned(user, Role.MANAGER)
    assert actor_for(user, now=NOW).role == Role.MANAGER


def test_a_user_who_is_shut_off_is_no_actor():
    user = UserFactory(is_active=False)
    assigned(user)
    assert actor_for(user, now=NOW) is None


def test_a_look_is_written_down_with_who_role_unit_case_and_time():
    unit = CareUnitFactory(sends=True)
    actor = clinic_actor(unit)
    record_access(actor, what="case", now=NOW, cases=[("13-26-000001-9", 7), ("x", None)])
    first, second = AccessLog.objects.order_by("pk")
    assert (first.user, first.actor_name) == (user_of(actor), actor.name)
    assert (first.role, first.unit, first.what, first.at) == ("clinic", unit.name, "case", NOW)
    assert (first.case_number, first.patient_id) == ("13-26-000001-9", 7)
    assert (second.case_number, second.patient_id) == ("x", None)


def test_the_system_and_the_patient_have_swedish_names_for_their_roles():
    assert Actor.system("Svepet").role_label == "Systemet"
    assert Actor.patient("1177").role_label == "Patienten"
    assert Actor(role=Role.NAVIGATOR, name="x").role_label == "Vårdlots"
