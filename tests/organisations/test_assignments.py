"""Assignments are given and ended by who rules over them, and every step is in the history."""

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from organisations.access import Actor, actor_for, live_assignments
from organisations.administration import selectors
from organisations.administration.authority import MAY_GIVE, Place
from organisations.administration.services import (
    change_person,
    choose_assignment,
    end_assignment,
    give_assignment,
    let_in,
    shut_off,
)
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import AdministrationLog, ApiToken, Assignment, Region, Role, User
from organisations.scopes import Scope
from tests.concurrency import together
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    ProviderFactory,
    RegionFactory,
    UserFactory,
    actor_with,
    manager_actor,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)


@pytest.fixture
def halland() -> Region:
    return RegionFactory()


@pytest.fixture
def admin(halland: Region) -> Actor:
    return region_admin_actor(halland)


def only_assignment(actor: Actor) -> Assignment:
    return Assignment.objects.get(pk=actor.assignment_id)


def history() -> list[str]:
    return list(AdministrationLog.objects.order_by("pk").values_list("verb", flat=True))


@pytest.mark.django_db
class TestGiving:
    def test_a_person_of_the_region_gets_a_further_assignment(self, halland, admin):
        person = user_of(navigator_actor(halland))
        place = Place(region=halland)
        made = give_assignment(person, role=Role.MANAGER, place=place, actor=admin, now=NOW)
        assert made in live_assignments(person, now=NOW)
        row = AdministrationLog.objects.get()
        assert (row.verb, row.user_id, row.person) == ("assignment_given", admin.user_id, person)
        assert (row.region_id, row.at) == ("13", NOW)
        assert row.details == {"roll": "Chef", "plats": "Region Halland"}

    def test_the_last_day_counts_whole(self, halland, admin):
        person = user_of(navigator_actor(halland))
        last = NOW.date() + DAY
        made = give_assignment(
            person,
            role=Role.MANAGER,
            place=Place(region=halland),
            last_day=last,
            actor=admin,
            now=NOW,
        )
        assert made.ends_at == stockholm(2026, 3, 12)

    def test_nobody_gives_themselves_an_assignment(self, halland, admin):
        with pytest.raises(NotAllowed, match="din egen behörighet"):
            give_assignment(
                user_of(admin),
                role=Role.NAVIGATOR,
                place=Place(region=halland),
                actor=admin,
                now=NOW,
            )
        assert history() == []

    @pytest.mark.parametrize("role", [Role.OPERATOR, Role.INTEGRATION])
    def test_a_region_gives_no_access_to_the_installation_or_a_machine(self, halland, admin, role):
        person = user_of(navigator_actor(halland))
        with pytest.raises(NotAllowed):
            give_assignment(person, role=role, place=Place(region=halland), actor=admin, now=NOW)

    @pytest.mark.parametrize("role", [Role.NAVIGATOR, Role.CLINIC, Role.MANAGER])
    def test_an_operator_gives_no_work_with_a_regions_patients(self, halland, role):
        person = user_of(navigator_actor(halland))
        unit = CareUnitFactory(region=halland, sends=True)
        place = Place(region=halland, care_unit=unit if role == Role.CLINIC else None)
        with pytest.raises(NotAllowed):
            give_assignment(person, role=role, place=place, actor=operator_actor(), now=NOW)

    def test_another_regions_places_are_out_of_reach(self, halland, admin):
        person = user_of(navigator_actor(halland))
        stockholm_region = RegionFactory(code="01")
        unit = CareUnitFactory(region=stockholm_region, sends=True)
        for role, place in (
            (Role.NAVIGATOR, Place(region=stockholm_region)),
            (Role.CLINIC, Place(region=halland, care_unit=unit)),
            (Role.PROVIDER, Place(provider=unit.provider, care_unit=unit)),
            (Role.PROVIDER, Place(provider=ProviderFactory())),
        ):
            with pytest.raises(NotAllowed):
                give_assignment(person, role=role, place=place, actor=admin, now=NOW)

    def test_somebody_of_another_region_is_invited_not_taken(self, halland, admin):
        stranger = user_of(navigator_actor(RegionFactory(code="01")))
        with pytest.raises(NotAllowed, match="Bjud in"):
            give_assignment(
                stranger, role=Role.MANAGER, place=Place(region=halland), actor=admin, now=NOW
            )

    def test_staff_of_a_receiving_unit_in_the_region_are_its_administrators(self, halland, admin):
        person = user_of(navigator_actor(halland))
        unit = CareUnitFactory(region=halland)
        place = Place(provider=unit.provider, care_unit=unit)
        give_assignment(person, role=Role.PROVIDER, place=place, actor=admin, now=NOW)
        assert person.assignments.filter(care_unit=unit, role=Role.PROVIDER).exists()

    def test_the_same_assignment_is_not_given_twice(self, halland, admin):
        person = user_of(navigator_actor(halland))
        with pytest.raises(WrongState, match="redan"):
            give_assignment(
                person, role=Role.NAVIGATOR, place=Place(region=halland), actor=admin, now=NOW
            )

    def test_a_closed_unit_gets_no_new_staff(self, halland, admin):
        person = user_of(navigator_actor(halland))
        unit = CareUnitFactory(region=halland, sends=True, is_active=False)
        with pytest.raises(InvalidInput) as refused:
            give_assignment(
                person,
                role=Role.CLINIC,
                place=Place(region=halland, care_unit=unit),
                actor=admin,
                now=NOW,
            )
        assert refused.value.fields == {"care_unit": "Enheten är stängd."}

    @pytest.mark.parametrize(
        "day", [(NOW - DAY).date(), NOW.date().replace(year=2032), NOW.date().max]
    )
    def test_a_last_day_that_has_been_or_is_far_off_is_refused(self, halland, admin, day):
        person = user_of(navigator_actor(halland))
        with pytest.raises(InvalidInput) as refused:
            give_assignment(
                person,
                role=Role.MANAGER,
                place=Place(region=halland),
                last_day=day,
                actor=admin,
                now=NOW,
            )
        assert "last_day" in refused.value.fields


