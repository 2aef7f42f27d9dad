"""What the gateway calls back with: the patient's word, taken once."""

import json
import time
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from notices import sending
from notices.models import GatewayCallback, Notice
from notices.services import receive_callback
from notices.signature import HEADER, TOLERANCE_SECONDS, is_valid, sign
from notices.simulator import signature as the_gateways
from organisations.errors import InvalidInput, WrongState
from organisations.sweeps import run_due
from referral import services
from referral.models import CaseLog, CaseState, Certificate, Offer
from tests.concurrency import together
from tests.factories import MadeCase, advance, make_case, stockholm

from .conftest import SECRET

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
YES = {"accepted": True, "reason": None, "comment": ""}
NO = {"accepted": False, "reason": "travel", "comment": "För långt"}


def sent_offer(gateway) -> MadeCase:
    made = make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    return made


def notice_of(made: MadeCase) -> Notice:
    return Notice.objects.get(offer=made.offer, kind=Notice.Kind.OFFER)


def told(made: MadeCase, kind: str = "message.answered", **changes: Any) -> dict[str, Any]:
    notice = notice_of(made)
    payload: dict[str, Any] = {
        "delivery_id": str(uuid.uuid4()),
        "type": kind,
        "occurred_at": "2026-03-11T10:00:00+01:00",
        "message_id": notice.receipt,
        "thread": str(notice.pk),
        "reference": made.case.number,
    }
    if kind == "message.answered":
        payload["answer"] = YES
    return payload | changes


def test_a_yes_in_1177_accepts_the_offer(gateway):
    made = sent_offer(gateway)
    callback = receive_callback(told(made), now=NOW + DAY)
    assert (callback.outcome, made.refresh().state) == ("accepted", CaseState.ACCEPTED)
    assert (made.offer.answer_channel, made.offer.answered_at) == ("1177", NOW + DAY)
    assert (notice_of(made).state, callback.notice) == (Notice.State.ANSWERED, notice_of(made))


@pytest.mark.parametrize("phone", ["070-987 65 43", "", "ring mamma", None, 7, ["x"]])
def test_who_asks_in_1177_to_be_called_is_a_to_do_and_the_offer_stands(gateway, phone):
    made = sent_offer(gateway)
    wanted = {"call": {"phone": phone, "about": "Resan"}}
    callback = receive_callback(told(made, "call.requested", **wanted), now=NOW)
    assert (callback.outcome, made.refresh().state) == ("call asked for", CaseState.OFFERED)
    call = made.case.call_backs.get()
    assert (call.state, call.booked_by, call.about) == ("asked", "patient", "Resan")
    assert call.phone == (phone if phone == "070-987 65 43" else "")
    again = receive_callback(told(made, "call.requested", call="x"), now=NOW)
    assert again.outcome == "not taken: call_coming"


def test_a_no_in_1177_declines_it_with_reason_and_comment(gateway):
    made = sent_offer(gateway)
    callback = receive_callback(told(made, answer=NO), now=NOW)
    assert (callback.outcome, made.refresh().state) == ("declined", CaseState.IN_PROGRESS)
    assert (made.offer.decline_reason, made.offer.answer_comment) == ("travel", "För långt")


def test_the_patient_stands_on_the_timeline_as_who_answered(gateway):
    made = sent_offer(gateway)
    receive_callback(told(made), now=NOW)
    row = made.case.log.get(verb="accept")
    assert (row.role, row.user_id, row.channel_label) == ("patient", None, "1177")


def test_a_read_message_is_marked_once(gateway):
    made = sent_offer(gateway)
    for days in (1, 2):
        receive_callback(told(made, "message.read"), now=NOW + days * DAY)
    assert (notice_of(made).state, notice_of(made).read_at) == (Notice.State.READ, NOW + DAY)
    assert CaseLog.objects.filter(verb="notice_read").count() == 1


def test_an_answered_message_was_read(gateway):
    made = sent_offer(gateway)
    receive_callback(told(made), now=NOW + DAY)
    assert notice_of(made).read_at == NOW + DAY


def test_a_callback_delivered_twice_changes_nothing_the_second_time(gateway):
    made = sent_offer(gateway)
    payload = told(made)
    first = receive_callback(payload, now=NOW)
    logged = CaseLog.objects.count()
    again = receive_callback(payload, now=NOW + DAY)
    assert (again.pk, again.outcome) == (first.pk, "accepted")
    assert (CaseLog.objects.count(), Certificate.objects.count()) == (logged, 1)


