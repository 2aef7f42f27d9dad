"""Spärr, samtycke and nödöppning (patientdatalagen 4 kap. 4–5 §§)."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notices.models import Notice
from organisations.access import Actor, acting_as
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events
from organisations.models import AccessLog, User
from patients.models import Patient
from referral import services
from referral.machine import CaseNotFound
from referral.models import Block, Case, CaseLog, CaseState, EmergencyOpening, IntakeForm, Offer
from referral.selectors import find_by_number
from referral.selectors.administration import accesses_under, openings_of
from referral.selectors.privacy import blocked_case, blocked_cases
from tests.factories import (
    CareUnitFactory,
    MadeCase,
    RegionFactory,
    clinic_actor,
    integration_actor,
    make_case,
    navigator_actor,
    provider_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db


def block(made: MadeCase, reach: str = "units") -> MadeCase:
    services.block(
        made.case, reach=reach, asked_by_patient=True, actor=made.clinic, now=timezone.now()
    )
    made.refresh()
    return made


def emergency(made: MadeCase, actor: Actor) -> EmergencyOpening:
    return services.open_in_emergency(
        made.case.number,
        reason="Medvetslös på akuten.",
        cannot_consent=True,
        actor=actor,
        now=timezone.now(),
    )


def consent(made: MadeCase, actor: Actor, **said: object) -> None:
    now = timezone.now()
    services.open_with_consent(
        made.case.number,
        **({"how": "phone", "given_on": timezone.localdate(now)} | said),
        actor=actor,
        now=now,
    )


def sees(actor: Actor, made: MadeCase) -> bool:
    """Whether the product's filter and the database alone both show the case; they must agree."""
    by_filter = Case.objects.visible_to(actor).filter(pk=made.case.pk).exists()
    with acting_as(actor):
        by_database = Case.objects.filter(pk=made.case.pk).exists()
        for model in (CaseLog, IntakeForm, Offer):
            if not by_database:
                assert not model.objects.filter(case=made.case.pk).exists(), model
    assert by_filter == by_database
    return by_filter


@pytest.mark.parametrize(
    ("reach", "navigator", "provider"), [("units", False, False), ("providers", True, False)]
)
def test_a_block_keeps_out_those_it_names_and_never_the_own_clinic(reach, navigator, provider):
    made = make_case(CaseState.ACCEPTED)
    services.withdraw_consent(
        made.case,
        consent_id=made.case.consents.get().pk,
        why="Patienten ringde.",
        actor=made.navigator,
        now=timezone.now(),
    )
    assert sees(made.navigator, made)
    assert sees(made.provider, made)
    block(made, reach)
    assert sees(made.clinic, made)
    assert sees(made.navigator, made) == navigator
    assert sees(made.provider, made) == provider
    assert sees(integration_actor(made.unit.region), made) == navigator
    assert sees(integration_actor(made.unit.region, made.unit), made)


def test_the_patient_of_a_blocked_case_is_not_seen_through_it():
    made = block(make_case())
    patient = made.patient
    with acting_as(made.navigator):
        assert not Patient.objects.filter(pk=patient.pk).exists()


def test_a_block_holds_for_the_patients_other_cases_from_the_unit_old_and_new():
    made = make_case(CaseState.IN_PROGRESS)
    number = made.patient.identity_number
    sister = make_case(unit=made.unit, identity_number=number, kva="NGB09")
    elsewhere = make_case(
        unit=CareUnitFactory(region=made.unit.region, sends=True),
        identity_number=number,
        kva="NFB49",
    )
    block(made)
    later = make_case(unit=made.unit, identity_number=number, kva="NGB20")
    assert [bool(one.refresh().blocked) for one in (made, sister, later, elsewhere)] == [
        *(True, True, True, False)
    ]
    assert sister.case.log.filter(verb="block").exists()
    assert sees(made.navigator, elsewhere)
    services.lift_block(
        made.case, reason="Patienten ber om det.", actor=made.clinic, now=timezone.now()
    )
    assert sees(made.navigator, sister)
    assert sees(made.navigator, made)