@pytest.mark.django_db
class TestEnding:
    def test_an_assignment_ends_now(self, halland, admin):
        navigator = navigator_actor(halland)
        end_assignment(only_assignment(navigator), actor=admin, now=NOW)
        assert actor_for(user_of(navigator), now=NOW) is None
        assert actor_for(user_of(navigator), now=NOW - timedelta(seconds=1)) is not None
        assert history() == ["assignment_ended"]

    def test_an_assignment_ends_after_its_last_day(self, halland, admin):
        navigator = navigator_actor(halland)
        end_assignment(
            only_assignment(navigator), last_day=stockholm(2026, 3, 28).date(), actor=admin, now=NOW
        )
        assert actor_for(user_of(navigator), now=stockholm(2026, 3, 28, 23, 59)) is not None
        assert actor_for(user_of(navigator), now=stockholm(2026, 3, 29)) is None

    def test_an_end_to_come_can_be_moved_but_not_one_that_has_been(self, halland, admin):
        assignment = only_assignment(navigator_actor(halland))
        end_assignment(assignment, last_day=NOW.date() + DAY, actor=admin, now=NOW)
        end_assignment(assignment, actor=admin, now=NOW)
        with pytest.raises(WrongState, match="redan avslutat"):
            end_assignment(assignment, actor=admin, now=NOW)

    @pytest.mark.parametrize("other", [navigator_actor, manager_actor])
    def test_who_is_no_administrator_ends_nothing(self, halland, other):
        with pytest.raises(NotAllowed):
            end_assignment(only_assignment(navigator_actor(halland)), actor=other(halland), now=NOW)

    def test_another_regions_assignment_is_not_ended(self, admin):
        with pytest.raises(NotAllowed):
            end_assignment(
                only_assignment(navigator_actor(RegionFactory(code="01"))), actor=admin, now=NOW
            )

    def test_a_region_keeps_its_last_administrator(self, admin):
        for last_day in (None, NOW.date() + DAY):
            with pytest.raises(WrongState) as refused:
                end_assignment(only_assignment(admin), last_day=last_day, actor=admin, now=NOW)
            assert refused.value.code == "last_administrator"

    def test_an_administrator_who_is_to_leave_or_is_shut_off_does_not_count(self, halland, admin):
        leaving = region_admin_actor(halland)
        end_assignment(only_assignment(leaving), last_day=NOW.date(), actor=admin, now=NOW)
        shut = region_admin_actor(halland)
        shut_off(user_of(shut), why="Slutat.", actor=admin, now=NOW)
        with pytest.raises(WrongState):
            end_assignment(only_assignment(admin), actor=admin, now=NOW)

    def test_the_installation_keeps_its_last_operator(self, admin):
        operator = operator_actor()
        with pytest.raises(WrongState):
            end_assignment(only_assignment(operator), actor=operator, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_end_each_other_leave_one():
    halland = RegionFactory()
    first, second = region_admin_actor(halland), region_admin_actor(halland)

    def ends(actor: Actor, other: Actor) -> str:
        try:
            end_assignment(only_assignment(other), actor=actor, now=NOW)
        except WrongState as error:
            return error.code
        return "ended"

    outcomes = together([lambda: ends(first, second), lambda: ends(second, first)])
    assert sorted(map(str, outcomes)) == ["ended", "last_administrator"]


@pytest.mark.django_db
class TestShuttingOff:
    def test_who_is_shut_off_is_out_at_once_with_session_and_token(self, client, halland, admin):
        person = user_of(navigator_actor(halland))
        client.force_login(person)
        assert client.get("/cases/").status_code == 200
        ApiToken.objects.create(person, scopes=Scope.values)
        shut_off(person, why="Slutat.", actor=admin, now=NOW)
        assert client.get("/cases/").headers["Location"].startswith("/login/")
        assert not ApiToken.objects.filter(user=person).exists()
        assert AdministrationLog.objects.get().details == {"skäl": "Slutat."}

    def test_letting_in_again_gives_back_what_was(self, halland, admin):
        navigator = navigator_actor(halland)
        shut_off(user_of(navigator), why="Tjänstledig.", actor=admin, now=NOW)
        let_in(user_of(navigator), actor=admin, now=NOW)
        assert actor_for(user_of(navigator), now=NOW).role == Role.NAVIGATOR
        assert history() == ["person_shut_off", "person_let_in"]

    def test_somebody_who_works_in_two_regions_is_shut_off_by_the_operator_only(
        self, halland, admin
    ):
        person = user_of(navigator_actor(halland))
        Assignment.objects.create(
            user=person, role=Role.MANAGER, region=RegionFactory(code="01"), starts_at=LONG_AGO
        )
        with pytest.raises(NotAllowed, match="inte råder över"):
            shut_off(person, why="Slutat.", actor=admin, now=NOW)
        shut_off(person, why="Slutat.", actor=operator_actor(), now=NOW)

    def test_nobody_shuts_themselves_off_and_no_region_loses_its_last_administrator(self, admin):
        with pytest.raises(NotAllowed):
            shut_off(user_of(admin), why="x", actor=admin, now=NOW)
        with pytest.raises(WrongState, match="utan regionadministratör"):
            shut_off(user_of(admin), why="x", actor=operator_actor(), now=NOW)

    def test_a_reason_is_needed(self, halland, admin):
        with pytest.raises(InvalidInput):
            shut_off(user_of(navigator_actor(halland)), why="  ", actor=admin, now=NOW)


@pytest.mark.django_db
class TestChoosing:
    @pytest.fixture
    def both(self, halland) -> tuple[User, Assignment, Assignment]:
        navigator = navigator_actor(halland)
        person = user_of(navigator)
        second = Assignment.objects.create(
            user=person, role=Role.MANAGER, region=halland, starts_at=LONG_AGO
        )
        return person, only_assignment(navigator), second

    def test_the_chosen_assignment_is_the_actors(self, both):
        person, _first, second = both
        actor = actor_for(person, now=NOW, chosen=second.pk)
        assert (actor.role, actor.assignment_id) == (Role.MANAGER, second.pk)

    def test_a_choice_that_has_ended_gives_way_to_what_is_left(self, both):
        person, first, second = both
        Assignment.objects.filter(pk=second.pk).update(ends_at=NOW)
        assert actor_for(person, now=NOW, chosen=second.pk).assignment_id == first.pk

    def test_nobody_chooses_anothers_assignment(self, both, halland):
        person, _first, _second = both
        foreign = only_assignment(region_admin_actor(halland))
        with pytest.raises(InvalidInput):
            choose_assignment(person, assignment_id=foreign.pk, now=NOW)
        assert actor_for(person, now=NOW, chosen=foreign.pk).role == Role.NAVIGATOR

    def test_the_choice_is_kept_in_the_session_and_shown_in_the_head(self, client, both):
        person, first, second = both
        client.force_login(person)
        assert "Byt" in client.get("/cases/").content.decode()
        assert client.post("/assignment/", {"assignment": second.pk}).status_code == 302
        assert client.get("/").headers["Location"] == "/statistics/"
        client.post("/assignment/", {"assignment": first.pk})
        assert client.get("/").headers["Location"] == "/cases/"

    @pytest.mark.parametrize("wrong", ["", "x", "0", "²", "9" * 40, "\x00"])
    def test_a_choice_that_cannot_be_is_refused(self, client, both, wrong):
        client.force_login(both[0])
        assert client.post("/assignment/", {"assignment": wrong}).status_code == 400


@pytest.mark.django_db
class TestPersonalData:
    def test_an_hsa_id_belongs_to_one_person(self, halland, admin):
        first, second = user_of(navigator_actor(halland)), user_of(navigator_actor(halland))
        given = {"email": "a@b.example", "hsa_id": "SE2321000131-AB12", "actor": admin, "now": NOW}
        change_person(first, name="Anna", **given)
        with pytest.raises(InvalidInput) as refused:
            change_person(second, name="Bo", **given)
        assert "hsa_id" in refused.value.fields

    def test_a_home_address_lies_encrypted_and_the_history_does_not_tell_it(self, halland, admin):
        person = user_of(navigator_actor(halland))
        given = {"name": "Anna", "email": "a@b.example", "hsa_id": "", "actor": admin, "now": NOW}
        change_person(person, home_street="Storgatan 4", home_postal_code="302 31", **given)
        person.refresh_from_db()
        assert (person.home_street, person.home_postal_code) == ("Storgatan 4", "30231")
        assert AdministrationLog.objects.latest("pk").details["hemadress"] == "ändrad"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT u::text FROM organisations_user u"
                " UNION ALL SELECT l::text FROM organisations_administrationlog l"
            )
            assert "Storgatan" not in str(cursor.fetchall())
        change_person(person, **given)
        assert User.objects.get(pk=person.pk).home_hash == ""
        assert AdministrationLog.objects.latest("pk").details["hemadress"] == "borttagen"

    @pytest.mark.parametrize(
        ("street", "code", "field"),
        [
            ("Storgatan 4", "", "home_postal_code"),
            ("Storgatan 4", "3023", "home_postal_code"),
            ("", "30231", "home_street"),
            ("x" * 121, "30231", "home_street"),
            ("a\x00", "30231", "home_street"),
        ],
    )
    def test_half_a_home_address_is_refused_at_its_field(self, halland, admin, street, code, field):
        with pytest.raises(InvalidInput) as refused:
            change_person(
                user_of(navigator_actor(halland)),
                name="Anna",
                email="a@b.example",
                hsa_id="",
                home_street=street,
                home_postal_code=code,
                actor=admin,
                now=NOW,
            )
        assert field in refused.value.fields

    @pytest.mark.parametrize("wrong", ["SE1-A", "SE2321000131-", "se2321000131-ab12", "X\x00"])
    def test_an_hsa_id_has_its_shape(self, halland, admin, wrong):
        with pytest.raises(InvalidInput) as refused:
            change_person(
                user_of(navigator_actor(halland)),
                name="Anna",
                email="a@b.example",
                hsa_id=wrong,
                actor=admin,
                now=NOW,
            )
        assert set(refused.value.fields) == {"hsa_id"}


