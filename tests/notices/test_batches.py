"""Many notices in one batch: each by itself, all recorded together, nobody waited for in vain."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from notices import channels, sending
from notices.at_once import NotStarted, at_once
from notices.consumers import on_offer_closed
from notices.gateways import GatewayError, are_active, have_mailbox, transport
from notices.models import Notice
from notices.queue import claim_most_urgent
from notices.sending import send_inbox_notices
from notices.services import receive_callback
from organisations.desks import DESKS, at_desks
from organisations.models import AccessLog, DomainEvent
from organisations.sweeps import run_due
from referral.models import Case, CaseLog, CaseState
from tests.concurrency import together
from tests.factories import MadeCase, make_case, stockholm

NOW = stockholm(2026, 3, 10, 9)
MINUTE = timedelta(minutes=1)
State = Notice.State


@pytest.fixture
def offered(db, deliver) -> list[MadeCase]:
    mades = [make_case(CaseState.OFFERED, now=NOW) for _ in range(5)]
    deliver(NOW)
    return mades


def of(made: MadeCase, kind: str = Notice.Kind.OFFER) -> Notice:
    return Notice.objects.get(case=made.case, kind=kind)


def references(gateway) -> list[str]:
    return sorted(message["content"]["reference"] for message in gateway.messages)


def numbers(mades: list[MadeCase]) -> list[str]:
    return sorted(made.case.number for made in mades)


def answer_to(message: dict[str, Any], **answer: object) -> dict[str, Any]:
    """What the gateway calls back with when the patient answers the message."""
    return {
        "delivery_id": "1",
        "type": "message.answered",
        "message_id": message["message_id"],
        "thread": message["content"]["thread"],
        "reference": message["content"]["reference"],
        "answer": answer,
    }


# One batch


def test_a_batch_is_claimed_and_recorded_in_as_many_queries_however_many_there_are(
    gateway, offered, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        assert send_inbox_notices(now=NOW, limit=5) == 5
    assert references(gateway) == numbers(offered)


def test_each_notice_of_a_batch_is_told_once_in_case_log_and_access_log(gateway, offered):
    send_inbox_notices(now=NOW)
    for made in offered:
        assert CaseLog.objects.filter(case=made.case, verb="notice_sent").count() == 1
        told = AccessLog.objects.filter(case_number=made.case.number, what="notice_sent")
        assert told.count() == 1


def test_the_log_tells_the_state_that_the_case_has_when_it_is_written(
    gateway, offered, monkeypatch
):
    made, record = offered[0], sending.record

    def later(batch, *, now):
        Case.objects.filter(pk=made.case.pk).update(state=CaseState.IN_PROGRESS)
        record(batch, now=now)

    monkeypatch.setattr(sending, "record", later)
    send_inbox_notices(now=NOW)
    told = CaseLog.objects.get(case=made.case, verb="notice_sent")
    assert (told.from_state, told.to_state) == (CaseState.IN_PROGRESS, CaseState.IN_PROGRESS)


def test_a_message_goes_under_the_request_that_led_to_it(gateway, offered, monkeypatch):
    seen: dict[str, str] = {}
    plain = transport._call

    def call(method, path, content=None, headers=None):
        if content and "reference" in content:
            seen[content["reference"]] = transport.current_request_id()
        return plain(method, path, content, headers)

    monkeypatch.setattr(transport, "_call", call)
    for n, made in enumerate(offered):
        Notice.objects.filter(pk=of(made).pk).update(request_id=f"{n:032d}")
    send_inbox_notices(now=NOW)
    assert seen == {made.case.number: f"{n:032d}" for n, made in enumerate(offered)}


def test_what_the_gateway_is_too_slow_for_stays_due_and_uses_up_no_try(
    gateway, offered, monkeypatch
):
    monkeypatch.setattr(sending, "BATCH_SECONDS", 0.0)
    assert send_inbox_notices(now=NOW) == 0
    assert {(n.state, n.attempts, n.due_at) for n in map(of, offered)} == {(State.WAITING, 0, NOW)}

    monkeypatch.undo()
    assert send_inbox_notices(now=NOW) == 5


def test_a_gateway_that_is_away_is_asked_for_one_batch_only(offered, monkeypatch):
    monkeypatch.setattr(sending, "BATCH", 2)
    assert send_inbox_notices(now=NOW) == 2
    assert sorted(n.attempts for n in map(of, offered)) == [0, 0, 0, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_a_backlog_is_worked_through_in_batches_at_two_desks(gateway, offered, monkeypatch):
    monkeypatch.setattr(sending, "BATCH", 2)
    plain, desks = sending._send_batch, set()

    def batch(*args: Any, **options: Any) -> Any:
        desks.add(threading.current_thread().name)
        return plain(*args, **options)

    monkeypatch.setattr(sending, "_send_batch", batch)
    assert send_inbox_notices(now=NOW) == 5
    assert references(gateway) == numbers(offered)
    assert {n.attempts for n in map(of, offered)} == {1}
    assert sum(name.startswith("desk") for name in desks) == DESKS


@pytest.mark.django_db(transaction=True)
def test_what_a_desk_raises_is_told_when_the_other_has_done_its_work(offered) -> None:
    turns = iter([True, False])

    def work() -> int:
        if next(turns):
            raise ValueError("one desk")
        Notice.objects.update(subject="Den andra")
        return 1

    with pytest.raises(ValueError, match="one desk"):
        at_desks(work)
    assert {n.subject for n in map(of, offered)} == {"Den andra"}


# What is done side by side


def test_side_by_side_each_has_its_own_outcome_in_order():
    def work(n: int) -> int:
        if n % 3 == 0:
            raise ValueError(n)
        return n

    found = at_once(work, range(30), until=time.monotonic() + 30)
    assert [n if isinstance(one, ValueError) else one for n, one in enumerate(found)] == list(
        range(30)
    )
    assert sum(isinstance(one, ValueError) for one in found) == 10


def test_nothing_is_begun_when_the_time_is_up():
    begun: list[int] = []
    found = at_once(begun.append, range(3), until=time.monotonic() - 1)
    assert begun == []
    assert all(isinstance(one, NotStarted) for one in found)


def test_the_threads_do_not_touch_the_database(gateway, offered, monkeypatch):
    touched: list[bool] = []
    plain = sending.send_message

    def send(message, *, key):
        touched.append(connection.connection is not None)
        return plain(message, key=key)

    monkeypatch.setattr(sending, "send_message", send)
    send_inbox_notices(now=NOW)
    assert touched == [False] * 5
    assert "batch" not in {thread.name.split("_")[0] for thread in threading.enumerate()}


# The list that is looked up


def test_many_are_looked_up_in_one_call(gateway):
    gateway.book.set_active("191212121212", False)
    gateway.book.set_mailbox("191212121212", True)
    both = ["191212121212", "201212121212"]
    assert are_active(both) == dict(zip(both, (False, True), strict=True))
    assert have_mailbox(both) == dict(zip(both, (True, False), strict=True))


def test_one_that_the_gateway_does_not_like_holds_up_nobody_else(gateway, offered, monkeypatch):
    bad, plain = offered[0], gateway.book.is_active
    disliked = bad.patient.identity_number

    def is_active(number: str) -> object:
        return "nej" if number == disliked else plain(number)

    monkeypatch.setattr(gateway.book, "is_active", is_active)
    send_inbox_notices(now=NOW)
    assert references(gateway) == numbers(offered[1:])
    assert (of(bad).state, of(bad).attempts) == (State.WAITING, 1)


def test_a_gateway_that_takes_no_lists_is_asked_about_one_after_the_other(
    gateway, offered, monkeypatch
):
    monkeypatch.setattr("notices.simulator.app.MOST_LOOKED_UP", 1)
    assert are_active(["191212121212", "201212121212"]) == {}
    send_inbox_notices(now=NOW)
    assert references(gateway) == numbers(offered)


def test_a_list_that_is_not_answered_is_no_no(gateway):
    gateway.faults.fail_lookups = 1
    with pytest.raises(GatewayError):
        are_active(["191212121212"])


def test_the_same_patient_is_asked_about_once_in_a_batch(gateway, offered, monkeypatch):
    asked: list[str] = []
    plain = channels.are_active

    def ask(numbers):
        asked.extend(numbers)
        return plain(numbers)

    monkeypatch.setattr(channels, "are_active", ask)
    second = of(offered[0])
    second.pk, second.kind, second.offer = None, Notice.Kind.BOOKED_TIME, None
    second.idempotency_key += "/2"
    second.save()
    send_inbox_notices(now=NOW)
    assert len(asked) == len(set(asked)) == 5
    assert len(gateway.messages) == 6


# Who waits for whom


@pytest.mark.django_db(transaction=True)
def test_a_case_that_somebody_holds_is_waited_for_and_the_notice_sent_once(gateway, deliver):
    made = make_case(CaseState.OFFERED, now=NOW)
    deliver(NOW)
    held, done = threading.Event(), threading.Event()

    def hold() -> int:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=made.case.pk)
            held.set()
            done.wait(1.0)
        return 0

    def send() -> int:
        held.wait(10)
        return send_inbox_notices(now=NOW)

    assert together([hold, send]) == [0, 1]
    assert [message["offered"] for message in gateway.messages] == [1]
    assert CaseLog.objects.filter(verb="notice_sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_a_case_and_waits_for_its_notice_is_never_ended_for_the_sweep(
    gateway, deliver
):
    """A deadlock, were it left to PostgreSQL: the sweep holds the notice and wants the case."""
    made = make_case(CaseState.OFFERED, now=NOW)
    deliver(NOW)
    record, asked, held = sending.record, threading.Event(), threading.Event()

    def slow(batch, *, now):
        asked.set()
        held.wait(10)
        record(batch, now=now)

    def other() -> str:
        asked.wait(10)
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=made.case.pk)
            held.set()
            event = DomainEvent(case_number=made.case.number, payload={"offer": made.offer.serial})
            on_offer_closed(event, NOW)  # passes over what the sweep holds
        return "done"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "record", slow)
        assert together([lambda: send_inbox_notices(now=NOW), other]) == [1, "done"]
    assert of(made).state == State.SENT
    assert of(made, Notice.Kind.OFFER_LETTER).state == State.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_an_answer_while_the_batch_is_in_flight_is_taken_when_it_is_recorded(
    gateway, deliver, monkeypatch
):
    made = make_case(CaseState.OFFERED, now=NOW)
    deliver(NOW)
    record, sent = sending.record, threading.Event()

    def slow(batch, *, now):
        sent.set()
        time.sleep(0.3)
        record(batch, now=now)

    def answer() -> str:
        sent.wait(10)
        [message] = gateway.messages
        payload = answer_to(message, accepted=True)
        return receive_callback(payload, now=NOW + MINUTE).outcome

    monkeypatch.setattr(sending, "record", slow)
    assert together([lambda: send_inbox_notices(now=NOW), answer]) == [1, "accepted"]
    assert (of(made).state, made.refresh().state) == (State.ANSWERED, CaseState.ACCEPTED)
    assert CaseLog.objects.filter(verb="notice_sent").count() == 1


# What else the case's log tells


def test_an_answer_that_is_the_first_word_of_the_sending_tells_of_it_too(
    gateway, offered, monkeypatch
):
    made = offered[0]
    gateway.faults.lose_answer_next = 5
    send_inbox_notices(now=NOW)
    message = next(m for m in gateway.messages if m["content"]["reference"] == made.case.number)
    payload = answer_to(message, accepted=False, reason="travel")
    assert receive_callback(payload, now=NOW).outcome == "declined"
    run_due(now=NOW + timedelta(hours=1))
    verbs = CaseLog.objects.filter(case=made.case).values_list("verb", flat=True)
    assert list(verbs)[-2:] == ["notice_sent", "decline"]


def test_what_belongs_to_notices_is_read_after_they_are_claimed(offered):
    """Joined into the claim, PostgreSQL came to go through every case for each batch."""
    waiting = Notice.objects.filter(state="waiting").select_related("case__patient", "offer")
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        [notice] = claim_most_urgent(waiting, Notice.CHOSEN, now=NOW, limit=1)
    claims = [query["sql"] for query in seen if "FOR UPDATE" in query["sql"]]
    assert claims
    assert not any(" JOIN " in claim for claim in claims)
    with CaptureQueriesContext(connection) as seen:
        assert notice.case.patient.full_name
        assert notice.offer
    assert not seen.captured_queries
