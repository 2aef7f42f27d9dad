"""The pages of administration: who comes in, what is found, and what bad input is answered."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from organisations.access import Actor
from organisations.administration import services
from organisations.administration.authority import Place
from organisations.administration.selectors import sweep_label
from organisations.models import AdministrationLog, Assignment, CareUnit, Region, Role, User
from organisations.sweeps import sweep_names
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    MunicipalityFactory,
    RegionFactory,
    actor_with,
    make_case,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db

EVERY_PAGE = ("people", "invite", "units", "unit-new", "history")
OPERATORS = ("operations", "regions", "providers", "provider-new", "client-new")


@pytest.fixture
def halland() -> Region:
    return RegionFactory()


@pytest.fixture
def admin(halland: Region) -> Actor:
    return region_admin_actor(halland)


def page_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


class TestWhoComesIn:
    def test_a_region_administrator_begins_with_the_people(self, admin):
        assert page_of(admin).get("/").headers["Location"] == "/people/"

    def test_an_operator_begins_with_operations(self):
        assert page_of(operator_actor()).get("/").headers["Location"] == "/operations/"

    @pytest.mark.parametrize("role", [Role.NAVIGATOR, Role.MANAGER, Role.CONTRACT_OWNER])
    def test_others_are_refused(self, halland, role):
        client = page_of(actor_with(role, region=halland))
        assert {client.get(reverse(name)).status_code for name in EVERY_PAGE} == {403}

    def test_the_operators_pages_are_not_a_regions(self, admin):
        client = page_of(admin)
        assert {client.get(reverse(name)).status_code for name in OPERATORS} == {403}
        assert client.get("/regions/13/").status_code == 403

    def test_administrators_and_operators_see_no_patients(self, admin):
        number = make_case().case.number
        for client in (page_of(admin), page_of(operator_actor())):
            assert client.get("/cases/").status_code == 403
            assert client.get(f"/cases/{number}/").status_code in {403, 404}


class TestAcrossRegions:
    """What another region has cannot be found, whether it is there or not."""

    @pytest.fixture
    def elsewhere(self) -> Region:
        return RegionFactory(code="01")

    @pytest.mark.parametrize(
        "name", ["person", "person-edit", "assignment-give", "person-shut-off"]
    )
    def test_people(self, admin, elsewhere, name):
        stranger = navigator_actor(elsewhere)
        assert page_of(admin).get(reverse(name, args=[stranger.user_id])).status_code == 404
        assert page_of(admin).post(reverse(name, args=[stranger.user_id])).status_code in {404, 405}

    def test_assignments_and_units(self, admin, elsewhere):
        client = page_of(admin)
        assignment = navigator_actor(elsewhere).assignment_id
        unit = CareUnitFactory(region=elsewhere)
        assert client.get(reverse("assignment-end", args=[assignment])).status_code == 404
        assert client.post(reverse("assignment-end", args=[assignment])).status_code == 404
        assert client.get(reverse("unit", args=[unit.pk])).status_code == 404
        for name in ("unit-close", "unit-open"):
            assert client.post(reverse(name, args=[unit.pk])).status_code == 404
        assert CareUnit.objects.get(pk=unit.pk).is_active

    def test_invitations_and_history(self, admin, elsewhere):
        other = region_admin_actor(elsewhere)
        invitation = services.invite(
            name="Anna Ny",
            email="anna@region.example",
            role=Role.MANAGER,
            place=Place(region=elsewhere),
            actor=other,
            now=timezone.now(),
        )
        client = page_of(admin)
        for name in ("invitation-again", "invitation-withdraw"):
            assert client.post(reverse(name, args=[invitation.pk])).status_code == 404
        assert "Anna Ny" not in client.get("/people/").content.decode()
        assert "Anna Ny" not in client.get("/history/").content.decode()
        assert "Anna Ny" in page_of(other).get("/history/").content.decode()

    def test_another_regions_units_are_no_choice(self, admin, elsewhere):
        unit = CareUnitFactory(region=elsewhere, sends=True)
        answer = page_of(admin).post(
            "/people/invite/",
            {"name": "A", "email": "a@b.example", "role": Role.CLINIC, "care_unit": unit.pk},
        )
        assert answer.status_code == 422


class TestForms:
    def test_a_person_is_invited_on_the_page(self, halland, admin):
        unit = CareUnitFactory(region=halland, sends=True)
        client = page_of(admin)
        typed = {
            "name": "Anna Ny",
            "email": "anna@region.example",
            "hsa_id": " se2321000131-ab12 ",
            "role": Role.CLINIC,
            "care_unit": unit.pk,
        }
        assert client.post("/people/invite/", typed).headers["Location"] == "/people/"
        page = client.get("/people/").content.decode()
        assert "Anna Ny" in page
        assert AdministrationLog.objects.get().details["HSA-id"] == "SE2321000131-AB12"

    def test_what_was_typed_stays_when_it_is_refused(self, admin):
        answer = page_of(admin).post("/people/invite/", {"name": "Anna Ny", "email": "anna"})
        assert answer.status_code == 422
        assert "Anna Ny" in answer.content.decode()

    def test_an_assignment_is_given_and_ended_on_the_pages(self, halland, admin):
        person = user_of(navigator_actor(halland))
        client = page_of(admin)
        assert client.post(f"/people/{person.pk}/give/", {"role": Role.MANAGER}).status_code == 302
        given = Assignment.objects.get(user=person, role=Role.MANAGER)
        client.post(f"/people/assignments/{given.pk}/end/", {"last_day": ""})
        given.refresh_from_db()
        assert given.ends_at is not None
        page = client.get(f"/people/{person.pk}/").content.decode()
        assert "gav uppdrag till" in page
        assert "avslutade uppdrag för" in page

    def test_the_last_administrator_is_told_why_not(self, admin):
        answer = page_of(admin).post(f"/people/assignments/{admin.assignment_id}/end/", {})
        assert answer.status_code == 409
        assert "utan regionadministratör" in answer.content.decode()

    @pytest.mark.parametrize(
        ("address", "typed"),
        [
            ("/people/invite/", {"role": "\x00", "care_unit": "\x00", "name": "\x00"}),
            ("/people/invite/", {"role": "clinic", "care_unit": "9" * 40}),
            ("/units/new/", {"municipality": "\x00", "medical_area": "\x00", "provider": "x"}),
            ("/units/new/", {"latitude": "NaN", "longitude": "1e999", "hsa_id": "\x00"}),
        ],
    )
    def test_odd_input_is_answered(self, admin, address, typed):
        assert page_of(admin).post(address, typed).status_code == 422

    @pytest.mark.parametrize(
        ("address", "typed"),
        [
            ("/providers/new/", {"name": "\x00", "region": "\x00", "organisation_number": "²"}),
            ("/people/client/", {"region": "\x00", "unit": "\x00", "login": "\x00"}),
            ("/people/invite/", {"role": "provider", "provider": "9" * 40}),
            ("/regions/13/", {"guarantee_days": "²", "offer_stands_days": "9" * 40}),
        ],
    )
    def test_odd_input_from_the_operator_is_answered(self, halland, address, typed):
        assert page_of(operator_actor()).post(address, typed).status_code == 422

    @pytest.mark.parametrize(
        "address",
        [
            "/people/?q=%00&role=x&state=y&page=-1",
            "/people/?page=99999999999999999999",
            "/units/?state=%00",
            "/history/?before=²",
            "/history/?before=99999999999999999999",
        ],
    )
    def test_odd_addresses_are_answered(self, admin, address):
        assert page_of(admin).get(address).status_code == 200

    def test_a_unit_is_laid_up_and_closed_on_its_page(self, halland, admin):
        town = MunicipalityFactory(region=halland)
        client = page_of(admin)
        typed = {
            "hsa_id": "SE2321000131-NY01",
            "name": "Nya kliniken",
            "provider": CareUnitFactory(region=halland).provider_id,
            "municipality": town.code,
            "sends": "on",
            "latitude": "56,1",
            "longitude": "12,9",
        }
        client.post("/units/new/", typed)
        unit = CareUnit.objects.get(hsa_id="SE2321000131-NY01")
        client.post(f"/units/{unit.pk}/close/")
        unit.refresh_from_db()
        assert not unit.is_active
        assert "stängde enheten" in client.get(f"/units/{unit.pk}/").content.decode()


class TestApi:
    @pytest.fixture
    def both(self, halland: Region) -> tuple[User, Assignment, Assignment]:
        actor = navigator_actor(halland)
        person = user_of(actor)
        first = Assignment.objects.get(pk=actor.assignment_id)
        second = Assignment.objects.create(
            user=person, role=Role.MANAGER, region=halland, starts_at=LONG_AGO
        )
        return person, first, second

    def me(self, user: User, **headers: Any) -> Any:
        from organisations.models import ApiToken
        from organisations.scopes import Scope

        _row, token = ApiToken.objects.create(user, scopes=Scope.values)
        client = APIClient()
        return client.get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}", **headers)

    def test_me_tells_the_assignments_and_which_is_current(self, both):
        user, first, second = both
        told = self.me(user).json()
        assert told["role"] == Role.NAVIGATOR
        assert [(one["id"], one["current"]) for one in told["assignments"]] == [
            (first.pk, True),
            (second.pk, False),
        ]

    def test_a_call_chooses_its_assignment_by_a_header(self, both):
        user, _first, second = both
        told = self.me(user, HTTP_X_VARDLOTS_ASSIGNMENT=str(second.pk)).json()
        assert told["role"] == Role.MANAGER
        assert [one["current"] for one in told["assignments"]] == [False, True]

    @pytest.mark.parametrize("wrong", ["0", "x", "²"])
    def test_a_header_that_names_no_live_assignment_is_refused(self, both, wrong):
        assert self.me(both[0], HTTP_X_VARDLOTS_ASSIGNMENT=wrong).status_code == 403

    def test_an_ended_or_foreign_assignment_is_not_replaced_by_another(self, halland, both):
        user, _first, second = both
        foreign = provider_actor(CareUnitFactory(region=halland)).assignment_id
        Assignment.objects.filter(pk=second.pk).update(ends_at=timezone.now())
        for pk in (second.pk, foreign):
            assert self.me(user, HTTP_X_VARDLOTS_ASSIGNMENT=str(pk)).status_code == 403


def test_every_sweep_has_a_name_in_swedish() -> None:
    assert [name for name in sweep_names() if sweep_label(name) == name] == []
