"""Rättelse and skyddad identitet (patientdatalagen 3 kap. 14 §)."""

import json
from dataclasses import replace

import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.utils import timezone

from organisations.access import Actor, acting_as
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import AccessLog
from patients.models import Patient
from patients.services import ContactDetails
from referral import services
from referral.machine import CaseNotFound
from referral.models import CaseState, Correction, IntakeFormVersion
from referral.selectors import timeline, worklist
from referral.selectors.privacy import secrecy_of
from tests.factories import (
    WAIT_IS_KNOWN,
    MadeCase,
    MunicipalityFactory,
    RegionFactory,
    identity_number,
    make_case,
    navigator_actor,
    region_admin_actor,
    submission,
    user_of,
)

pytestmark = pytest.mark.django_db

HOME = {"street": "Provgatan 1", "postal_code": "30232", "town": "Halmstad", "phone": "070-1"}


def correct(
    made: MadeCase, actor: Actor, *, reason: str = "Felskrivet.", **details: object
) -> None:
    contact = ContactDetails(**({"given_name": "Test", "family_name": "Testsson"} | HOME | details))
    services.correct_patient(
        made.case, contact=contact, reason=reason, actor=actor, now=timezone.now()
    )


def move(made: MadeCase, number: str, *, actor: Actor | None = None) -> None:
    services.move_patient(
        made.case,
        identity_number=number,
        given_name="Rätt",
        family_name="Person",
        reason="Förväxlad med namne.",
        actor=actor or made.navigator,
        now=timezone.now(),
    )


def protect(made: MadeCase) -> None:
    services.protect(
        made.case,
        protection="sekretessmarkering",
        reason="Uppgift från folkbokföringen.",
        actor=made.clinic,
        now=timezone.now(),
    )
    made.refresh()


def test_a_correction_says_what_stood_before_who_when_and_why():
    made = make_case(**HOME)
    correct(made, made.navigator, family_name="Testdotter", phone="070-2")
    assert made.refresh().patient.family_name == "Testdotter"
    row = made.case.corrections.get()
    assert row.changes == {
        "family_name": ["Testsson", "Testdotter"],
        "phone": ["070-1", "070-2"],
    }
    assert (row.reason, row.actor_name) == ("Felskrivet.", made.navigator.name)
    entry = made.case.log.get(verb="correct_patient")
    assert entry.details == {"fields": ["family_name", "phone"]}
    assert "070" not in json.dumps(entry.details)
    assert {r["label"] for r in row.rows} == {"Efternamn", "Telefon"}


def test_a_correction_of_nothing_or_to_what_cannot_be_kept_is_refused_at_the_field():
    made = make_case(**HOME)
    for details, field in (
        ({}, "given_name"),
        ({"given_name": ""}, "given_name"),
        ({"family_name": "x" * 81}, "family_name"),
        ({"postal_code": "12"}, "postal_code"),
        ({"phone": "1", "reason": " "}, "reason"),
    ):
        with pytest.raises(InvalidInput) as caught:
            correct(made, made.clinic, **details)
        assert list(caught.value.fields) == [field]
    assert not Correction.objects.exists()


def test_only_the_home_side_corrects_and_reads_what_stood_before():
    made = make_case(CaseState.CONFIRMED, **HOME)
    correct(made, made.clinic, phone="070-3")
    with pytest.raises(NotAllowed):
        correct(made, made.provider)
    with pytest.raises(CaseNotFound):
        correct(made, navigator_actor(RegionFactory(code="14")))
    assert len(secrecy_of(made.navigator, made.case).corrections) == 1
    assert secrecy_of(made.provider, made.case).corrections == []
    with acting_as(made.provider):
        assert not Correction.objects.exists()


def test_a_case_moves_to_the_right_patient_and_leaves_the_wrong_one():
    made = make_case(CaseState.IN_PROGRESS, family_name="Felsson")
    wrong = made.patient
    right_number = identity_number(77)
    move(made, right_number)
    made.refresh()
    assert made.patient.identity_number == right_number
    assert made.patient.full_name == "Rätt Person"
    assert made.case.form.typed["family_name"] == "Person"
    row = made.case.corrections.get()
    assert row.wrong_patient == wrong
    with acting_as(made.navigator):
        assert not Patient.objects.filter(pk=wrong.pk).exists()
        (shown,) = secrecy_of(made.navigator, made.case).corrections
        assert shown.wrong_patient.identity_number == wrong.identity_number
    logged = set(AccessLog.objects.filter(what="move_patient").values_list("patient_id", flat=True))
    assert logged == {wrong.pk, made.patient.pk}
    assert made.case.form.versions.get().content["family_name"] == "Felsson"


