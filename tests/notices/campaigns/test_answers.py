"""What patients answer to a campaign, and what follows from it."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.campaigns.answers import record_answer
from notices.campaigns.sweep import run_campaigns
from notices.models import Answer, CallBack, CampaignRecipient, Notice
from notices.sending import send_inbox_notices
from notices.services import receive_callback
from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events
from referral import services as cases
from referral.models import CaseState, CloseReason, LogVerb, Offer
from tests.factories import MadeCase, advance, clinic_actor, navigator_actor, user_of
from tests.notices.campaigns.parts import NOW, clinic, started, waits

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> MadeCase:
    return waits(clinic())


def told(made: MadeCase) -> CampaignRecipient:
    started(made.navigator)
    run_campaigns(now=NOW)
    return CampaignRecipient.objects.get(case=made.case)


def by_phone(row: CampaignRecipient, answer: str, actor: Actor) -> CampaignRecipient:
    return record_answer(row, answer=answer, channel="phone", actor=actor, now=NOW)


def test_no_longer_needed_takes_the_patient_off_the_waiting_list(made):
    row = by_phone(told(made), Answer.NOT_NEEDED, made.navigator)
    case = made.refresh()
    assert (case.state, case.close_reason) == (CaseState.CLOSED, CloseReason.NO_LONGER_NEEDED)
    assert (row.answer, row.answer_channel) == ("not_needed", "phone")
    verbs = list(case.log.values_list("verb", flat=True))[-2:]
    assert verbs == [LogVerb.CAMPAIGN_ANSWER, LogVerb.LEAVE_LIST]


def test_the_clinic_is_told_by_number_alone(made):
    made.unit.email = "klinik@example.se"
    made.unit.save()
    by_phone(told(made), Answer.NOT_NEEDED, made.navigator)
    while deliver_events(now=NOW):
        pass
    mail = Notice.objects.get(kind=Notice.Kind.CLINIC_LEFT)
    assert mail.email_to == "klinik@example.se"
    assert made.case.number in mail.body
    assert made.patient.family_name not in mail.subject + mail.body


def test_an_open_offer_is_withdrawn_and_its_place_free():
    made = waits(clinic(), state=CaseState.OFFERED)
    case = cases.leave_list(made.case, channel="phone", actor=made.navigator, now=NOW)
    assert made.offer is not None
    made.offer.refresh_from_db()
    made.offer.call_off.refresh_from_db()
    assert (case.state, made.offer.state) == (CaseState.CLOSED, Offer.State.WITHDRAWN)
    assert made.offer.call_off.state == "released"
    while deliver_events(now=NOW):
        pass
    waiting = Notice.objects.filter(case=case, state="waiting", channel__in=Notice.TO_PATIENT)
    assert not waiting.exists()


@pytest.mark.parametrize("answer", [Answer.CALL, Answer.ELSEWHERE])
def test_who_wants_something_is_to_be_called(made, answer):
    by_phone(told(made), answer, made.navigator)
    call = CallBack.objects.get(case=made.case)
    assert call.state == CallBack.State.ASKED
    assert call.about.startswith("Kampanj")
    assert made.refresh().state == CaseState.IN_PROGRESS


def test_who_is_already_to_be_called_is_not_called_twice(made):
    row = told(made)
    by_phone(row, Answer.CALL, made.navigator)
    by_phone(row, Answer.ELSEWHERE, made.navigator)
    assert CallBack.objects.filter(case=made.case).count() == 1
    assert CampaignRecipient.objects.get().answer == Answer.ELSEWHERE


def test_once_a_provider_has_the_case_a_person_calls_instead_of_closing_it(made):
    row = told(made)
    advance(made, CaseState.ACCEPTED, now=NOW)
    by_phone(row, Answer.NOT_NEEDED, made.navigator)
    assert made.refresh().state == CaseState.ACCEPTED
    assert "vårdgivaren har remissen" in CallBack.objects.get(case=made.case).about


def test_an_answer_that_has_closed_the_case_stands(made):
    row = by_phone(told(made), Answer.NOT_NEEDED, made.navigator)
    with pytest.raises(WrongState):
        by_phone(row, Answer.STILL_NEEDED, made.navigator)


def test_an_answer_by_phone_stops_what_has_not_left(made):
    row = told(made)
    by_phone(row, Answer.STILL_NEEDED, made.navigator)
    assert Notice.objects.get(recipient=row).state == Notice.State.CANCELLED


def test_who_was_not_told_has_nothing_to_answer(made):
    started(made.navigator)
    row = CampaignRecipient.objects.get()
    with pytest.raises(WrongState):
        by_phone(row, Answer.STILL_NEEDED, made.navigator)


def test_answers_are_noted_by_navigators_and_never_as_from_1177(made):
    row = told(made)
    for actor in (made.clinic, clinic_actor(made.unit)):
        with pytest.raises(NotAllowed):
            by_phone(row, Answer.STILL_NEEDED, actor)
    with pytest.raises(NotAllowed):
        record_answer(row, answer="call", channel="1177", actor=made.navigator, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        record_answer(row, answer="kanske", channel="fax", actor=made.navigator, now=NOW)
    assert set(refused.value.fields) == {"answer", "channel"}


# From 1177


def sent(made: MadeCase, gateway: Any) -> dict[str, Any]:
    told(made)
    send_inbox_notices(now=NOW)
    (message,) = gateway.messages
    return dict(message)


def callback(message: dict[str, Any], answer: Any, delivery: str = "1") -> dict[str, Any]:
    return {
        "delivery_id": delivery,
        "type": "message.answered",
        "message_id": message["message_id"],
        "thread": message["content"]["thread"],
        "reference": message["content"]["reference"],
        "answer": answer,
    }


def test_the_message_in_1177_names_its_choices_and_takes_one(made, gateway):
    message = sent(made, gateway)
    codes = [one["code"] for one in message["content"]["answer_options"]["choices"]]
    assert codes == Answer.values
    assert message["content"]["answer_options"]["decline_reasons"] == []
    told_of = receive_callback(callback(message, {"choice": "not_needed"}), now=NOW)
    assert told_of.outcome == "not_needed"
    assert made.refresh().state == CaseState.CLOSED
    notice = Notice.objects.get(kind=Notice.Kind.CAMPAIGN)
    assert (notice.state, bool(notice.read_at)) == (Notice.State.ANSWERED, True)
    again = receive_callback(callback(message, {"choice": "call"}, "2"), now=NOW)
    assert again.outcome == "not taken: answer_closed_case"


@pytest.mark.parametrize(
    "answer", [None, "x", {}, {"accepted": True}, {"choice": 1}, {"choice": ["call"]}]
)
def test_what_is_no_choice_is_refused(made, gateway, answer):
    message = sent(made, gateway)
    with pytest.raises(InvalidInput):
        receive_callback(callback(message, answer), now=NOW)


def test_the_patient_answers_in_the_simulator(made, gateway):
    import httpx

    message = sent(made, gateway)
    page = f"{gateway.url}/meddelanden/{message['message_id']}"
    assert "Jag behöver inte längre vården" in httpx.get(page).text
    assert httpx.post(page, data={"choice": "finns inte"}).status_code == 422
    assert httpx.post(page, data={"answer": "yes"}).status_code == 422
    httpx.post(page, data={"choice": "not_needed"})
    (again,) = gateway.messages
    assert again["answer"] == {"choice": "not_needed"}
    (queued,) = [
        one
        for one in gateway.book.callbacks_of(message["message_id"])
        if "message.answered" in one["payload"]
    ]
    receive_callback(json.loads(queued["payload"]), now=NOW)
    assert made.refresh().state == CaseState.CLOSED


def test_a_program_notes_an_answer(made):
    told(made)
    client = APIClient()
    client.force_login(user_of(made.navigator))
    address = f"/api/v1/cases/{made.case.number}/campaign-answer/"
    wrong = client.post(address, {"answer": "x", "channel": "1177"}, format="json")
    assert wrong.status_code == 400
    done = client.post(address, {"answer": "not_needed", "channel": "letter"}, format="json")
    assert (done.status_code, done.json()["case_state"]) == (200, "closed")
    untold = waits(made.unit, navigator=navigator_actor(made.unit.region))
    address = f"/api/v1/cases/{untold.case.number}/campaign-answer/"
    body = {"answer": "call", "channel": "phone"}
    assert client.post(address, body, format="json").status_code == 409
