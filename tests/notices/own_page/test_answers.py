"""What the patient does on the own page: yes, no, a call; and what the page shows."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notices.callbacks.services import ask_for_call, book_call
from notices.campaigns.models import Answer
from notices.models import CallBack, CampaignRecipient, PhoneTime
from notices.own_page.words import STANDINGS
from organisations.access import Actor, as_product
from organisations.errors import WrongState
from referral import services
from referral.machine import CaseNotFound
from referral.models import (
    AnswerChannel,
    Case,
    CaseLog,
    CaseState,
    CloseReason,
    DeclineReason,
    LogVerb,
    Offer,
)
from tests.concurrency import together
from tests.factories import MadeCase, make_case, user_of
from tests.notices.campaigns.parts import campaign_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.OFFERED, home_wait_days=200)


@pytest.fixture
def client(made: MadeCase, enter: Any) -> Client:
    return enter(made)


def offer_of(made: MadeCase) -> Offer:
    with as_product("test"):
        return Offer.objects.get(pk=made.offer.pk)


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def phone_time(made: MadeCase, *, hours: int = 30) -> PhoneTime:
    start = timezone.now() + timedelta(hours=hours)
    with as_product("test"):
        return PhoneTime.objects.create(
            navigator=user_of(made.navigator),
            region=made.unit.region,
            starts_at=start,
            ends_at=start + timedelta(minutes=15),
            opened_at=timezone.now(),
        )


def test_a_yes_is_confirmed_given_and_receipted(made, client):
    asked = client.get("/svar/case/accept/")
    assert "Vill du tacka ja?" in text_of(asked)
    assert offer_of(made).state == Offer.State.SENT
    done = client.post("/svar/case/accept/", {"serial": "1"})
    assert done["Location"] == "/svar/case/receipt/"
    offer = offer_of(made)
    assert (offer.state, offer.answer_channel) == (Offer.State.ACCEPTED, AnswerChannel.OWN_PAGE)
    receipt = text_of(client.get("/svar/case/receipt/"))
    assert "Du har tackat ja" in receipt
    assert f"{made.case.number}/1" in receipt
    with as_product("test"):
        row = CaseLog.objects.get(case=made.case, verb=LogVerb.ACCEPT)
    assert (row.role, row.channel_label) == ("patient", "egna sidan")


def test_a_no_needs_a_reason_and_keeps_what_was_typed(made, client):
    refused = client.post("/svar/case/decline/", {"serial": "1", "comment": "För långt bort"})
    assert refused.status_code == 422
    assert "För långt bort" in text_of(refused)
    assert "Välj ett svar" in text_of(refused)
    sent = {"serial": "1", "reason": DeclineReason.TRAVEL, "comment": "För långt bort"}
    assert client.post("/svar/case/decline/", sent)["Location"] == "/svar/case/receipt/"
    offer = offer_of(made)
    assert (offer.decline_reason, offer.answer_comment) == ("travel", "För långt bort")
    assert "Du har tackat nej" in text_of(client.get("/svar/case/receipt/"))


def test_an_answer_sent_twice_is_given_once(made, client):
    for _time in range(2):
        done = client.post("/svar/case/accept/", {"serial": "1"})
        assert done["Location"] == "/svar/case/receipt/"
    with as_product("test"):
        assert CaseLog.objects.filter(case=made.case, verb=LogVerb.ACCEPT).count() == 1


def test_an_answer_by_phone_meanwhile_is_told(made, client):
    services.answer_offer(
        made.offer,
        accepted=False,
        channel=AnswerChannel.PHONE,
        actor=made.navigator,
        now=timezone.now(),
        reason=DeclineReason.TRAVEL,
    )
    late = client.post("/svar/case/accept/", {"serial": "1"})
    assert late.status_code == 409
    assert "hade redan fått svaret nej" in text_of(late)
    assert offer_of(made).state == Offer.State.DECLINED


def test_an_answer_to_an_offer_that_has_run_out_is_told(made, client):
    with as_product("test"):
        Offer.objects.filter(pk=made.offer.pk).update(
            sent_at=timezone.now() - timedelta(days=30), due_at=timezone.now()
        )
    late = client.post("/svar/case/accept/", {"serial": "1"})
    assert late.status_code == 409
    assert "går inte längre att svara på" in text_of(late)
    assert client.get("/svar/case/accept/")["Location"] == "/svar/case/"


@pytest.mark.parametrize("serial", ["", "0", "2", "x", "9" * 40])
def test_an_answer_is_to_the_offer_that_was_read(made, client, serial):
    answer = client.post("/svar/case/accept/", {"serial": serial})
    assert answer.status_code in {302, 409}
    assert offer_of(made).state == Offer.State.SENT


def test_a_form_from_elsewhere_is_refused(made, enter):
    client = enter(made, Client(enforce_csrf_checks=False))
    client.handler.enforce_csrf_checks = True
    refused = client.post("/svar/case/accept/", {"serial": "1"})
    assert refused.status_code == 403
    assert "Sidan var för gammal. Inget är sparat." in text_of(refused)
    assert "notices/own_page/base.html" in [template.name for template in refused.templates]
    assert offer_of(made).state == Offer.State.SENT


# Calls


def test_a_call_is_asked_for_booked_moved_and_cancelled(made, client):
    first, second = phone_time(made), phone_time(made, hours=40)
    wish = {"time_id": "", "phone": "070-123 45 67", "about": "Resan"}
    assert client.post("/svar/case/call/", wish)["Location"] == "/svar/case/"
    assert "Vi ringer dig så snart vi kan" in text_of(client.get("/svar/case/"))
    client.post("/svar/case/call/", wish | {"time_id": first.pk})
    assert first.clock in text_of(client.get("/svar/case/"))
    client.post("/svar/case/call/", {"time_id": second.pk})
    assert second.clock in text_of(client.get("/svar/case/"))
    with as_product("test"):
        (call,) = CallBack.objects.filter(case=made.case, state=CallBack.State.BOOKED)
    assert (call.time_id, call.booked_by, call.phone) == (second.pk, "patient", "070-123 45 67")
    assert client.post("/svar/case/call/cancel/").status_code == 302
    assert client.post("/svar/case/call/cancel/").status_code == 302
    assert "Jag vill bli uppringd" in text_of(client.get("/svar/case/"))


def test_a_time_taken_meanwhile_is_told_at_the_field(made, client):
    wanted = phone_time(made)
    other = make_case(CaseState.IN_PROGRESS, unit=made.unit, line=made.line)
    page = client.get("/svar/case/call/")
    assert wanted.clock in text_of(page)
    now = timezone.now()
    book_call(
        other.case,
        time_id=wanted.pk,
        about="x",
        phone="070-123 45 67",
        actor=made.navigator,
        now=now,
    )
    sent = {"time_id": wanted.pk, "phone": "070-123 45 67", "about": "Resan"}
    refused = client.post("/svar/case/call/", sent)
    assert refused.status_code == 422
    assert "inte längre ledig" in text_of(refused)
    assert "Resan" in text_of(refused)


def test_no_page_names_the_navigators_or_the_patient(made, client):
    phone_time(made)
    for page in ("", "accept/", "decline/", "call/"):
        text = text_of(client.get(f"/svar/case/{page}"))
        for hidden in (
            made.navigator.name,
            made.patient.family_name,
            made.patient.identity_number,
            made.patient.identity_formatted,
        ):
            assert hidden not in text, (page, hidden)


# Where the case stands


def test_every_state_has_words():
    assert STANDINGS.keys() == set(CaseState)


@pytest.mark.parametrize("state", [s for s in CaseState if s != CaseState.RETURNED])
def test_the_page_says_where_the_case_stands(enter, state):
    one = make_case(state)
    page = text_of(enter(one).get("/svar/case/"))
    assert f"<h1>{STANDINGS[state].heading}</h1>" in page
    assert one.unit.region.navigator_unit_name in page
    with_provider = state in {CaseState.ACCEPTED, CaseState.CONFIRMED, CaseState.BOOKED}
    assert (one.line.care_unit.name in page) == (
        with_provider or state in {CaseState.OFFERED, CaseState.TREATED, CaseState.CLOSED}
    )


def test_the_waits_stand_beside_each_other(made, client):
    page = text_of(client.get("/svar/case/"))
    assert "ungefär 190 dagar till" in page


def test_a_booked_time_and_its_place_are_shown(enter):
    one = make_case(CaseState.BOOKED)
    page = text_of(enter(one).get("/svar/case/"))
    with as_product("test"):
        at = timezone.localtime(one.refresh().offers.get().referral.booked_for)
    assert f"{at:%H.%M}" in page


def test_another_case_of_the_same_patient_stays_closed(made, client):
    with as_product("test"):
        other = make_case(CaseState.OFFERED)
        type(other.case).objects.filter(pk=other.case.pk).update(patient=made.patient, kva="NFB49")
    assert other.case.number not in text_of(client.get("/svar/case/"))
    actor = Actor.patient("Patienten på egna sidan", case_id=made.case.pk)
    with pytest.raises(CaseNotFound):
        ask_for_call(other.case, about="x", actor=actor, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_page_and_phone_at_once_give_one_answer(enter):
    made = make_case(CaseState.OFFERED)
    client = enter(made)

    def by_phone() -> Any:
        return services.answer_offer(
            made.offer,
            accepted=False,
            channel=AnswerChannel.PHONE,
            actor=made.navigator,
            now=timezone.now(),
            reason=DeclineReason.TRAVEL,
        )

    def by_page() -> Any:
        return client.post("/svar/case/accept/", {"serial": "1"}).status_code

    phone, page = together([by_phone, by_page])
    if offer_of(made).state == Offer.State.DECLINED:
        assert (isinstance(phone, Offer), page) == (True, 409)
    else:
        assert (isinstance(phone, WrongState), page) == (True, 302)


def closed_by_the_patient(made: MadeCase) -> bool:
    with as_product("test"):
        case = Case.objects.get(pk=made.case.pk)
    return (case.state, case.close_reason) == (CaseState.CLOSED, CloseReason.NO_LONGER_NEEDED)


def test_leaving_the_waiting_list_is_confirmed_and_frees_the_offers_place(made, client):
    assert "/svar/case/leave-list/" in text_of(client.get("/svar/case/"))
    asked = text_of(client.get("/svar/case/leave-list/"))
    assert "Vill du lämna kön?" in asked
    assert "gäller inte längre" in asked
    assert not closed_by_the_patient(made)
    assert client.post("/svar/case/leave-list/")["Location"] == "/svar/case/"
    assert closed_by_the_patient(made)
    assert offer_of(made).state == Offer.State.WITHDRAWN
    assert "Du har lämnat kön" in text_of(client.get("/svar/case/"))
    assert client.post("/svar/case/leave-list/")["Location"] == "/svar/case/"
    with as_product("test"):
        said = CaseLog.objects.get(case=made.case, verb="leave_list")
    assert said.details["channel"] == AnswerChannel.OWN_PAGE


def test_once_a_provider_has_the_referral_the_patient_calls(enter):
    made = make_case(CaseState.ACCEPTED)
    client = enter(made)
    page = text_of(client.get("/svar/case/"))
    assert "/svar/case/leave-list/" not in page
    assert "så tar vi bort dig ur kön" in page
    assert client.post("/svar/case/leave-list/")["Location"] == "/svar/case/"
    with as_product("test"):
        assert Case.objects.get(pk=made.case.pk).state == CaseState.ACCEPTED


@pytest.mark.parametrize("answer", Answer.values)
def test_what_a_campaign_asks_is_answered_on_the_page(enter, answer):
    made = make_case(CaseState.IN_PROGRESS, phone="070-123 45 67")
    with as_product("test"):
        campaign_with(made)
    client = enter(made)
    assert "/svar/case/need/" in text_of(client.get("/svar/case/"))
    refused = client.post("/svar/case/need/", {"answer": "maybe"})
    assert refused.status_code == 422
    assert client.post("/svar/case/need/", {"answer": answer})["Location"] == "/svar/case/"
    with as_product("test"):
        told = CampaignRecipient.objects.get(case=made.case)
        calls = CallBack.objects.filter(case=made.case).count()
    assert (told.answer, told.answer_channel) == (answer, AnswerChannel.OWN_PAGE)
    assert closed_by_the_patient(made) == (answer == Answer.NOT_NEEDED)
    assert calls == (answer in {Answer.CALL, Answer.ELSEWHERE})
    assert "/svar/case/need/" not in text_of(client.get("/svar/case/"))
    again = client.post("/svar/case/need/", {"answer": answer})
    assert again.status_code == 302


def test_another_patients_campaign_is_no_question_here(made, client):
    with as_product("test"):
        campaign_with(make_case(CaseState.IN_PROGRESS))
    assert "/svar/case/need/" not in text_of(client.get("/svar/case/"))
    assert client.get("/svar/case/need/")["Location"] == "/svar/case/leave-list/"