def test_a_known_patient_keeps_its_name_when_a_case_is_moved_to_it():
    other = make_case(given_name="Känd", family_name="Sedan-Förut")
    made = make_case(kva="NFB49")
    move(made, other.patient.identity_number)
    assert made.refresh().patient == other.patient
    assert made.patient.full_name == "Känd Sedan-Förut"


def test_a_case_does_not_move_to_itself_to_no_number_or_beside_a_running_one():
    made, other = make_case(), make_case()
    for number in (made.patient.identity_number, "191212121213"):
        with pytest.raises(InvalidInput) as caught:
            move(made, number)
        assert list(caught.value.fields) == ["identity_number"]
    with pytest.raises(WrongState) as refused:
        move(made, other.patient.identity_number)
    assert refused.value.code == "case_running"
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    "state", [CaseState.OFFERED, CaseState.ACCEPTED, CaseState.BOOKED, CaseState.TREATED]
)
def test_a_case_does_not_move_while_an_offer_or_a_certificate_names_the_patient(state):
    made = make_case(state)
    with pytest.raises(WrongState):
        move(made, identity_number(78))


def test_a_note_is_struck_not_erased_and_by_those_who_wrote_it():
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    services.note(made.case, text="Ring maken.", actor=made.navigator, now=now)
    note = made.case.log.get(verb="note")
    for other, error in (
        (made.clinic, NotAllowed),
        (navigator_actor(RegionFactory(code="14")), CaseNotFound),
    ):
        with pytest.raises(error):
            services.strike_note(made.case, entry_id=note.pk, reason="x", actor=other, now=now)
    services.strike_note(
        made.case, entry_id=note.pk, reason="Fel ärende.", actor=made.navigator, now=now
    )
    shown = next(e for e in timeline(made.navigator, made.case) if e.pk == note.pk)
    assert (shown.why, shown.struck.why) == ("Ring maken.", "Fel ärende.")
    with pytest.raises(WrongState):
        services.strike_note(
            made.case, entry_id=note.pk, reason="Igen.", actor=made.navigator, now=now
        )
    first = made.case.log.earliest("pk")
    with pytest.raises(WrongState):
        services.strike_note(made.case, entry_id=first.pk, reason="x", actor=made.clinic, now=now)


# Protected identity.


def test_protection_takes_the_address_away_wherever_it_stood():
    town = MunicipalityFactory()
    made = make_case(**HOME, municipality=town.code)
    correct(made, made.clinic, street="Rättagatan 2", municipality=town)
    protect(made)
    patient = made.patient
    assert patient.protection == "sekretessmarkering"
    everything = json.dumps(
        [
            [patient.street, patient.postal_code, patient.town, patient.municipality_id],
            made.case.form.typed,
            list(IntakeFormVersion.objects.values_list("content", flat=True)),
            list(Correction.objects.values_list("changes", flat=True)),
            list(made.case.log.values_list("why", "details")),
        ]
    )
    for word in ("gatan", "30232", "Halmstad", town.code):
        assert word not in everything
    assert "070-1" in everything  # a telephone is how the patient is reached


def test_addresses_are_forgotten_for_protected_identities_only_and_nothing_else_changes():
    made = make_case(**HOME)
    with connection.cursor() as cursor:
        with pytest.raises(Error, match="protected identity"), transaction.atomic():
            cursor.execute(
                "SELECT replace_form_version(%s, 'v1.x')", [made.case.form.versions.get().pk]
            )
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            cursor.execute(
                "SET LOCAL vardlots.thinning = 'referral_intakeformversion';"
                "UPDATE referral_intakeformversion SET version = 9"
            )
    before = made.case.form.versions.get().content
    protect(made)
    after = made.case.form.versions.get().content
    assert {k for k in before if before[k] != after[k]} == {"street", "postal_code", "town"}


