"""Units, providers, regions and operations: who changes them, and what a closed unit may not."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from organisations.access import Actor
from organisations.administration import selectors, services
from organisations.administration.authority import Place
from organisations.administration.services import UnitDetails
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import (
    AdministrationLog,
    DomainEvent,
    EventDelivery,
    Region,
    Role,
    SweepRun,
)
from organisations.sweeps import run_due
from referral import services as referral
from referral.models import CaseState
from tests.factories import (
    WAIT_IS_KNOWN,
    CareUnitFactory,
    MunicipalityFactory,
    ProviderFactory,
    RegionFactory,
    advance,
    clinic_actor,
    make_case,
    operator_actor,
    region_admin_actor,
    stockholm,
    submission,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


@pytest.fixture
def halland() -> Region:
    return RegionFactory()


@pytest.fixture
def admin(halland: Region) -> Actor:
    return region_admin_actor(halland)


@pytest.fixture
def details(halland: Region) -> UnitDetails:
    return UnitDetails(
        hsa_id="SE2321000131-NY01",
        name="Nya kliniken",
        provider=ProviderFactory(),
        municipality=MunicipalityFactory(region=halland),
        sends=True,
    )


class TestUnits:
    def test_a_unit_lies_where_its_municipality_does(self, admin, details):
        unit = services.create_unit(details, actor=admin, now=NOW)
        assert (unit.region_id, unit.latitude) == ("13", details.municipality.latitude)
        assert AdministrationLog.objects.get().verb == "unit_created"

    def test_the_history_tells_what_changed(self, admin, details):
        unit = services.create_unit(details, actor=admin, now=NOW)
        changed = replace(details, name="Kliniken", phone="010-1")
        services.change_unit(unit, changed, actor=admin, now=NOW)
        row = AdministrationLog.objects.get(verb="unit_changed")
        assert row.details["namn"] == "Nya kliniken → Kliniken"
        assert row.details["telefon"] == "– → 010-1"

    def test_languages_and_equipment_stand_in_the_history_in_words(self, admin, details):
        unit = services.create_unit(details, actor=admin, now=NOW)
        changed = replace(details, languages=["so", "ar"], equipment=["lift"])
        unit = services.change_unit(unit, changed, actor=admin, now=NOW)
        assert unit.languages == ["ar", "so"]
        row = AdministrationLog.objects.get(verb="unit_changed")
        assert row.details["språk, med personal eller tolk"] == "– → arabiska, somaliska"
        assert row.details["särskild utrustning"] == "– → Personlyft"

    @pytest.mark.parametrize("known", ["languages", "equipment"])
    def test_languages_and_equipment_come_from_their_lists(self, admin, details, known):
        with pytest.raises(InvalidInput) as refused:
            services.create_unit(replace(details, **{known: ["xx"]}), actor=admin, now=NOW)
        assert set(refused.value.fields) == {known}

    def test_saving_without_change_writes_no_history(self, admin, details):
        unit = services.create_unit(details, actor=admin, now=NOW)
        services.change_unit(unit, details, actor=admin, now=NOW)
        assert AdministrationLog.objects.count() == 1

    @pytest.mark.parametrize("hsa_id", ["", "SE1", "SE2321000131-", "SE2321000131-ny01", "A\x00"])
    def test_an_hsa_id_has_its_shape(self, admin, details, hsa_id):
        with pytest.raises(InvalidInput) as refused:
            services.create_unit(replace(details, hsa_id=hsa_id), actor=admin, now=NOW)
        assert set(refused.value.fields) == {"hsa_id"}

    def test_an_hsa_id_is_one_units(self, admin, details):
        services.create_unit(details, actor=admin, now=NOW)
        with pytest.raises(InvalidInput, match="annan enhet"):
            services.create_unit(details, actor=admin, now=NOW)

    def test_a_unit_sends_or_receives(self, admin, details):
        with pytest.raises(InvalidInput):
            services.create_unit(replace(details, sends=False), actor=admin, now=NOW)

    def test_another_regions_units_are_out_of_reach(self, admin, details):
        elsewhere = MunicipalityFactory(region=RegionFactory(code="01"))
        foreign = CareUnitFactory(region=elsewhere.region)
        for attempt in (
            lambda: services.create_unit(
                replace(details, municipality=elsewhere), actor=admin, now=NOW
            ),
            lambda: services.change_unit(foreign, details, actor=admin, now=NOW),
            lambda: services.close_unit(foreign, actor=admin, now=NOW),
            lambda: services.open_unit(foreign, actor=admin, now=NOW),
        ):
            with pytest.raises(NotAllowed):
                attempt()

    def test_a_unit_stays_in_its_region(self, details):
        operator = operator_actor()
        unit = services.create_unit(details, actor=operator, now=NOW)
        elsewhere = MunicipalityFactory(region=RegionFactory(code="01"))
        with pytest.raises(InvalidInput) as refused:
            services.change_unit(
                unit, replace(details, municipality=elsewhere), actor=operator, now=NOW
            )
        assert "municipality" in refused.value.fields

    def test_closing_twice_is_refused_and_opening_gives_it_back(self, admin, details):
        unit = services.create_unit(details, actor=admin, now=NOW)
        services.close_unit(unit, actor=admin, now=NOW)
        with pytest.raises(WrongState):
            services.close_unit(unit, actor=admin, now=NOW)
        assert services.open_unit(unit, actor=admin, now=NOW).is_active


class TestClosedUnits:
    def test_a_closed_clinic_sends_no_new_case_and_is_told_why(self, halland, admin):
        unit = CareUnitFactory(region=halland, sends=True)
        clinic = clinic_actor(unit)
        services.close_unit(unit, actor=admin, now=NOW)
        unit.refresh_from_db()
        with pytest.raises(NotAllowed, match="stängd"):
            referral.submit(submission(), sending_unit=unit, actor=clinic, now=timezone.now())

    def test_a_closed_unit_is_offered_to_nobody(self):
        made = make_case(CaseState.IN_PROGRESS)
        receiving = made.line.care_unit
        services.close_unit(
            receiving, actor=region_admin_actor(receiving.region), now=timezone.now()
        )
        made.line.refresh_from_db()
        with pytest.raises(WrongState, match="stängd"):
            referral.send_offer(
                made.case,
                line=made.line,
                actor=made.navigator,
                now=timezone.now(),
                wishes=WAIT_IS_KNOWN,
            )

    def test_what_a_closed_unit_has_is_worked_to_its_end(self):
        made = make_case(CaseState.OFFERED)
        receiving = made.line.care_unit
        services.close_unit(
            receiving, actor=region_admin_actor(receiving.region), now=timezone.now()
        )
        assert advance(made, CaseState.CLOSED).case.state == CaseState.CLOSED


class TestPatientFacts:
    FACTS = {
        "navigator_phone": "035-13 10 00",
        "travel_phone": "035-13 10 01",
        "travel_paid": "afterwards",
        "confirms_referrals": True,
        "informs_of_guarantee": False,
    }

    def test_the_regions_administrator_fills_them_in_with_history(self, halland, admin):
        services.change_patient_facts(halland, self.FACTS, actor=admin, now=NOW)
        halland.refresh_from_db()
        assert {name: getattr(halland, name) for name in self.FACTS} == self.FACTS
        (row,) = selectors.history(admin)
        assert row.details["telefon för sjukresor"] == "010-000 00 01 → 035-13 10 01"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("navigator_phone", " "),
            ("travel_phone", ""),
            ("travel_phone", "a\x00"),
            ("travel_paid", ""),
            ("travel_paid", "never"),
        ],
    )
    def test_what_stops_every_offer_is_told_at_its_field(self, halland, admin, name, value):
        new = self.FACTS | {name: value}
        with pytest.raises(InvalidInput) as refused:
            services.change_patient_facts(halland, new, actor=admin, now=NOW)
        assert set(refused.value.fields) == {name}

    def test_other_kinds_have_their_own_day_or_none(self, halland, admin):
        services.change_notice_days(
            halland,
            reminder_after_days=7,
            letter_after_days=14,
            unread_booked_time_days=3,
            actor=admin,
            now=NOW,
        )
        halland.refresh_from_db()
        assert (halland.unread_booked_time_days, halland.unread_guarantee_days) == (3, None)
        with pytest.raises(InvalidInput) as refused:
            services.change_notice_days(
                halland,
                reminder_after_days=7,
                letter_after_days=14,
                unread_booked_time_days=61,
                actor=admin,
                now=NOW,
            )
        assert set(refused.value.fields) == {"unread_booked_time_days"}

    def test_nobody_else_does(self, halland):
        for other in (region_admin_actor(RegionFactory(code="14")), operator_actor()):
            with pytest.raises(NotAllowed):
                services.change_patient_facts(halland, self.FACTS, actor=other, now=NOW)

    def test_the_page_saves_and_says_what_is_wrong(self, client, halland, admin):
        client.force_login(user_of(admin))
        assert client.get("/patient-facts/").status_code == 200
        assert client.post("/patient-facts/", {}).status_code == 422
        assert client.post("/patient-facts/", self.FACTS).status_code == 302


class TestNoticeDays:
    def change(self, region, actor, reminder: int | None = 7, letter: int = 14) -> None:
        services.change_notice_days(
            region, reminder_after_days=reminder, letter_after_days=letter, actor=actor, now=NOW
        )

    @pytest.mark.parametrize("reminder", [5, None])
    def test_the_regions_administrator_sets_them_with_history(self, halland, admin, reminder):
        self.change(halland, admin, reminder, 10)
        halland.refresh_from_db()
        assert (halland.reminder_after_days, halland.letter_after_days) == (reminder, 10)
        (row,) = selectors.history(admin)
        assert row.details["dagar utan svar innan brev skickas"] == "14 → 10"

    @pytest.mark.parametrize(
        ("reminder", "letter", "at"),
        [
            (14, 14, "reminder_after_days"),
            (0, 14, "reminder_after_days"),
            (None, 30, "letter_after_days"),
            (None, 0, "letter_after_days"),
        ],
    )
    def test_reminder_letter_and_last_day_come_in_that_order(
        self, halland, admin, reminder, letter, at
    ):
        with pytest.raises(InvalidInput) as refused:
            self.change(halland, admin, reminder, letter)
        assert set(refused.value.fields) == {at}
        assert not selectors.history(admin)

    def test_nobody_else_does(self, halland):
        for other in (region_admin_actor(RegionFactory(code="14")), operator_actor()):
            with pytest.raises(NotAllowed):
                self.change(halland, other)

    def test_the_page_shows_saves_and_says_what_is_wrong_at_the_field(self, client, halland, admin):
        client.force_login(user_of(admin))
        assert client.get("/notice-days/").status_code == 200
        wrong = client.post("/notice-days/", {"reminder_after_days": 14, "letter_after_days": 14})
        assert (wrong.status_code, "komma före brevet" in wrong.content.decode()) == (422, True)
        saved = client.post("/notice-days/", {"reminder_after_days": "", "letter_after_days": 12})
        assert saved.status_code == 302
        assert "14 → 12" in client.get("/notice-days/").content.decode()

    def test_the_operator_cannot_put_the_letter_before_the_reminder(self, halland):
        new = {
            "guarantee_days": 90,
            "child_psychiatry_days": 30,
            "offer_stands_days": 30,
            "letter_after_days": 7,
        }
        with pytest.raises(InvalidInput) as refused:
            services.change_region(halland, new, actor=operator_actor(), now=NOW)
        assert set(refused.value.fields) == {"reminder_after_days"}


class TestOperator:
    def test_a_regions_settings_are_the_operators_and_in_the_regions_history(self, halland, admin):
        new = {
            "guarantee_days": 60,
            "child_psychiatry_days": 30,
            "offer_stands_days": 30,
            "letter_after_days": 10,
            "navigator_unit_name": halland.navigator_unit_name,
            "navigator_phone": "010-1",
        }
        with pytest.raises(NotAllowed):
            services.change_region(halland, new, actor=admin, now=NOW)
        services.change_region(halland, new, actor=operator_actor(), now=NOW)
        halland.refresh_from_db()
        assert (halland.guarantee_days, halland.letter_after_days) == (60, 10)
        (row,) = selectors.history(admin)
        assert row.details["vårdgaranti, dagar"] == "90 → 60"

    def test_an_offer_keeps_who_pays_as_it_was_when_it_was_sent(self, halland, admin, client):
        client.force_login(user_of(operator_actor()))
        page = reverse("region", args=[halland.code])
        form = client.get(page).context["form"]
        typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        assert client.post(page, typed | {"funding": "mig"}).status_code == 422
        assert client.post(page, typed | {"funding": "central"}).status_code == 302
        sent = make_case(CaseState.OFFERED, region=halland).offer
        assert client.post(page, typed | {"funding": "clinic"}).status_code == 302
        sent.refresh_from_db()
        later = make_case(CaseState.OFFERED, region=halland).offer
        assert (sent.funding, later.funding) == ("central", "clinic")
        assert len(selectors.history(admin)) == 2

    @pytest.mark.parametrize(
        ("field", "value", "at"),
        [
            ("guarantee_days", 91, "guarantee_days"),
            ("child_psychiatry_days", 0, "child_psychiatry_days"),
            ("letter_after_days", 30, "offer_stands_days"),
        ],
    )
    def test_a_region_promises_no_less_than_the_law(self, halland, field, value, at):
        new = {
            "guarantee_days": 90,
            "child_psychiatry_days": 30,
            "offer_stands_days": 30,
            "letter_after_days": 14,
        } | {field: value}
        with pytest.raises(InvalidInput) as refused:
            services.change_region(halland, new, actor=operator_actor(), now=NOW)
        assert set(refused.value.fields) == {at}

    def test_a_provider_has_a_number_that_holds_and_a_region_where_one_runs_it(self, admin):
        def save(actor: Actor, **changes: object) -> object:
            values = {
                "name": "Nya vården AB",
                "organisation_number": "5599000014",
                "hsa_id": "SE2321000016-VG01",
                "kind": "private",
                "region": None,
            }
            return services.save_provider(None, **(values | changes), actor=actor, now=NOW)

        operator = operator_actor()
        with pytest.raises(NotAllowed):
            save(admin)
        for wrong in ({"organisation_number": "5599000015"}, {"organisation_number": "²"}):
            with pytest.raises(InvalidInput):
                save(operator, **wrong)
        with pytest.raises(InvalidInput) as refused:
            save(operator, kind="region")
        assert set(refused.value.fields) == {"region"}
        save(operator)
        for taken_or_odd in ("SE1", "SE2321000016-VG01"):
            with pytest.raises(InvalidInput) as refused:
                save(operator, name="En annan", hsa_id=taken_or_odd)
            assert set(refused.value.fields) == {"hsa_id"}
        with pytest.raises(InvalidInput, match="heter så"):
            save(operator)

    def test_an_integration_gets_its_region_or_its_unit(self, halland, admin):
        place = Place(region=halland)
        with pytest.raises(NotAllowed):
            services.create_client(login="jr", name="J", place=place, actor=admin, now=NOW)
        made = services.create_client(
            login="journal", name="Journal", place=place, actor=operator_actor(), now=NOW
        )
        assert (made.role, made.user.has_usable_password()) == (Role.INTEGRATION, False)
        foreign = CareUnitFactory(region=RegionFactory(code="01"))
        with pytest.raises(InvalidInput):
            services.create_client(
                login="journal2",
                name="Journal",
                place=Place(region=halland, care_unit=foreign),
                actor=operator_actor(),
                now=NOW,
            )


class TestOperations:
    @pytest.fixture
    def failing(self) -> EventDelivery:
        event = DomainEvent.objects.create(
            kind="offer.sent", case_number="13-26-000001-9", happened_at=NOW, payload={"x": "Åsa"}
        )
        return EventDelivery.objects.create(
            event=event,
            consumer="notices",
            due_at=NOW,
            attempts=3,
            last_error="IntegrityError: (identity_number)=(191212121212) Åsa Öhrström",
        )

    def test_the_page_tells_what_fails_and_no_patient(self, client, failing):
        client.force_login(user_of(operator_actor()))
        page = client.get("/operations/").content.decode()
        assert "offer.sent" in page
        assert "IntegrityError" in page
        for word in ("191212121212", "Öhrström", "13-26-000001-9"):
            assert word not in page

    def test_a_delivery_is_tried_again_at_once(self, failing, admin):
        later = NOW + selectors.STUCK_AFTER
        with pytest.raises(NotAllowed):
            services.retry_delivery(failing, actor=admin, now=later)
        services.retry_delivery(failing, actor=operator_actor(), now=later)
        failing.refresh_from_db()
        assert failing.due_at == later
        assert AdministrationLog.objects.get().subject == f"offer.sent {failing.pk}"

    def test_what_has_been_due_too_long_is_counted(self, failing):
        assert selectors.health(now=NOW + selectors.STUCK_AFTER).stuck_count == 0
        late = selectors.health(now=NOW + 2 * selectors.STUCK_AFTER)
        assert (late.stuck_count, late.oldest_due) == (1, NOW)
        assert not late.is_well

    def test_each_sweep_tells_when_it_last_ran(self):
        run_due(now=NOW)
        assert {"events", "invitations"} <= {run.name for run in SweepRun.objects.all()}
        assert selectors.health(now=timezone.now()).is_well
        assert not selectors.health(now=timezone.now() + 2 * selectors.STUCK_AFTER).is_well
