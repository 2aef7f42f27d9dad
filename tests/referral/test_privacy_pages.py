"""The pages about secrecy: who has them, and that what does not hold is answered at the field."""

import pytest
from django.test import Client
from django.utils import timezone

from organisations.access import Actor
from referral import services
from referral.models import CaseState, EmergencyOpening, RetentionHold
from tests.factories import (
    MadeCase,
    RegionFactory,
    identity_number,
    make_case,
    manager_actor,
    navigator_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db


def client_of(actor: Actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def opened() -> tuple[MadeCase, EmergencyOpening]:
    made = make_case(CaseState.IN_PROGRESS)
    now = timezone.now()
    services.block(made.case, reach="units", asked_by_patient=True, actor=made.clinic, now=now)
    opening = services.open_in_emergency(
        made.case.number, reason="Akut.", cannot_consent=True, actor=made.navigator, now=now
    )
    return made, opening


DONE = {
    "consent": {
        "audience": "provider",
        "given": "no",
        "how": "oral",
        "given_on": "2026-01-01",
    },
    "depart": {"kind": "deceased_on", "on": "2026-01-01", "reason": "x"},
    "protect": {"protection": "skyddadFolkbokforing", "reason": "x"},
    "correct_patient": {"given_name": "Ny", "family_name": "Nysson", "reason": "x"},
    "correct_pathway": {
        "svf": "on",
        "svf_pathway": "myelom",
        "suspicion_date": "2020-01-01",
        "reason": "x",
    },
    "move_patient": {
        "identity_number": identity_number(60),
        "given_name": "Rätt",
        "family_name": "Person",
        "reason": "x",
    },
    "block": {"reach": "providers", "asked_by_patient": "on"},
}


@pytest.mark.parametrize("verb", DONE)
def test_each_form_shows_refuses_what_is_empty_and_does_what_it_says(verb):
    made = make_case(CaseState.IN_PROGRESS)
    client = client_of(made.clinic)
    address = f"/cases/{made.case.number}/privacy/{verb}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {}).status_code == 422
    answer = client.post(address, DONE[verb])
    assert answer.status_code == 302, answer.content.decode()
    assert made.case.log.filter(verb=verb).exists()


@pytest.mark.parametrize("verb", ["block", "lift_block", "export", "finns-inte", "strike_note"])
def test_what_the_role_may_not_do_is_not_done(verb):
    made = make_case(CaseState.CONFIRMED)
    client = client_of(made.provider)
    address = f"/cases/{made.case.number}/privacy/{verb}/"
    assert client.get(address).status_code in {302, 404}
    client.post(address, {"reach": "units", "asked_by_patient": "on", "reason": "x"})
    assert not made.case.log.filter(verb=verb).exists()


def test_another_regions_navigator_has_no_such_case():
    made = make_case(CaseState.IN_PROGRESS)
    client = client_of(navigator_actor(RegionFactory(code="14")))
    note = made.case.log.earliest("pk").pk
    for path in ("privacy/consent/", f"notes/{note}/strike/", "consents/1/withdraw/"):
        assert client.get(f"/cases/{made.case.number}/{path}").status_code == 404


def test_a_note_is_struck_and_a_consent_withdrawn_by_their_pages():
    made = make_case(CaseState.ACCEPTED)
    services.note(made.case, text="Fel.", actor=made.navigator, now=timezone.now())
    client = client_of(made.navigator)
    entry, consent = made.case.log.get(verb="note").pk, made.case.consents.get().pk
    address = f"/cases/{made.case.number}"
    for path, field in (
        (f"notes/{entry}/strike/", "reason"),
        (f"consents/{consent}/withdraw/", "why"),
    ):
        assert client.post(f"{address}/{path}", {field: ""}).status_code == 422
        assert client.post(f"{address}/{path}", {field: "x"}).status_code == 302
        assert client.post(f"{address}/{path}", {field: "x"}).status_code == 302
    page = client.get(f"{address}/").content.decode()
    assert "<s>Fel.</s>" in page
    assert "återkallat" in page


def test_the_administrators_page_lists_openings_without_a_word_of_the_patient():
    made, opening = opened()
    client = client_of(region_admin_actor(made.unit.region))
    page = client.get("/privacy/").content.decode()
    assert made.case.number in page
    assert "att följa upp" in page
    address = f"/privacy/openings/{opening.pk}/"
    detail = client.get(address).content.decode()
    for secret in (made.patient.family_name + ",", made.patient.identity_formatted):
        assert secret not in page + detail
    assert client.post(address, {"outcome": "justified"}).status_code == 422
    assert client.post(address, {"outcome": "justified", "text": "Akut."}).status_code == 302
    assert client.post(address, {"outcome": "justified", "text": "Igen."}).status_code == 302
    assert EmergencyOpening.objects.get().follow_up == "Akut."


@pytest.mark.parametrize("verb", ["unprotect", "hold", "export"])
def test_a_wrong_number_is_told_at_the_field(verb):
    admin = region_admin_actor(RegionFactory())
    other = make_case(region=RegionFactory(code="14"))
    client = client_of(admin)
    for number in ("", "13-26-000001-0", "\x00", other.case.number):
        answer = client.post(
            f"/privacy/{verb}/", {"number": number, "reason": "x", "file_format": "json"}
        )
        assert answer.status_code == 422
        assert f'id="{verb}_number_error"' in answer.content.decode()


def test_a_hold_is_laid_and_lifted():
    made = make_case()
    client = client_of(region_admin_actor(made.unit.region))
    assert (
        client.post("/privacy/hold/", {"number": made.case.number, "reason": "x"}).status_code
        == 302
    )
    hold = RetentionHold.objects.get()
    again = client.post("/privacy/hold/", {"number": made.case.number, "reason": "x"})
    assert again.status_code == 422
    stranger = client_of(region_admin_actor(RegionFactory(code="14")))
    assert stranger.post(f"/privacy/holds/{hold.pk}/lift/").status_code == 404
    assert client.post(f"/privacy/holds/{hold.pk}/lift/").status_code == 302
    assert RetentionHold.objects.get().lifted_at is not None


def test_other_roles_have_no_such_pages():
    made, opening = opened()
    for actor in (made.navigator, made.clinic, made.provider, manager_actor(made.unit.region)):
        client = client_of(actor)
        for address in ("/privacy/", f"/privacy/openings/{opening.pk}/"):
            assert client.get(address).status_code == 403
        for address in ("/privacy/export/", "/privacy/hold/", "/privacy/unprotect/"):
            assert client.post(address, {"number": made.case.number}).status_code == 403
    stranger = client_of(region_admin_actor(RegionFactory(code="14")))
    assert stranger.get(f"/privacy/openings/{opening.pk}/").status_code == 404