@pytest.mark.parametrize("change", [{"answer": NO}, {"type": "message.read"}, {"thread": "1"}])
def test_a_delivery_id_used_again_for_something_else_is_refused(gateway, change):
    made = sent_offer(gateway)
    payload = told(made)
    first = receive_callback(payload, now=NOW)
    with pytest.raises(WrongState):
        receive_callback(payload | change, now=NOW)
    assert made.refresh().state == CaseState.ACCEPTED
    first.refresh_from_db()
    assert (first.outcome, GatewayCallback.objects.count()) == ("accepted", 1)


def test_a_second_answer_is_kept_and_changes_nothing(gateway):
    made = sent_offer(gateway)
    receive_callback(told(made), now=NOW)
    second = receive_callback(told(made, answer=NO), now=NOW)
    assert second.outcome == "not taken: offer_closed"
    assert made.refresh().state == CaseState.ACCEPTED


def test_an_answer_after_the_expiry_is_kept_and_changes_nothing(gateway):
    made = sent_offer(gateway)
    services.expire_offers(now=made.offer.due_at)
    callback = receive_callback(told(made), now=made.offer.due_at)
    assert callback.outcome == "not taken: offer_closed"
    assert made.refresh().state == CaseState.IN_PROGRESS


def test_an_answer_after_the_letter_counts_while_the_offer_stands(gateway):
    made = sent_offer(gateway)
    run_due(now=NOW + 20 * DAY)
    assert receive_callback(told(made), now=NOW + 29 * DAY).outcome == "accepted"


def test_an_answer_to_an_unknown_message_is_kept(gateway):
    made = sent_offer(gateway)
    stray = told(made, message_id="no-such-message", thread="1" * 18)
    assert receive_callback(stray, now=NOW).outcome == "unknown message"
    assert made.refresh().state == CaseState.OFFERED


@pytest.mark.parametrize(
    "stray", [{"message_id": "another"}, {"message_id": "another", "thread": "x"}]
)
def test_another_message_id_does_not_answer_the_notice(gateway, stray):
    made = sent_offer(gateway)
    assert receive_callback(told(made, **stray), now=NOW).outcome == "unknown message"


def test_the_thread_of_one_case_does_not_answer_for_another(gateway):
    made, other = sent_offer(gateway), sent_offer(gateway)
    Notice.objects.update(receipt="")
    crossed = told(made, message_id="m", reference=other.case.number)
    assert receive_callback(crossed, now=NOW).outcome == "unknown message"


def test_a_message_without_offer_has_nothing_to_answer(gateway):
    made = sent_offer(gateway)
    payload = told(made)
    advance(made, CaseState.BOOKED, now=NOW)
    run_due(now=NOW)
    booked = Notice.objects.get(kind=Notice.Kind.BOOKED_TIME)
    about_it = payload | {"message_id": booked.receipt, "thread": str(booked.pk)}
    assert receive_callback(about_it, now=NOW).outcome == "the message has no offer to answer"


# The patient is quick


def test_an_answer_that_comes_before_the_sweep_has_recorded_its_sending_counts(
    gateway, monkeypatch
):
    made = make_case(CaseState.OFFERED, now=NOW)

    def killed(*args, **options):
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(sending, "record", killed)
        with pytest.raises(SystemExit):
            run_due(now=NOW)
    [message] = gateway.messages
    quick = told(made, message_id=message["message_id"])
    assert receive_callback(quick, now=NOW).outcome == "accepted"
    assert notice_of(made).receipt == message["message_id"]

    run_due(now=NOW + DAY)
    assert gateway.messages[0]["offered"] == 1
    assert made.refresh().state == CaseState.ACCEPTED


def test_reading_before_the_sending_is_recorded_does_not_stop_the_sending(gateway, deliver):
    made = make_case(CaseState.OFFERED, now=NOW)
    deliver(NOW)
    receive_callback(told(made, "message.read", message_id="early"), now=NOW)
    run_due(now=NOW)
    assert notice_of(made).state == Notice.State.SENT


# What cannot be understood


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_id": ""},
        {"delivery_id": None},
        {"delivery_id": "x" * 81},
        {"message_id": 7},
        {"type": "message.forwarded"},
        {"answer": None},
        {"answer": {"accepted": "yes"}},
        {"answer": {"accepted": False}},
        {"answer": {"accepted": False, "reason": "pigeon"}},
        {"answer": []},
    ],
)
def test_what_cannot_be_understood_is_refused_and_not_kept(gateway, changes):
    made = sent_offer(gateway)
    with pytest.raises(InvalidInput):
        receive_callback(told(made, **changes), now=NOW)
    assert not GatewayCallback.objects.exists()
    assert made.refresh().state == CaseState.OFFERED