def test_only_the_clinic_blocks_and_only_when_the_patient_asks():
    made = make_case()
    now = timezone.now()
    with pytest.raises(NotAllowed):
        services.block(
            made.case, reach="units", asked_by_patient=True, actor=made.navigator, now=now
        )
    for wrong in ({"reach": "all"}, {"asked_by_patient": False}):
        with pytest.raises(InvalidInput) as caught:
            services.block(
                made.case,
                **({"reach": "units", "asked_by_patient": True} | wrong),
                actor=made.clinic,
                now=now,
            )
        assert list(caught.value.fields) == list(wrong)
    other = clinic_actor(CareUnitFactory(region=made.unit.region, sends=True))
    with pytest.raises(CaseNotFound):
        services.block(made.case, reach="units", asked_by_patient=True, actor=other, now=now)


def test_a_block_is_not_laid_twice_nor_lifted_when_there_is_none():
    made = block(make_case())
    now = timezone.now()
    with pytest.raises(WrongState):
        services.block(made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=now)
    services.lift_block(made.case, reason="Ja.", actor=made.clinic, now=now)
    with pytest.raises(WrongState):
        services.lift_block(made.refresh(), reason="Ja.", actor=made.clinic, now=now)
    assert Block.objects.get().lift_reason == "Ja."


def test_the_mark_on_the_case_follows_the_blocks_whoever_writes():
    made = block(make_case())
    Case.objects.update(blocked="")
    assert made.refresh().blocked == "units"
    Block.objects.update(lifted_at=timezone.now(), lift_reason="x")
    assert made.refresh().blocked == ""


def test_others_know_that_blocked_information_exists_and_nothing_more():
    made = block(make_case(CaseState.IN_PROGRESS))
    with acting_as(made.navigator):
        (found,) = blocked_cases(made.navigator)
        assert blocked_case(made.navigator, made.case.number) == found
    assert vars(found) == {
        "number": made.case.number,
        "state": "in_progress",
        "last_day": made.case.last_day,
        "patient_id": made.case.patient_id,
    }
    for stranger in (navigator_actor(RegionFactory(code="14")), made.provider, made.clinic):
        assert blocked_cases(stranger) == []
        assert blocked_case(stranger, made.case.number) is None


def test_the_patients_consent_opens_for_those_it_names_until_it_ends():
    made = block(make_case(CaseState.IN_PROGRESS))
    colleague = navigator_actor(made.unit.region)
    consent(made, made.navigator)
    assert sees(made.navigator, made)
    assert sees(colleague, made)
    given = made.case.consents.get()
    assert (given.actor_name, given.role) == (made.navigator.name, "navigator")
    now = timezone.now()
    services.withdraw_consent(
        made.case, consent_id=given.pk, why="Ångrar sig.", actor=made.clinic, now=now
    )
    assert not sees(made.navigator, made)
    with pytest.raises(WrongState):
        services.withdraw_consent(
            made.case, consent_id=given.pk, why="Igen.", actor=made.clinic, now=now
        )


def test_a_consent_that_has_run_out_opens_nothing():
    made = block(make_case())
    today = timezone.localdate()
    consent(made, made.navigator, until=today)
    assert sees(made.navigator, made)
    made.case.consents.update(given_on=today - timedelta(days=3), until=today - timedelta(days=1))
    assert not sees(made.navigator, made)


def test_a_recorded_no_opens_nothing():
    made = block(make_case())
    services.record_consent(
        made.case,
        audience="navigator",
        given=False,
        how="oral",
        given_on=timezone.localdate(),
        actor=made.clinic,
        now=timezone.now(),
    )
    assert not sees(made.navigator, made)


