"""An invitation is taken up once, in time, by the person it was made for."""

from datetime import timedelta

import pytest
from django.core import mail
from hypothesis import given, settings
from hypothesis import strategies as st

from organisations.access import Actor, live_assignments
from organisations.administration import services
from organisations.administration.authority import Place
from organisations.administration.services.invitations import MAX_ATTEMPTS, VALID
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import AdministrationLog, CareUnit, Invitation, Region, Role, User
from tests.concurrency import together
from tests.factories import (
    CareUnitFactory,
    RegionFactory,
    UserFactory,
    make_case,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
SECOND = timedelta(seconds=1)
PASSWORD = "tolv tecken minst"


@pytest.fixture
def halland() -> Region:
    return RegionFactory()


@pytest.fixture
def admin(halland: Region) -> Actor:
    return region_admin_actor(halland)


def invite(actor: Actor, *, now=NOW, **changes) -> Invitation:
    values = {
        "name": "Anna Ny",
        "email": "anna@region.example",
        "role": Role.NAVIGATOR,
        "place": Place(region=RegionFactory(code=actor.region or "13")),
    }
    return services.invite(**(values | changes), actor=actor, now=now)


def accept(invitation: Invitation, *, now=NOW, login: str = "anna.ny", password: str = PASSWORD):
    return services.accept_as_new(invitation, login=login, password=password, now=now)


class TestMail:
    def test_the_mail_has_the_link_the_role_and_the_place(self, admin, settings):
        settings.BASE_URL = "https://vardlots.example"
        invitation = invite(admin)
        assert services.send_invitations(now=NOW) == 1
        (sent,) = mail.outbox
        assert sent.to == ["anna@region.example"]
        assert f"https://vardlots.example/invitation/{invitation.token}/" in sent.body
        assert "Vårdlots, " not in sent.subject
        for word in ("Anna Ny", "Vårdlots", "Region Halland", "2026-03-17 09:00"):
            assert word in sent.body

    def test_the_mail_goes_out_once(self, admin):
        invite(admin)
        services.send_invitations(now=NOW)
        services.send_invitations(now=NOW + timedelta(days=1))
        assert len(mail.outbox) == 1

    def test_the_mail_names_no_patient(self, halland, admin):
        made = make_case(region=halland)
        invite(admin, role=Role.CLINIC, place=Place(region=halland, care_unit=made.unit))
        services.send_invitations(now=NOW)
        text = mail.outbox[0].subject + mail.outbox[0].body
        for word in (made.patient.family_name, made.patient.identity_number, made.case.number):
            assert word not in text

    def test_a_mail_server_that_is_away_is_tried_again_and_then_no_more(self, admin, monkeypatch):
        def away(*_args, **_options):
            raise OSError("no route to anna@region.example")

        monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
        invitation, now = invite(admin), NOW
        for _attempt in range(MAX_ATTEMPTS):
            invitation.refresh_from_db()
            assert invitation.due_at is not None
            now = max(now, invitation.due_at)
            Invitation.objects.filter(pk=invitation.pk).update(expires_at=now + VALID)
            assert services.send_invitations(now=now) == 1
        invitation.refresh_from_db()
        assert (invitation.due_at, invitation.sent_at) == (None, None)
        assert invitation.last_error == "OSError"

    def test_the_database_alone_gives_no_link(self, admin):
        invitation = invite(admin)
        assert not Invitation.objects.with_token(invitation.nonce)
        assert not Invitation.objects.with_token(f"{invitation.nonce}.x")
        assert Invitation.objects.with_token(invitation.token).get() == invitation


class TestAccepting:
    def test_the_invited_person_has_the_assignment_from_then_on(self, halland, admin):
        assignment = accept(invite(admin))
        user = User.objects.get(login="anna.ny")
        assert live_assignments(user, now=NOW) == [assignment]
        assert (user.name, user.email) == ("Anna Ny", "anna@region.example")
        assert user.check_password(PASSWORD)
        verbs = AdministrationLog.objects.order_by("pk").values_list("verb", "actor_name")
        assert list(verbs) == [("invited", admin.name), ("invitation_accepted", "Anna Ny")]

    def test_a_link_serves_once(self, admin):
        invitation = invite(admin)
        accept(invitation)
        with pytest.raises(WrongState) as refused:
            accept(invitation, login="another")
        assert refused.value.code == "invitation_used"
        assert not User.objects.filter(login="another").exists()

    @pytest.mark.parametrize(("after", "holds"), [(VALID - SECOND, True), (VALID, False)])
    def test_a_link_serves_for_seven_days(self, admin, after, holds):
        invitation = invite(admin)
        if holds:
            assert accept(invitation, now=NOW + after)
        else:
            with pytest.raises(WrongState) as refused:
                accept(invitation, now=NOW + after)
            assert refused.value.code == "invitation_expired"

    def test_a_new_link_makes_the_old_one_worthless(self, admin):
        old = invite(admin)
        services.invite_again(old, actor=admin, now=NOW + VALID)
        with pytest.raises(WrongState):
            accept(old, now=NOW + VALID)
        assert not Invitation.objects.with_token(old.token)
        assert accept(Invitation.objects.get(), now=NOW + 2 * VALID - SECOND)

    def test_a_withdrawn_invitation_serves_nobody(self, admin):
        invitation = invite(admin)
        services.withdraw_invitation(invitation, actor=admin, now=NOW)
        with pytest.raises(WrongState):
            accept(invitation)
        assert services.send_invitations(now=NOW) == 0

    def test_an_invitation_for_an_hsa_id_is_that_persons_alone(self, admin):
        invitation = invite(admin, hsa_id="SE2321000131-AB12")
        other = UserFactory(hsa_id="SE2321000131-XY99")
        with pytest.raises(NotAllowed, match="annan person"):
            services.accept_invitation(invitation, user=other, now=NOW)
        right = UserFactory(hsa_id="SE2321000131-AB12")
        assert services.accept_invitation(invitation, user=right, now=NOW).user == right

    def test_without_demonstration_an_hsa_id_is_needed_and_passwords_serve_nothing(
        self, admin, settings
    ):
        settings.DEMO = False
        with pytest.raises(InvalidInput) as refused:
            invite(admin)
        assert set(refused.value.fields) == {"hsa_id"}
        invitation = invite(admin, hsa_id="SE2321000131-AB12")
        with pytest.raises(NotAllowed):
            accept(invitation)
        with pytest.raises(NotAllowed):
            services.accept_invitation(invitation, user=UserFactory(), now=NOW)

    def test_the_first_siths_login_finds_whom_an_open_invitation_names(self, admin):
        invite(admin, hsa_id="SE2321000131-AB12")
        late = NOW + VALID
        assert services.invited_user("SE2321000131-AB12", name="Anna", now=late) is None
        assert services.invited_user("", name="Anna", now=NOW) is None
        user = services.invited_user("SE2321000131-AB12", name="Anna", now=NOW)
        assert (user.hsa_id, user.has_usable_password()) == ("SE2321000131-AB12", False)
        assert live_assignments(user, now=NOW) == []
        assert services.invited_user("SE2321000131-AB12", name="Anna", now=NOW) == user

    def test_nobody_takes_up_what_they_offered_themselves(self, admin):
        with pytest.raises(NotAllowed):
            services.accept_invitation(invite(admin), user=user_of(admin), now=NOW)

    def test_somebody_who_is_shut_off_takes_nothing_up(self, admin):
        with pytest.raises(NotAllowed):
            services.accept_invitation(invite(admin), user=UserFactory(is_active=False), now=NOW)

    def test_a_unit_that_closed_meanwhile_gets_nobody(self, halland, admin):
        unit = CareUnitFactory(region=halland, sends=True)
        invitation = invite(admin, role=Role.CLINIC, place=Place(region=halland, care_unit=unit))
        CareUnit.objects.update(is_active=False)
        with pytest.raises(InvalidInput):
            accept(invitation)
        assert not User.objects.filter(login="anna.ny").exists()

    @pytest.mark.parametrize("password", ["elva tecken", "", "x"])
    def test_a_password_has_twelve_characters(self, admin, password):
        with pytest.raises(InvalidInput) as refused:
            accept(invite(admin), password=password)
        assert "12 tecken" in refused.value.fields["password"]

    @pytest.mark.parametrize("login", ["", "ab", "x" * 61, "an\x00na"])
    def test_a_user_name_that_cannot_be_is_refused(self, admin, login):
        with pytest.raises(InvalidInput) as refused:
            accept(invite(admin), login=login)
        assert set(refused.value.fields) == {"login"}

    def test_a_user_name_that_is_taken_is_refused(self, admin):
        UserFactory(login="anna.ny")
        with pytest.raises(InvalidInput):
            accept(invite(admin))


@pytest.mark.django_db(transaction=True)
def test_two_who_use_the_link_at_once_get_one_assignment():
    invitation = invite(region_admin_actor(RegionFactory()))
    outcomes = together(
        [lambda: accept(invitation, login="first"), lambda: accept(invitation, login="second")]
    )
    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 1
    assert User.objects.filter(login__in=["first", "second"]).count() == 1


class TestInviting:
    def test_a_navigator_invites_nobody(self, halland):
        with pytest.raises(NotAllowed):
            invite(navigator_actor(halland))

    def test_nobody_is_invited_twice_to_the_same(self, admin):
        invite(admin)
        with pytest.raises(InvalidInput, match="redan inbjuden"):
            invite(admin, email="ANNA@region.example")
        invite(admin, role=Role.MANAGER)
        invite(admin, now=NOW + VALID)

    def test_another_region_is_not_invited_to(self, admin):
        with pytest.raises(NotAllowed):
            invite(admin, place=Place(region=RegionFactory(code="01")))

    def test_an_operator_invites_a_regions_first_administrator(self, halland):
        invitation = invite(operator_actor(), role=Role.REGION_ADMIN, place=Place(region=halland))
        assert accept(invitation).role == Role.REGION_ADMIN

    def test_an_operator_does_not_send_a_regions_own_invitations(self, admin):
        with pytest.raises(NotAllowed):
            services.invite_again(invite(admin), actor=operator_actor(), now=NOW)

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [("name", " "), ("name", "A\x00"), ("email", "anna"), ("email", ""), ("hsa_id", "SE1")],
    )
    def test_what_is_wrong_is_said_at_its_field(self, admin, field, wrong):
        with pytest.raises(InvalidInput) as refused:
            invite(admin, **{field: wrong})
        assert field in refused.value.fields

    @settings(max_examples=40)
    @given(st.data())
    def test_whatever_is_typed_is_stored_or_refused(self, data):
        admin = region_admin_actor(RegionFactory())
        typed = {
            name: data.draw(st.text(max_size=300), label=name)
            for name in ("name", "email", "hsa_id")
        }
        before = Invitation.objects.count()
        try:
            invite(admin, **typed)
        except DomainError:
            assert Invitation.objects.count() == before


