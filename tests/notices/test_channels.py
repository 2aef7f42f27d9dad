"""By which way the patient is reached, what is reminded of, and what stops everything."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from notices.letters import deliver_letters
from notices.models import LetterBatch, Notice
from notices.sending import send_inbox_notices
from organisations.errors import WrongState
from organisations.sweeps import run_due
from referral import services
from referral.models import AnswerChannel, CaseState
from tests.factories import WAIT_IS_KNOWN, MadeCase, RegionFactory, make_case, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
REMINDED = stockholm(2026, 3, 17, 9)
DUE = stockholm(2026, 3, 24)
Kind, State, Why = Notice.Kind, Notice.State, Notice.Why


def offered(**overrides) -> MadeCase:
    return make_case(CaseState.OFFERED, now=NOW, **overrides)


def of(kind: str) -> Notice:
    return Notice.objects.get(kind=kind)


def states() -> dict[str, str]:
    return dict(Notice.objects.values_list("kind", "state"))


def folders(drop: Path) -> list[Path]:
    return sorted(drop.glob("brev-*"))


def reach(gateway, made: MadeCase, *, inbox: bool, mailbox: bool = False) -> None:
    gateway.book.set_active(made.patient.identity_number, inbox)
    gateway.book.set_mailbox(made.patient.identity_number, mailbox)


def phone(made: MadeCase, *, now, accepted: bool = False) -> None:
    services.answer_offer(
        made.offer,
        accepted=accepted,
        channel=AnswerChannel.PHONE,
        actor=made.navigator,
        now=now,
        reason="" if accepted else "travel",
    )


# The choice


@pytest.mark.parametrize("mailbox", [True, False])
def test_1177_comes_first(gateway, drop, mailbox):
    reach(gateway, offered(), inbox=True, mailbox=mailbox)
    run_due(now=NOW)
    sent = of(Kind.OFFER)
    assert (sent.channel, sent.state, sent.why_channel) == ("1177", State.SENT, Why.INBOX)
    assert [m["content"]["channel"] for m in gateway.messages] == ["1177"]
    assert of(Kind.OFFER_LETTER).due_at == DUE


def test_digital_post_comes_next_and_the_letter_still_on_day_14(gateway, drop):
    reach(gateway, offered(), inbox=False, mailbox=True)
    run_due(now=NOW)
    sent = of(Kind.OFFER)
    assert (sent.channel, sent.state, sent.why_channel) == ("digital", State.SENT, Why.MAILBOX)
    [message] = gateway.messages
    assert message["content"]["channel"] == "digital"
    assert message["content"]["answerable"] is False
    assert (sent.receipt, folders(drop)) == (message["message_id"], [])
    run_due(now=DUE)
    assert len(folders(drop)) == 1


def test_a_letter_goes_at_once_when_there_is_neither(gateway, drop):
    reach(gateway, offered(), inbox=False)
    run_due(now=NOW)
    letter = of(Kind.OFFER_LETTER)
    assert (letter.state, letter.sent_at, letter.why_channel) == (State.SENT, NOW, Why.NEITHER)
    assert (gateway.messages, len(folders(drop))) == ([], 1)
    assert (of(Kind.OFFER).state, of(Kind.OFFER).sent_at) == (State.CANCELLED, None)


def test_a_letter_at_once_is_not_handed_over_on_a_sunday(gateway, drop):
    made = make_case(CaseState.OFFERED, now=stockholm(2026, 3, 15, 9))
    reach(gateway, made, inbox=False)
    run_due(now=stockholm(2026, 3, 15, 9))
    assert (folders(drop), of(Kind.OFFER_LETTER).due_at) == ([], stockholm(2026, 3, 16))


@pytest.mark.parametrize("protection", ["sekretessmarkering", "skyddadFolkbokforing"])
def test_a_protected_identity_is_asked_about_nowhere_and_gets_a_letter(
    gateway, drop, protection, monkeypatch
):
    asked: list[str] = []
    monkeypatch.setattr("notices.channels.are_active", asked.extend)
    made = offered(protection=protection)
    reach(gateway, made, inbox=True, mailbox=True)
    run_due(now=NOW)
    assert (asked, gateway.messages, len(folders(drop))) == ([], [], 1)
    assert of(Kind.OFFER_LETTER).why_channel == Why.PROTECTED
    assert "skatteverket" in (folders(drop)[0] / "index.csv").read_text()


@pytest.mark.parametrize("mailbox", [True, False])
def test_a_booked_time_goes_the_same_way_and_as_a_letter_without_answer_slip(
    gateway, drop, mailbox
):
    made = make_case(CaseState.BOOKED, now=NOW)
    reach(gateway, made, inbox=False, mailbox=mailbox)
    run_due(now=NOW)
    told = of(Kind.BOOKED_TIME)
    assert (told.channel, told.state) == ("digital" if mailbox else "letter", State.SENT)
    assert len(folders(drop)) == (0 if mailbox else 1)
    for file in drop.glob("*/*.pdf"):
        text = "".join(page.extract_text() for page in PdfReader(file).pages)
        assert made.case.number in text
        assert "Svarstalong" not in text


def test_the_patient_is_asked_about_anew_at_each_sending(gateway):
    made = offered()
    run_due(now=NOW)
    reach(gateway, made, inbox=False, mailbox=True)
    run_due(now=REMINDED)
    assert [m["content"]["channel"] for m in gateway.messages] == ["1177", "digital"]


def test_a_gateway_that_does_not_answer_is_no_no(gateway, drop):
    offered()
    gateway.faults.fail_lookups = 3
    now = NOW
    pauses = []
    for _ in range(3):
        run_due(now=now)
        waiting = of(Kind.OFFER)
        assert (waiting.state, waiting.channel, waiting.why_channel) == (State.WAITING, "1177", "")
        pauses.append(waiting.due_at - now)
        now = waiting.due_at
    assert pauses == sorted(set(pauses))
    assert folders(drop) == []
    run_due(now=now)
    assert of(Kind.OFFER).state == State.SENT


def test_an_answer_that_cannot_be_read_is_no_no(gateway, drop, monkeypatch):
    offered()
    monkeypatch.setattr(gateway.book, "is_active", lambda number: "nej")
    run_due(now=NOW)
    assert (of(Kind.OFFER).state, folders(drop)) == (State.WAITING, [])


def test_when_day_14_has_come_the_letter_goes_whether_or_not_the_gateway_answers(drop):
    offered()  # and no gateway
    for days in (0, 7, 13):
        run_due(now=NOW + days * DAY)
        assert of(Kind.OFFER).state == State.WAITING
    assert folders(drop) == []
    run_due(now=DUE)
    assert len(folders(drop)) == 1
    run_due(now=DUE + DAY)
    assert states() == {
        Kind.OFFER: State.CANCELLED,
        Kind.OFFER_REMINDER: State.CANCELLED,
        Kind.OFFER_LETTER: State.SENT,
    }


def test_an_inbox_closed_between_question_and_message_gives_a_letter(gateway, drop, monkeypatch):
    made = offered()
    reach(gateway, made, inbox=False)
    monkeypatch.setattr("notices.channels.are_active", lambda numbers: dict.fromkeys(numbers, True))
    run_due(now=NOW)
    assert (gateway.messages, len(folders(drop))) == ([], 1)


# The reminder


def test_an_unanswered_offer_is_reminded_of_on_day_7_with_the_last_day_to_answer(gateway):
    made = offered()
    run_due(now=NOW)
    gateway.book.mark_read(gateway.messages[0]["message_id"])  # read but not answered
    run_due(now=REMINDED - timedelta(seconds=1))
    assert len(gateway.messages) == 1
    run_due(now=REMINDED)
    reminder = gateway.messages[1]["content"]
    assert "9 april 2026" in reminder["body"]
    assert made.case.number in reminder["body"]
    assert made.case.procedure_name not in reminder["body"]
    assert reminder["answerable"] is True


def test_a_region_may_remind_on_another_day_or_not_at_all(gateway):
    offered(region=RegionFactory(code="20", reminder_after_days=3))
    offered(region=RegionFactory(code="13", reminder_after_days=None))
    run_due(now=NOW)
    [reminder] = Notice.objects.filter(kind=Kind.OFFER_REMINDER)
    assert reminder.due_at == NOW + 3 * DAY


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answer_by_phone_cancels_reminder_and_letter(gateway, drop, accepted):
    made = offered()
    run_due(now=NOW)
    phone(made, now=NOW + DAY, accepted=accepted)
    run_due(now=DUE)
    assert len(gateway.messages) == 1
    assert folders(drop) == []
    assert states()[Kind.OFFER_REMINDER] == states()[Kind.OFFER_LETTER] == State.CANCELLED


def test_an_answer_whose_event_has_not_arrived_stops_the_reminder_too(gateway):
    made = offered()
    run_due(now=NOW)
    services.withdraw_offer(made.offer, why="Fel", actor=made.navigator, now=NOW)
    send_inbox_notices(now=REMINDED)
    assert (len(gateway.messages), of(Kind.OFFER_REMINDER).state) == (1, State.CANCELLED)


def test_no_reminder_after_the_letter(gateway, drop):
    made = offered()
    reach(gateway, made, inbox=False)
    run_due(now=NOW)
    reach(gateway, made, inbox=True)
    run_due(now=REMINDED)
    assert (gateway.messages, of(Kind.OFFER_REMINDER).state) == ([], State.CANCELLED)


def test_a_reminder_that_comes_late_gives_way_to_the_letter(gateway, drop):
    offered()
    run_due(now=NOW)
    run_due(now=DUE)  # nothing ran for two weeks
    assert (len(gateway.messages), len(folders(drop))) == (1, 1)
    assert of(Kind.OFFER_REMINDER).state == State.CANCELLED


def test_an_answer_by_phone_cancels_digital_post_that_has_not_gone(gateway):
    made = offered()
    reach(gateway, made, inbox=False, mailbox=True)
    gateway.faults.fail_next = 1
    run_due(now=NOW)
    assert (of(Kind.OFFER).channel, of(Kind.OFFER).state) == ("digital", State.WAITING)
    phone(made, now=NOW + timedelta(seconds=30))
    run_due(now=NOW + DAY)
    assert (gateway.messages, of(Kind.OFFER).state) == ([], State.CANCELLED)


# Letters on their way to the printer


def batched(monkeypatch, made: MadeCase) -> None:
    """The letter in a batch whose folder has not been written."""
    with monkeypatch.context() as patch:
        patch.setattr("notices.letters._deliver_batches", lambda **_: None)
        run_due(now=DUE)
    assert of(Kind.OFFER_LETTER).state == State.BATCHED


def test_an_answer_by_phone_takes_a_letter_out_of_a_batch_not_delivered(gateway, drop, monkeypatch):
    made, other = offered(), offered()
    with monkeypatch.context() as patch:
        patch.setattr("notices.letters._deliver_batches", lambda **_: None)
        run_due(now=DUE)
    phone(made, now=DUE)
    run_due(now=DUE + timedelta(minutes=1))
    [folder] = folders(drop)
    assert [path.name.split("_")[0] for path in folder.glob("*.pdf")] == [other.case.number]
    gone = Notice.objects.get(case=made.case, kind=Kind.OFFER_LETTER)
    assert (gone.state, gone.batch) == (State.CANCELLED, None)


def test_a_batch_left_empty_makes_no_folder(gateway, drop, monkeypatch):
    made = offered()
    batched(monkeypatch, made)
    phone(made, now=DUE)
    run_due(now=DUE + timedelta(minutes=1))
    assert folders(drop) == []
    assert LetterBatch.objects.get().delivered_at


def test_what_the_printer_may_have_taken_counts_as_sent(gateway, drop, monkeypatch):
    made = offered()
    with monkeypatch.context() as patch:

        def killed(*args, **options):
            raise SystemExit("killed")

        patch.setattr("notices.letters.record_notices", killed)
        with pytest.raises(SystemExit):
            run_due(now=DUE)
    assert len(folders(drop)) == 1  # written, and not recorded
    phone(made, now=DUE)
    deliver_letters(now=DUE + timedelta(minutes=1))
    assert of(Kind.OFFER_LETTER).state == State.SENT


# Deceased, moved abroad


@pytest.mark.parametrize("kind", ["deceased_on", "emigrated_on"])
def test_a_departure_stops_what_waits_in_all_the_patients_cases(gateway, drop, kind):
    made = offered()
    run_due(now=NOW)
    services.depart(
        made.case,
        kind=kind,
        on=date(2026, 3, 11),
        reason="Anhörig",
        actor=made.navigator,
        now=NOW + DAY,
    )
    run_due(now=DUE)
    assert (len(gateway.messages), folders(drop)) == (1, [])
    reminder = of(Kind.OFFER_REMINDER)
    assert reminder.state == of(Kind.OFFER_LETTER).state == State.CANCELLED
    assert "2026-03-11" in reminder.last_error
    assert made.refresh().state == CaseState.OFFERED  # for its navigator to close


def test_a_departure_whose_event_has_not_arrived_stops_sending_too(gateway, drop, deliver):
    made = offered()
    deliver(NOW)
    services.depart(
        made.case, kind="deceased_on", on=date(2026, 3, 10), reason="x", actor=made.clinic, now=NOW
    )
    Notice.objects.update(state=State.WAITING, due_at=NOW)
    run_due(now=NOW)
    assert (gateway.messages, folders(drop)) == ([], [])


def test_nothing_new_is_made_for_a_patient_who_has_departed(gateway):
    made = make_case(CaseState.CONFIRMED, now=NOW)
    run_due(now=NOW)
    services.depart(
        made.case, kind="deceased_on", on=date(2026, 3, 10), reason="x", actor=made.clinic, now=NOW
    )
    services.book(made.case, booked_for=NOW + 20 * DAY, actor=made.provider, now=NOW)
    run_due(now=NOW)
    assert not Notice.objects.filter(kind=Kind.BOOKED_TIME).exists()


def test_no_offer_to_a_patient_who_has_departed(gateway):
    made = make_case(CaseState.IN_PROGRESS, now=NOW)
    services.depart(
        made.case, kind="emigrated_on", on=date(2026, 3, 1), reason="x", actor=made.clinic, now=NOW
    )
    with pytest.raises(WrongState) as refused:
        services.send_offer(
            made.case, line=made.line, actor=made.navigator, now=NOW, wishes=WAIT_IS_KNOWN
        )
    assert refused.value.code == "patient_departed"


def test_a_departure_taken_back_lets_offers_go_again(gateway):
    made = make_case(CaseState.IN_PROGRESS, now=NOW)
    services.depart(
        made.case, kind="deceased_on", on=date(2026, 3, 1), reason="x", actor=made.clinic, now=NOW
    )
    services.undo_depart(made.case, reason="Fel patient", actor=made.navigator, now=NOW)
    services.send_offer(
        made.case, line=made.line, actor=made.navigator, now=NOW, wishes=WAIT_IS_KNOWN
    )
    run_due(now=NOW)
    assert len(gateway.messages) == 1