class NobodyGivesMoreThanTheyRuleOver(TestCase):
    """Whatever is tried, what exists afterwards was given by who may give it, where they rule."""

    @settings(max_examples=40)
    @given(
        giver=st.sampled_from([Role.REGION_ADMIN, Role.OPERATOR, Role.NAVIGATOR, Role.MANAGER]),
        role=st.sampled_from(Role.values),
        where=st.sampled_from(["13", "01"]),
        at_unit=st.booleans(),
    )
    def test_whatever_is_tried(self, giver, role, where, at_unit):
        home, there = RegionFactory(code="13"), RegionFactory(code=where)
        actor = actor_with(giver, region=None if giver == Role.OPERATOR else home)
        person = user_of(navigator_actor(home))
        unit = CareUnitFactory(region=there, sends=True, receives=True) if at_unit else None
        place = Place(
            region=there,
            care_unit=unit,
            provider=unit.provider if unit and role == Role.PROVIDER else None,
        )
        before = person.assignments.count()
        try:
            give_assignment(person, role=role, place=place, actor=actor, now=NOW)
        except DomainError:
            assert person.assignments.count() == before
            assert not AdministrationLog.objects.filter(person=person).exists()
        else:
            assert role in MAY_GIVE[giver]
            assert giver == Role.OPERATOR or where == "13"
            assert AdministrationLog.objects.filter(person=person).count() == 1