def test_the_yes_to_an_offer_is_consent_so_that_a_block_does_not_take_the_case_from_the_provider():
    made = block(make_case(CaseState.CONFIRMED), "providers")
    assert sees(made.provider, made)
    other_unit = CareUnitFactory(provider=made.line.care_unit.provider)
    assert not Case.objects.visible_to(provider_actor(other_unit)).exists()


def test_an_emergency_opening_is_one_persons_for_one_day():
    made = block(make_case(CaseState.IN_PROGRESS))
    colleague = navigator_actor(made.unit.region)
    opening = emergency(made, made.navigator)
    assert opening.ends_at - opening.at == timedelta(hours=24)
    assert sees(made.navigator, made)
    assert not sees(colleague, made)
    long_ago = timezone.now() - timedelta(hours=30)
    EmergencyOpening.objects.update(at=long_ago, ends_at=long_ago + timedelta(hours=24))
    assert not sees(made.navigator, made)


def test_an_emergency_opening_needs_a_reason_and_the_laws_assurance():
    made = block(make_case())
    for wrong, field in (
        ({"reason": " ", "cannot_consent": True}, "reason"),
        ({"reason": "x", "cannot_consent": False}, "cannot_consent"),
    ):
        with pytest.raises(InvalidInput) as caught:
            services.open_in_emergency(
                made.case.number, **wrong, actor=made.navigator, now=timezone.now()
            )
        assert list(caught.value.fields) == [field]
    assert not EmergencyOpening.objects.exists()


def test_what_is_not_ones_own_or_not_blocked_cannot_be_opened():
    made = block(make_case())
    open_case = make_case()
    with pytest.raises(CaseNotFound):
        emergency(made, navigator_actor(RegionFactory(code="14")))
    with pytest.raises(CaseNotFound):
        emergency(made, made.provider)
    with pytest.raises(NotAllowed):
        emergency(made, region_admin_actor(made.unit.region))
    with pytest.raises(WrongState):
        emergency(open_case, open_case.navigator)


def test_an_emergency_opening_is_marked_in_both_logs_and_told_to_the_administrator():
    made = block(make_case(CaseState.IN_PROGRESS))
    admin = region_admin_actor(made.unit.region)
    User.objects.filter(pk=admin.user_id).update(email="admin@region.example")
    elsewhere = region_admin_actor(RegionFactory(code="14"))
    User.objects.filter(pk=elsewhere.user_id).update(email="annan@region.example")
    opening = emergency(made, made.navigator)
    row = AccessLog.objects.get(what="emergency_open")
    assert (row.user_id, row.case_number) == (made.navigator.user_id, made.case.number)
    assert made.case.log.get(verb="emergency_open").why == "Medvetslös på akuten."
    deliver_events(now=timezone.now())
    notice = Notice.objects.get(kind="emergency_opening")
    assert notice.email_to == "admin@region.example"
    assert made.case.number in notice.body
    for secret in (made.patient.full_name, made.patient.identity_number, "Medvetslös"):
        assert secret not in notice.subject + notice.body
    with acting_as(admin):
        assert openings_of(admin) == [opening]
        assert [access.what for access in accesses_under(opening)] == ["emergency_open"]
    with acting_as(elsewhere):
        assert openings_of(admin) == []


def test_the_administrator_follows_up_once_with_outcome_and_words():
    made = block(make_case())
    opening = emergency(made, made.navigator)
    admin = region_admin_actor(made.unit.region)
    now = timezone.now()
    with pytest.raises(InvalidInput):
        services.follow_up_opening(opening, outcome="", text="x", actor=admin, now=now)
    with pytest.raises(NotAllowed):
        services.follow_up_opening(
            opening, outcome="justified", text="x", actor=made.navigator, now=now
        )
    services.follow_up_opening(
        opening, outcome="justified", text="Akut ingrepp.", actor=admin, now=now
    )
    with pytest.raises(WrongState):
        services.follow_up_opening(opening, outcome="justified", text="x", actor=admin, now=now)


