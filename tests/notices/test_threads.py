"""A callback that never comes loses neither what the patient read nor what it answered."""

from datetime import timedelta

import pytest

from notices.gateways import breaker
from notices.gateways.breaker import guard
from notices.gateways.interface import GatewayError
from notices.models import CampaignRecipient, Notice
from notices.sending import send_inbox_notices
from notices.services import receive_callback
from notices.threads import ASKED_AFTER, ask_about_threads
from organisations.sweeps import run_due
from referral import services
from referral.models import AnswerChannel, CaseLog, CaseState, Certificate
from tests.factories import MadeCase, make_case, stockholm
from tests.notices.campaigns.parts import campaign_with

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
YES = {"accepted": True, "reason": None, "comment": ""}


def sent(gateway) -> tuple[MadeCase, Notice]:
    made = make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    return made, Notice.objects.get(kind="offer")


def test_what_was_read_is_learnt_by_asking_after_a_day(gateway):
    _made, notice = sent(gateway)
    gateway.book.mark_read(notice.receipt)
    assert ask_about_threads(now=NOW + DAY - timedelta(seconds=1)) == 0
    assert ask_about_threads(now=NOW + DAY) == 1
    notice.refresh_from_db()
    assert (notice.state, notice.read_at) == ("read", NOW + DAY)
    assert CaseLog.objects.filter(verb="notice_read").count() == 1


def test_an_answer_whose_callback_was_lost_counts(gateway):
    made, notice = sent(gateway)
    gateway.book.answer(notice.receipt, YES)
    run_due(now=NOW + DAY)
    assert made.refresh().state == CaseState.ACCEPTED
    assert (made.offer.answer_channel, Certificate.objects.count()) == ("1177", 1)


def test_the_callback_that_comes_after_all_changes_nothing(gateway):
    made, notice = sent(gateway)
    gateway.book.answer(notice.receipt, YES)
    run_due(now=NOW + DAY)
    logged = CaseLog.objects.count()
    late = {"delivery_id": "x", "type": "message.answered", "message_id": notice.receipt}
    callback = receive_callback(late | {"answer": YES}, now=NOW + 2 * DAY)
    assert (callback.outcome, made.refresh().state) == (
        "not taken: offer_closed",
        CaseState.ACCEPTED,
    )
    assert (CaseLog.objects.count(), Certificate.objects.count()) == (logged, 1)


def test_a_message_is_asked_about_a_few_times_with_growing_pauses(gateway):
    _made, notice = sent(gateway)
    asked = [day for day in range(40) if ask_about_threads(now=NOW + day * DAY)]
    assert asked == [after.days for after in ASKED_AFTER]
    notice.refresh_from_db()
    assert notice.state == "sent"


def test_what_was_asked_late_is_asked_once(gateway):
    sent(gateway)
    assert ask_about_threads(now=NOW + 8 * DAY) == 1
    assert ask_about_threads(now=NOW + 8 * DAY) == 0


def test_nobody_asks_about_an_offer_that_is_answered(gateway):
    made, notice = sent(gateway)
    gateway.book.mark_read(notice.receipt)
    ask_about_threads(now=NOW + DAY)
    services.answer_offer(
        made.offer,
        accepted=True,
        channel=AnswerChannel.PHONE,
        actor=made.navigator,
        now=NOW + 2 * DAY,
    )
    assert ask_about_threads(now=NOW + 3 * DAY) == 0


@pytest.mark.parametrize(
    "answer",
    [{"accepted": "ja"}, {}, {"accepted": False, "reason": "nonsense"}, {"accepted": True, "x": 1}],
)
def test_an_answer_that_cannot_be_understood_breaks_nothing(gateway, answer):
    _made, notice = sent(gateway)
    gateway.book.answer(notice.receipt, answer)
    assert ask_about_threads(now=NOW + DAY) == 1


@pytest.mark.parametrize("fault", ["garbage_next", "reset_next"])
def test_an_answer_that_cannot_be_read_is_asked_for_the_next_time(gateway, fault):
    _made, notice = sent(gateway)
    gateway.book.mark_read(notice.receipt)
    gateway.faults.change({fault: 2 if fault == "reset_next" else 1})
    assert ask_about_threads(now=NOW + DAY) == 1
    notice.refresh_from_db()
    assert notice.state == "sent"
    ask_about_threads(now=NOW + 3 * DAY)
    notice.refresh_from_db()
    assert notice.state == "read"


def test_a_message_that_1177_does_not_know_is_left_as_it_is(gateway):
    _made, notice = sent(gateway)
    Notice.objects.filter(pk=notice.pk).update(receipt="nobody-knows")
    assert ask_about_threads(now=NOW + DAY) == 1
    notice.refresh_from_db()
    assert (notice.state, notice.asked) == ("sent", 1)


def test_while_1177_is_left_alone_nothing_is_asked(gateway, settings):
    _made, notice = sent(gateway)
    settings.GATEWAY_BREAKER_FAILURES = 1
    breaker.forget()
    with pytest.raises(GatewayError), guard("1177"):
        raise GatewayError("down")
    assert ask_about_threads(now=NOW + DAY) == 0
    notice.refresh_from_db()
    assert notice.asked == 0


@pytest.mark.parametrize("read", [False, True])
def test_an_answer_to_a_campaign_whose_callback_was_lost_counts(gateway, read):
    """Also when the word that it was read did come."""
    made = make_case(CaseState.IN_PROGRESS, now=NOW)
    row = CampaignRecipient.objects.get(campaign=campaign_with(made), case=made.case)
    notice = Notice.objects.get(recipient=row)
    Notice.objects.filter(pk=notice.pk).update(
        state="waiting", channel="1177", sent_at=None, receipt="", due_at=NOW
    )
    send_inbox_notices(now=NOW)
    notice.refresh_from_db()
    if read:
        Notice.objects.filter(pk=notice.pk).update(state="read", read_at=NOW)
    gateway.book.answer(notice.receipt, {"choice": "not_needed"})
    ask_about_threads(now=NOW + DAY)
    row.refresh_from_db()
    assert (row.answer, row.answer_channel) == ("not_needed", "1177")
    assert made.refresh().state == CaseState.CLOSED
    assert ask_about_threads(now=NOW + 3 * DAY) == 0
