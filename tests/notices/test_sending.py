"""1177 notices and e-mails are sent once, whatever breaks in between (design 5.3)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from notices import sending
from notices.models import Notice
from notices.sending import MAX_ATTEMPTS, send_emails, send_inbox_notices
from notices.services import send_again
from organisations.sweeps import run_due
from referral import services
from referral.models import CaseLog, CaseState, DeclineReason
from tests.concurrency import together
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    MadeCase,
    make_case,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
MINUTE = timedelta(minutes=1)


def offered(**overrides) -> MadeCase:
    return make_case(CaseState.OFFERED, now=NOW, **overrides)


def inbox_notice() -> Notice:
    return Notice.objects.get(kind=Notice.Kind.OFFER)


def letter() -> Notice:
    return Notice.objects.get(channel=Notice.Channel.LETTER)


# 1177


def test_an_offer_reaches_the_patients_inbox_in_the_clinics_name(gateway):
    made = offered()
    run_due(now=NOW)
    [message] = gateway.messages
    content = message["content"]
    assert content["recipient"] == made.patient.identity_number
    assert (content["sender_hsa_id"], content["sender_name"]) == (made.unit.hsa_id, made.unit.name)
    assert (content["body"], content["reference"]) == (made.offer.text, made.case.number)


def test_the_patient_can_answer_and_choose_among_the_reasons(gateway):
    offered()
    run_due(now=NOW)
    content = gateway.messages[0]["content"]
    assert content["answerable"] is True
    reasons = content["answer_options"]["decline_reasons"]
    assert [reason["code"] for reason in reasons] == DeclineReason.values
    assert content["callback_url"].endswith("/gateway/1177/callback/")


def test_the_notice_keeps_the_receipt_and_stands_on_the_timeline(gateway):
    made = offered()
    run_due(now=NOW)
    notice = inbox_notice()
    assert (notice.state, notice.sent_at) == (Notice.State.SENT, NOW)
    assert notice.receipt == gateway.messages[0]["message_id"]
    assert CaseLog.objects.filter(case=made.case, verb="notice_sent").count() == 1


def test_what_is_sent_is_not_sent_again(gateway):
    offered()
    for minutes in range(3):
        run_due(now=NOW + minutes * MINUTE)
    assert gateway.messages[0]["offered"] == 1


def test_an_offer_answered_before_it_was_sent_is_not_sent(gateway, deliver):
    made = offered()
    deliver(NOW)
    services.withdraw_offer(made.offer, why="Fel", actor=made.navigator, now=NOW)
    send_inbox_notices(now=NOW)
    assert (gateway.messages, inbox_notice().state) == ([], Notice.State.CANCELLED)


def test_a_booked_time_is_told_in_1177(gateway):
    made = make_case(CaseState.CONFIRMED, now=NOW)
    booked_for = stockholm(2026, 4, 1, 10, 30)
    services.book(made.case, booked_for=booked_for, actor=made.provider, now=NOW)
    run_due(now=NOW)
    content = gateway.messages[-1]["content"]
    assert "2026-04-01 klockan 10.30" in content["body"]
    assert made.line.care_unit.name in content["body"]
    assert content["answerable"] is False


def test_a_time_booked_anew_is_told_anew(gateway):
    made = make_case(CaseState.BOOKED, now=NOW)
    services.book(
        made.case, booked_for=stockholm(2026, 5, 1, 8), actor=made.provider, now=NOW + MINUTE
    )
    run_due(now=NOW + MINUTE)
    assert Notice.objects.filter(kind=Notice.Kind.BOOKED_TIME).count() == 2


# What breaks


def crash_once(monkeypatch, name: str) -> None:
    """Let the process die the first time it comes to ``name``, after the gateway was called."""
    plain, left = getattr(sending, name), [1]

    def dying(*args, **options):
        if left.pop() if left else 0:
            raise SystemExit("killed")
        return plain(*args, **options)

    monkeypatch.setattr(sending, name, dying)


def test_a_crash_after_sending_sends_the_same_message_and_no_second_one(gateway, monkeypatch):
    offered()
    crash_once(monkeypatch, "record")
    with pytest.raises(SystemExit):
        run_due(now=NOW)
    assert (len(gateway.messages), inbox_notice().state) == (1, Notice.State.WAITING)

    run_due(now=NOW)
    [message] = gateway.messages
    assert message["offered"] == 2
    assert inbox_notice().receipt == message["message_id"]
    assert CaseLog.objects.filter(verb="notice_sent").count() == 1


def test_a_receipt_lost_on_the_way_sends_no_second_message(gateway):
    offered()
    gateway.faults.lose_answer_next = 1
    run_due(now=NOW)
    assert inbox_notice().state == Notice.State.WAITING

    run_due(now=inbox_notice().due_at)
    assert (len(gateway.messages), gateway.messages[0]["offered"]) == (1, 2)
    assert inbox_notice().state == Notice.State.SENT


def test_a_gateway_that_is_down_loses_nothing(settings, request):
    offered()
    run_due(now=NOW)
    notice = inbox_notice()
    assert (notice.state, notice.attempts) == (Notice.State.WAITING, 1)
    assert notice.due_at > NOW
    assert notice.last_error

    gateway = request.getfixturevalue("gateway")  # it comes back
    run_due(now=notice.due_at)
    assert len(gateway.messages) == 1
    assert inbox_notice().state == Notice.State.SENT


def test_a_notice_is_not_tried_again_before_its_time(gateway):
    offered()
    gateway.faults.fail_next = 100
    run_due(now=NOW)
    run_due(now=inbox_notice().due_at - timedelta(seconds=1))
    assert inbox_notice().attempts == 1


def test_tries_go_on_for_more_than_a_day_and_then_a_person_has_to_look(gateway, deliver):
    made = make_case(CaseState.BOOKED, now=NOW)
    deliver(NOW)
    gateway.faults.fail_next = 10_000
    now, state = NOW, "waiting"
    while state == "waiting":
        tried = now
        send_inbox_notices(now=now)
        notice = Notice.objects.get(kind=Notice.Kind.BOOKED_TIME)
        now, state = notice.due_at, notice.state
    assert (state, notice.attempts) == ("failed", MAX_ATTEMPTS)
    assert tried - NOW > timedelta(days=1)
    assert CaseLog.objects.filter(case=made.case, verb="notice_failed").count() == 1


def test_what_the_gateway_refuses_for_good_goes_as_a_letter_at_once(gateway, drop, monkeypatch):
    def refusing(message, *, key):
        raise sending.MessageRefused("refused with 400")

    monkeypatch.setattr(sending, "send_message", refusing)
    offered()
    run_due(now=NOW)
    assert inbox_notice().state == Notice.State.FAILED
    assert (letter().state, letter().sent_at) == (Notice.State.SENT, NOW)
    assert len(list(drop.glob("brev-*"))) == 1


def test_a_wrong_signature_is_not_taken_and_tried_again(gateway, settings):
    offered()
    settings.GATEWAY_SECRET = "another secret"
    run_due(now=NOW)
    assert (gateway.messages, inbox_notice().state) == ([], Notice.State.WAITING)


def test_one_notice_that_cannot_be_sent_does_not_hold_up_the_rest(gateway, monkeypatch):
    bad, good = offered(), offered()
    plain = sending.send_message

    def send(message, *, key):
        if message.reference == bad.case.number:
            raise ValueError("nobody thought of this")
        return plain(message, key=key)

    monkeypatch.setattr(sending, "send_message", send)
    run_due(now=NOW)
    assert [m["content"]["reference"] for m in gateway.messages] == [good.case.number]
    waiting = Notice.objects.get(case=bad.case, kind=Notice.Kind.OFFER)
    assert (waiting.state, waiting.attempts) == (Notice.State.WAITING, 1)


@pytest.mark.parametrize("state", [Notice.State.SENT, Notice.State.CANCELLED])
def test_only_a_failed_notice_is_sent_again_by_a_person(gateway, state):
    offered()
    run_due(now=NOW)
    Notice.objects.filter(pk=inbox_notice().pk).update(state=state)
    assert send_again(inbox_notice(), now=NOW).state == state


def test_a_failed_notice_is_sent_again_under_the_same_key(gateway):
    offered()
    gateway.faults.fail_next = 1
    run_due(now=NOW)
    key = inbox_notice().idempotency_key
    Notice.objects.filter(pk=inbox_notice().pk).update(state=Notice.State.FAILED)
    send_again(inbox_notice(), now=NOW + MINUTE)
    run_due(now=NOW + MINUTE)
    assert inbox_notice().state == Notice.State.SENT
    assert gateway.messages[0]["idempotency_key"] == key


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_send_each_notice_once(gateway, deliver):
    mades = [offered() for _ in range(8)]
    deliver(NOW)
    results = together([lambda: send_inbox_notices(now=NOW)] * 4)
    assert sum(results) == 8
    assert sorted(m["content"]["reference"] for m in gateway.messages) == sorted(
        made.case.number for made in mades
    )
    assert {m["offered"] for m in gateway.messages} == {1}
    assert CaseLog.objects.filter(verb="notice_sent").count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_run_of_everything_by_several_workers_sends_each_notice_once(gateway):
    offered()
    make_case(CaseState.ACCEPTED, now=NOW)
    results = together([lambda: run_due(now=NOW)] * 3)
    assert not any(isinstance(result, Exception) for result in results)
    assert [m["offered"] for m in gateway.messages] == [1]
    assert len(mail.outbox) == 1


# E-mail


def provider_email() -> MadeCase:
    return make_case(CaseState.ACCEPTED, now=NOW)


def returned_email() -> MadeCase:
    return make_case(CaseState.RETURNED, now=NOW)


def rejected_email() -> MadeCase:
    made = make_case(CaseState.ACCEPTED, now=NOW)
    services.reject(made.case, reason="no_capacity", comment="Fullt", actor=made.provider, now=NOW)
    return made


@pytest.mark.parametrize("written", [provider_email, returned_email, rejected_email])
def test_an_email_names_the_case_number_and_nothing_about_the_patient(gateway, written):
    made = written()
    run_due(now=NOW)
    patient = made.patient
    told = [
        patient.given_name,
        patient.family_name,
        patient.identity_number,
        patient.identity_number[2:],
        patient.identity_formatted,
        made.case.procedure_name,
        made.case.kva,
        made.case.icd10,
        made.unit.name,
    ]
    assert mail.outbox
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}\n{message.message()}"
        assert made.case.number in message.subject
        assert made.case.number in message.body
        assert [word for word in told if word in text] == []


def test_the_receiving_provider_gets_an_email_on_the_patients_yes(gateway):
    made = make_case(CaseState.ACCEPTED, now=NOW)
    run_due(now=NOW)
    assert [message.to for message in mail.outbox] == [[made.line.care_unit.email]]


@pytest.mark.parametrize("written", [returned_email, rejected_email])
def test_the_clinic_gets_an_email_when_it_has_something_to_do(gateway, written):
    made = written()
    run_due(now=NOW)
    assert mail.outbox[-1].to == [made.unit.email]


def test_a_unit_without_address_gets_no_email(gateway):
    make_case(
        CaseState.ACCEPTED, now=NOW, line=ContractLineFactory(care_unit=CareUnitFactory(email=""))
    )
    run_due(now=NOW)
    assert mail.outbox == []


def test_an_email_bears_the_same_id_each_time_it_is_tried(gateway, monkeypatch):
    made = make_case(CaseState.ACCEPTED, now=NOW)
    tried: list[str] = []

    def down(message: EmailMessage, fail_silently: bool = False) -> int:
        tried.append(message.extra_headers["Message-ID"])
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", down)
        run_due(now=NOW)
    notice = Notice.objects.get(channel=Notice.Channel.EMAIL)
    assert (notice.state, notice.attempts) == (Notice.State.WAITING, 1)

    run_due(now=notice.due_at)
    assert [m.extra_headers["Message-ID"] for m in mail.outbox] == tried
    assert made.case.number in tried[0]


def test_emails_and_notices_do_not_wait_for_each_other(deliver):
    make_case(CaseState.ACCEPTED, now=NOW)  # and no gateway
    offered()
    deliver(NOW)
    assert send_emails(now=NOW) == 1
    assert len(mail.outbox) == 1