# The pages.


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


@pytest.mark.number_in_address
def test_the_pages_of_a_blocked_case_show_nothing_of_it_until_it_is_opened():
    made = block(make_case(CaseState.IN_PROGRESS, family_name="Hemligsson"))
    client = client_of(made.navigator)
    secrets = ("Hemligsson", made.patient.identity_formatted, made.case.procedure_name)
    listed = client.get("/cases/?view=all").content.decode()
    assert "Spärrad uppgift finns" in listed
    assert made.case.number in listed
    answer = client.get(f"/cases/{made.case.number}/", follow=True)
    assert answer.redirect_chain == [(f"/cases/{made.case.number}/blocked/", 302)]
    searched = client.get(f"/cases/?q={made.patient.identity_number}").content.decode()
    for page in (listed, answer.content.decode(), searched.replace("sökning", "")):
        for secret in secrets[::2]:
            assert secret not in page
    refused = client.post(f"/cases/{made.case.number}/open/emergency/", {"reason": ""})
    assert refused.status_code == 422
    opened = client.post(
        f"/cases/{made.case.number}/open/emergency/",
        {"reason": "Akut.", "cannot_consent": "on"},
        follow=True,
    )
    assert "Hemligsson" in opened.content.decode()


def test_a_case_that_is_not_blocked_or_not_ones_own_has_no_such_page():
    made = block(make_case())
    client = client_of(navigator_actor(RegionFactory(code="14")))
    assert client.get(f"/cases/{made.case.number}/").status_code == 404
    assert client.get(f"/cases/{made.case.number}/blocked/", follow=True).status_code == 404
    assert client.post(f"/cases/{made.case.number}/open/emergency/").status_code == 404


def test_a_blocked_case_costs_the_worklist_no_query_more():
    made = make_case(CaseState.IN_PROGRESS)
    with acting_as(made.navigator), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Case.objects.visible_to(made.navigator).order_by("last_day", "pk").explain()
    assert "case_is_opened" in plan
    assert find_by_number(made.navigator, made.case.number) == made.case


# Whatever has been done in whatever order, the product's filter, the database alone and the rule as
# it is told here agree on who sees the case.

STEPS = (
    *("block_units", "block_providers", "lift", "consent", "withdraw"),
    *("emergency", "end_it"),
)


@given(steps=st.lists(st.sampled_from(STEPS), max_size=7))
@hypothesis_settings(max_examples=25)
def test_nobody_sees_a_blocked_case_but_the_clinic_and_those_whom_it_was_opened_for(steps):
    with transaction.atomic():
        made = make_case(CaseState.IN_PROGRESS)
        colleague = navigator_actor(made.unit.region)
        reach, consented, mine = "", False, False
        for step in steps:
            hidden = reach == "units" and not (consented or mine)
            if step.startswith("block") and not reach:
                reach = step.removeprefix("block_")
                block(made, reach)
            elif step == "lift" and reach:
                services.lift_block(
                    made.refresh(), reason="x", actor=made.clinic, now=timezone.now()
                )
                reach = ""
            elif step == "consent" and hidden:
                consent(made, made.navigator)
                consented = True
            elif step == "withdraw" and consented:
                made.case.consents.update(withdrawn_at=timezone.now())
                consented = False
            elif step == "emergency" and hidden:
                emergency(made, made.navigator)
                mine = True
            elif step == "end_it" and mine:
                past = timezone.now() - timedelta(hours=30)
                EmergencyOpening.objects.update(at=past, ends_at=past + timedelta(hours=1))
                mine = False
        kept = reach == "units"
        assert sees(made.clinic, made)
        assert sees(made.navigator, made) == (not kept or consented or mine)
        assert sees(colleague, made) == (not kept or consented)
        assert not sees(navigator_actor(RegionFactory(code="14")), made)
        assert not sees(made.provider, made)
        transaction.set_rollback(True)