def test_a_protected_identity_gets_no_address_by_a_correction():
    made = make_case()
    protect(made)
    correct(made, made.clinic, given_name="Ny")
    assert made.refresh().patient.given_name == "Ny"
    assert made.patient.street == ""


def test_a_protected_name_leaves_list_search_and_the_providers_page():
    made = make_case(CaseState.CONFIRMED, given_name="Hemlig", family_name="Hemligsson", **HOME)
    protect(made)
    today = timezone.localdate()
    assert not worklist(made.navigator, view="all", today=today, search="Hemligsson").exists()
    for actor, address, shown in (
        (made.navigator, "/cases/?view=all", False),
        (made.clinic, "/cases/?view=all", False),
        (made.provider, "/cases/", False),
        (made.provider, f"/cases/{made.case.number}/", False),
        (made.navigator, f"/cases/{made.case.number}/", True),
    ):
        client = Client()
        client.force_login(user_of(actor))
        page = client.get(address).content.decode()
        assert made.case.number in page
        assert ("Hemligsson" in page) == shown, (actor.role, address)
        assert "Sekretessmarkering" in page or "Skyddad identitet" in page
        assert ("070-1" in page) == shown


def test_only_the_regions_administrator_lifts_protection_and_by_number_alone():
    made = make_case()
    protect(made)
    now = timezone.now()
    for other in (made.navigator, made.clinic):
        with pytest.raises(NotAllowed):
            services.unprotect(made.case.number, reason="x", actor=other, now=now)
    with pytest.raises(InvalidInput):
        services.unprotect(
            made.case.number,
            reason="x",
            actor=region_admin_actor(RegionFactory(code="14")),
            now=now,
        )
    admin = region_admin_actor(made.unit.region)
    services.unprotect(made.case.number, reason="Skyddet hävt.", actor=admin, now=now)
    assert made.refresh().patient.protection == "none"
    assert made.case.log.get(verb="unprotect").why == "Skyddet hävt."
    assert made.case.corrections.filter(kind="protection").count() == 2
    with pytest.raises(WrongState):
        services.unprotect(made.case.number, reason="x", actor=admin, now=now)


# Consent on the form.


def test_a_no_on_the_form_keeps_offers_from_being_made_until_there_is_a_yes():
    today = timezone.localdate()
    made = make_case(
        CaseState.IN_PROGRESS,
        share_consent="no",
        share_consent_how="oral",
        share_consent_on=today,
    )
    now = timezone.now()
    with pytest.raises(WrongState) as caught:
        services.send_offer(
            made.case, line=made.line, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
        )
    assert caught.value.code == "no_consent"
    services.record_consent(
        made.case,
        audience="provider",
        given=True,
        how="phone",
        given_on=today,
        actor=made.navigator,
        now=now,
    )
    services.send_offer(
        made.case, line=made.line, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
    )


def test_without_a_word_on_the_form_nothing_is_refused_and_the_yes_is_the_consent():
    made = make_case(CaseState.ACCEPTED)
    consent = made.case.consents.get()
    assert (consent.given, consent.how, consent.care_unit) == (True, "1177", made.line.care_unit)
    assert consent.role == "patient"


def test_a_consent_that_was_taken_back_stops_the_next_offer():
    made = make_case(CaseState.IN_PROGRESS)
    today, now = timezone.localdate(), timezone.now()
    said = {"audience": "provider", "given": True, "how": "written", "given_on": today}
    services.record_consent(made.case, **said, actor=made.clinic, now=now)
    services.withdraw_consent(
        made.case, consent_id=made.case.consents.get().pk, why="Nej.", actor=made.clinic, now=now
    )
    with pytest.raises(WrongState):
        services.send_offer(
            made.case, line=made.line, actor=made.navigator, now=now, wishes=WAIT_IS_KNOWN
        )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"share_consent": "maybe"}, "share_consent"),
        ({"share_consent": "yes", "share_consent_how": "oral"}, "share_consent_on"),
        ({"share_consent_how": "pigeon"}, "share_consent_how"),
    ],
)
def test_a_word_of_consent_says_how_and_when(said, field):
    made = make_case()
    with pytest.raises(InvalidInput) as caught:
        services.submit(
            replace(submission(), **said),
            sending_unit=made.unit,
            actor=made.clinic,
            now=timezone.now(),
        )
    assert field in caught.value.fields