@pytest.mark.django_db
class TestSeeing:
    def test_a_region_sees_its_own_people_and_of_them_its_own_assignments(self, halland, admin):
        own = user_of(navigator_actor(halland))
        elsewhere = RegionFactory(code="01")
        Assignment.objects.create(user=own, role=Role.MANAGER, region=elsewhere, starts_at=LONG_AGO)
        user_of(navigator_actor(elsewhere))
        UserFactory()
        found = {person.pk: person for person in selectors.people(admin, now=NOW)}
        assert set(found) == {own.pk, admin.user_id}
        assert [one.role for one in found[own.pk].shown_assignments] == [Role.NAVIGATOR]

    def test_who_has_left_is_still_found(self, halland, admin):
        person = user_of(navigator_actor(halland))
        end_assignment(person.assignments.get(), actor=admin, now=NOW)
        left = selectors.people(admin, now=NOW, state=selectors.LEFT)
        assert [one.pk for one in left] == [person.pk]

    def test_the_people_page_asks_as_much_for_many_as_for_few(
        self, client, halland, admin, django_assert_max_num_queries
    ):
        for _n in range(12):
            navigator_actor(halland)
        client.force_login(user_of(admin))
        with django_assert_max_num_queries(10):
            client.get("/people/")

    @pytest.mark.parametrize("role", [Role.NAVIGATOR, Role.MANAGER, Role.CONTRACT_OWNER])
    def test_other_roles_see_no_people_units_or_history(self, halland, role):
        actor = actor_with(role, region=halland)
        assert not selectors.people(actor, now=NOW)
        assert not selectors.units(actor)
        assert not selectors.history(actor)