def test_what_was_refused_may_be_delivered_mended_under_the_same_id(gateway):
    made = sent_offer(gateway)
    payload = told(made)
    with pytest.raises(InvalidInput):
        receive_callback(payload | {"answer": None}, now=NOW)
    assert receive_callback(payload, now=NOW).outcome == "accepted"


# Over HTTP


def post(payload: Any, *, secret: str = SECRET, at: float | None = None, **headers: str):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = sign(body, secret=secret, at=time.time() if at is None else at)
    return Client().post(
        reverse("gateway-callback"),
        data=body,
        content_type="application/json",
        headers={HEADER: signed} | headers,
    )


def test_a_signed_callback_is_taken_and_answered_with_its_outcome(gateway, time_machine):
    made = sent_offer(gateway)
    time_machine.move_to(NOW + DAY)
    response = post(told(made))
    assert (response.status_code, response.json()) == (200, {"outcome": "accepted"})


def test_what_the_gateway_itself_signs_is_taken(gateway):
    made = sent_offer(gateway)
    body = json.dumps(told(made)).encode()
    response = Client().post(
        reverse("gateway-callback"),
        data=body,
        content_type="application/json",
        headers={HEADER: the_gateways.sign(body, SECRET)},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another secret"},
        {"at": 0.0},
        {HEADER: ""},
        {HEADER: "t=x,v1=y"},
    ],
)
def test_an_unsigned_forged_or_old_callback_is_refused_and_changes_nothing(gateway, forged):
    made = sent_offer(gateway)
    assert post(told(made), **forged).status_code == 401
    assert made.refresh().state == CaseState.OFFERED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'{"delivery_id": "x"}',
        b'{"delivery_id": "\\u0000", "type": "message.read", "message_id": "m"}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(body):
    response = post(body)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_a_body_that_is_far_too_large_is_refused():
    assert post(b"x" * (64 * 1024 + 1)).status_code == 413


def test_a_browser_gets_nothing_from_the_callback_address():
    assert Client().get(reverse("gateway-callback")).status_code == 405


# Signatures


def test_a_signature_holds_for_its_body_time_and_secret_only():
    header = sign(b"body", secret="s", at=1000)
    assert is_valid(header, b"body", secret="s", at=1000)
    assert not is_valid(header, b"bodY", secret="s", at=1000)
    assert not is_valid(header, b"body", secret="S", at=1000)
    assert not is_valid(header.replace("t=1000", "t=1001"), b"body", secret="s", at=1000)


@pytest.mark.parametrize("drift", [-TOLERANCE_SECONDS, TOLERANCE_SECONDS])
def test_a_signature_is_good_for_five_minutes_either_way(drift):
    header = sign(b"body", secret="s", at=10_000)
    assert is_valid(header, b"body", secret="s", at=10_000 + drift)
    assert not is_valid(header, b"body", secret="s", at=10_000 + drift * 1.01)


# At once


@pytest.mark.django_db(transaction=True)
def test_one_callback_delivered_many_times_at_once_is_taken_once(gateway):
    made = sent_offer(gateway)
    payload = told(made)
    results = together([partial(receive_callback, payload, now=NOW)] * 6)
    assert {result.outcome for result in results} == {"accepted"}
    assert (GatewayCallback.objects.count(), Certificate.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_yes_and_no_from_1177_and_phone_at_once_have_one_outcome(gateway):
    made = sent_offer(gateway)
    phone = partial(
        services.answer_offer,
        made.offer,
        accepted=False,
        channel="phone",
        actor=made.navigator,
        now=NOW,
        reason="other",
    )
    works = [partial(receive_callback, told(made, answer=a), now=NOW) for a in (YES, NO)]
    results = together([*works, phone])
    outcomes = [getattr(r, "outcome", "") for r in results[:2]]
    taken = [o for o in outcomes if o in {"accepted", "declined"}]
    assert len(taken) + isinstance(results[2], Offer) == 1
    assert CaseLog.objects.filter(verb__in=["accept", "decline"]).count() == 1


def test_the_provider_is_told_after_a_yes_by_any_way(gateway):
    made = sent_offer(gateway)
    receive_callback(told(made), now=NOW)
    run_due(now=NOW)
    assert Notice.objects.filter(kind=Notice.Kind.PROVIDER_NEW_CASE, state="sent").exists()
    advance(made, CaseState.CONFIRMED, now=NOW)