class TestPage:
    def test_the_link_leads_into_the_assignment(self, client, admin):
        invitation = invite(admin, now=_now())
        page = client.get(f"/invitation/{invitation.token}/")
        assert "Anna Ny" in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        typed = {"login": "anna.ny", "password": PASSWORD, "again": PASSWORD}
        assert client.post(f"/invitation/{invitation.token}/", typed).status_code == 302
        assert client.get("/").headers["Location"] == "/cases/"
        again = client.get(f"/invitation/{invitation.token}/")
        assert again.status_code == 404
        assert "redan använd" in again.content.decode()

    def test_passwords_that_differ_are_said_at_the_field(self, client, admin):
        invitation = invite(admin, now=_now())
        typed = {"login": "anna.ny", "password": PASSWORD, "again": PASSWORD + "x"}
        page = client.post(f"/invitation/{invitation.token}/", typed)
        assert page.status_code == 422
        assert "inte lika" in page.content.decode()

    def test_a_logged_in_person_takes_up_a_further_assignment(self, client, admin):
        person = user_of(navigator_actor(RegionFactory(code="01")))
        client.force_login(person)
        invitation = invite(admin, now=_now(), role=Role.MANAGER)
        assert client.post(f"/invitation/{invitation.token}/").status_code == 302
        assert client.get("/").headers["Location"] == "/statistics/"

    @pytest.mark.parametrize("token", ["x", "a.b", "%00", "a" * 500, "å.ä"])
    def test_a_link_that_was_never_made_is_not_found(self, client, token):
        assert client.get(f"/invitation/{token}/").status_code == 404


def _now():
    from django.utils import timezone

    return timezone.now()
