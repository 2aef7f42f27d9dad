"""What the navigator does to a case."""

from datetime import date, timedelta

import pytest

from organisations.errors import InvalidInput
from referral import services
from referral.models import CaseState, CloseReason, LogVerb
from tests.factories import MadeCase, make_case, navigator_actor, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


def at(state: CaseState = CaseState.IN_PROGRESS) -> MadeCase:
    return make_case(state, now=NOW)


def test_who_takes_a_case_handles_it():
    made = at(CaseState.IN_PROGRESS)
    assert made.case.navigator_id == made.navigator.user_id


def test_another_navigator_may_take_over_and_the_state_stays():
    made = at(CaseState.OFFERED)
    other = navigator_actor(made.case.region)
    services.assign(made.case, actor=other, now=NOW)
    assert (made.refresh().navigator_id, made.case.state) == (other.user_id, CaseState.OFFERED)


def test_a_form_goes_back_with_what_is_missing():
    made = at(CaseState.RECEIVED)
    services.return_to_clinic(made.case, missing=" BMI ", actor=made.navigator, now=NOW)
    assert made.case.log.latest("pk").why == "BMI"


@pytest.mark.parametrize("text", ["", "   ", "x" * 10_001])
def test_texts_are_neither_empty_nor_endless(text):
    made = at()
    for field, use in {
        "missing": services.return_to_clinic,
        "text": services.note,
    }.items():
        with pytest.raises(InvalidInput) as caught:
            use(made.case, actor=made.navigator, now=NOW, **{field: text})
        assert list(caught.value.fields) == [field]


def test_a_note_stays_on_the_timeline_and_changes_nothing_else():
    made = at()
    services.note(made.case, text="Ringt patienten", actor=made.navigator, now=NOW)
    row = made.case.log.latest("pk")
    assert (row.verb, row.why, made.refresh().state) == ("note", "Ringt patienten", "in_progress")


@pytest.mark.parametrize("days", [1, 30])
def test_a_watched_case_is_seen_again_within_thirty_days(days):
    made = at()
    review_on = NOW.date() + timedelta(days=days)
    services.park(made.case, waits_for="plats", review_on=review_on, actor=made.navigator, now=NOW)
    assert (made.refresh().state, made.case.review_on) == (CaseState.WATCHED, review_on)


@pytest.mark.parametrize(
    ("waits_for", "days", "field"),
    [
        ("", 7, "waits_for"),
        ("x" * 201, 7, "waits_for"),
        ("x", 0, "review_on"),
        ("x", 31, "review_on"),
    ],
)
def test_a_case_is_not_put_away_without_reason_or_out_of_sight(waits_for, days, field):
    made = at()
    with pytest.raises(InvalidInput) as caught:
        services.park(
            made.case,
            waits_for=waits_for,
            review_on=NOW.date() + timedelta(days=days),
            actor=made.navigator,
            now=NOW,
        )
    assert list(caught.value.fields) == [field]


def test_a_case_taken_up_again_is_on_the_watch_list_no_more():
    made = at(CaseState.WATCHED)
    services.unpark(made.case, actor=made.navigator, now=NOW)
    case = made.refresh()
    assert (case.state, case.watch_reason, case.review_on) == (CaseState.IN_PROGRESS, "", None)


@pytest.mark.parametrize("reason", sorted(set(CloseReason) - {CloseReason.TREATED}))
def test_a_case_that_is_not_referred_ends_with_a_coded_reason(reason):
    made = at(CaseState.WATCHED)
    services.end(made.case, reason=reason, comment="Så är det", actor=made.navigator, now=NOW)
    case = made.refresh()
    assert (case.state, case.close_reason, case.closed_at) == (CaseState.CLOSED, reason, NOW)
    assert case.clock_stopped_on == date(2026, 3, 10)
    assert case.log.latest("pk").reason_label == CloseReason(reason).label


@pytest.mark.parametrize("reason", ["", "treated", "tired of it"])
def test_a_case_does_not_end_untreated_for_another_reason(reason):
    made = at()
    with pytest.raises(InvalidInput) as caught:
        services.end(made.case, reason=reason, comment="", actor=made.navigator, now=NOW)
    assert list(caught.value.fields) == ["reason"]


def test_the_clinic_may_take_its_case_back_before_it_is_handled():
    made = at(CaseState.RECEIVED)
    services.end(made.case, reason="home_clinic", comment="", actor=made.clinic, now=NOW)
    assert made.refresh().state == CaseState.CLOSED


def test_what_became_of_a_notice_stands_on_the_timeline_and_leaves_the_state():
    made = at(CaseState.OFFERED)
    services.record_notice(
        made.case, LogVerb.NOTICE_SENT, channel="1177", subject="Erbjudande", now=NOW
    )
    row = made.case.log.latest("pk")
    assert (row.verb, row.from_state, row.to_state) == ("notice_sent", "offered", "offered")
    assert row.channel_label == "1177"
