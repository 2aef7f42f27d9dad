"""What the receiving provider says and does about an accepted patient."""

from datetime import date, timedelta

import pytest

from contracts.models import CallOff
from organisations.errors import InvalidInput
from referral import services
from referral.models import CaseState, CloseReason, RejectionReason
from tests.factories import MadeCase, advance, make_case, navigator_actor, stockholm

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)


def at(state: CaseState) -> MadeCase:
    return make_case(state, now=NOW)


def reject(made: MadeCase, *, reason: str = "no_capacity", comment: str = "Fullt till hösten"):
    return services.reject(
        made.case, reason=reason, comment=comment, actor=made.provider, now=NOW + DAY
    )


def treat(made: MadeCase, day: date, *, now=NOW + 5 * DAY):
    return services.treat(made.case, treated_on=day, actor=made.provider, now=now)


def test_the_confirmation_ends_the_handling_time():
    made = at(CaseState.ACCEPTED)
    services.confirm(made.case, actor=made.provider, now=NOW + 2 * DAY)
    made.refresh()
    assert made.case.confirmed_at == made.offer.referral.confirmed_at == NOW + 2 * DAY


@pytest.mark.parametrize("reason", ["", "too far away"])
def test_a_rejection_has_a_coded_reason(reason):
    made = at(CaseState.ACCEPTED)
    with pytest.raises(InvalidInput) as caught:
        reject(made, reason=reason)
    assert list(caught.value.fields) == ["reason"]


def test_a_rejection_has_a_comment():
    made = at(CaseState.ACCEPTED)
    with pytest.raises(InvalidInput) as caught:
        reject(made, comment="   ")
    assert list(caught.value.fields) == ["comment"]
    assert made.refresh().state == CaseState.ACCEPTED


@pytest.mark.parametrize("state", [CaseState.ACCEPTED, CaseState.CONFIRMED, CaseState.BOOKED])
def test_a_rejected_patient_goes_back_to_matching_and_the_place_is_free(state):
    made = at(state)
    reject(made)
    case = made.refresh()
    made.line.refresh_from_db()
    assert (case.state, case.receiving_unit, case.confirmed_at) == (
        CaseState.IN_PROGRESS,
        None,
        None,
    )
    assert made.line.taken_volume == 0


def test_reason_and_comment_of_a_rejection_stand_on_the_timeline():
    made = at(CaseState.ACCEPTED)
    reject(made)
    row = made.case.log.latest("pk")
    assert (row.reason_label, row.why) == (RejectionReason.NO_CAPACITY.label, "Fullt till hösten")


def test_a_rejected_case_may_be_offered_to_another():
    made = at(CaseState.ACCEPTED)
    reject(made)
    advance(made, CaseState.OFFERED, now=NOW + 2 * DAY)
    assert made.offer.serial == 2


def test_a_booked_time_lies_ahead():
    made = at(CaseState.CONFIRMED)
    with pytest.raises(InvalidInput) as caught:
        services.book(made.case, booked_for=NOW, actor=made.provider, now=NOW)
    assert list(caught.value.fields) == ["booked_for"]


def test_a_booked_time_may_be_moved():
    made = at(CaseState.BOOKED)
    services.book(made.case, booked_for=NOW + 40 * DAY, actor=made.provider, now=NOW + DAY)
    made.refresh()
    assert (made.case.state, made.offer.referral.booked_for) == (
        CaseState.BOOKED,
        NOW + 40 * DAY,
    )


def test_treatment_uses_the_place_and_stops_the_clock():
    made = at(CaseState.BOOKED)
    treat(made, date(2026, 3, 12))
    call_off = CallOff.objects.get()
    assert (call_off.state, call_off.used_at) == (CallOff.State.USED, NOW + 5 * DAY)
    assert made.refresh().clock_stopped_on == date(2026, 3, 12)


@pytest.mark.parametrize("day", [date(2026, 3, 10), date(2026, 3, 15)])
def test_the_day_of_treatment_is_from_the_yes_to_today(day):
    made = at(CaseState.CONFIRMED)
    treat(made, day)
    assert made.refresh().state == CaseState.TREATED


@pytest.mark.parametrize("day", [date(2026, 3, 9), date(2026, 3, 16)])
def test_another_day_of_treatment_is_refused_and_uses_no_place(day):
    made = at(CaseState.CONFIRMED)
    with pytest.raises(InvalidInput) as caught:
        treat(made, day)
    assert list(caught.value.fields) == ["treated_on"]
    assert made.refresh().state == CaseState.CONFIRMED
    assert CallOff.objects.get().state == CallOff.State.RESERVED


def test_treatment_at_midnight_is_on_the_day_in_sweden():
    made = at(CaseState.CONFIRMED)
    after_midnight = stockholm(2026, 7, 1, 0, 15)
    treat(made, date(2026, 7, 1), now=after_midnight)
    assert made.refresh().clock_stopped_on == date(2026, 7, 1)


def test_the_back_referral_closes_the_case():
    made = at(CaseState.TREATED)
    services.close(made.case, back_referral=" Åter ", actor=made.provider, now=NOW + 9 * DAY)
    case = made.refresh()
    assert (case.state, case.close_reason, case.closed_at) == (
        CaseState.CLOSED,
        CloseReason.TREATED,
        NOW + 9 * DAY,
    )
    assert made.offer.referral.back_referral == "Åter"


def test_a_case_is_not_closed_without_a_back_referral():
    made = at(CaseState.TREATED)
    with pytest.raises(InvalidInput):
        services.close(made.case, back_referral="", actor=made.provider, now=NOW)
    assert made.refresh().state == CaseState.TREATED


def test_a_navigator_may_close_for_the_provider():
    made = at(CaseState.TREATED)
    navigator = navigator_actor(made.case.region)
    services.close(made.case, back_referral="Per telefon", actor=navigator, now=NOW)
    assert made.refresh().state == CaseState.CLOSED


def test_a_closed_case_makes_room_for_a_new_one_for_the_same_procedure():
    made = at(CaseState.CLOSED)
    again = services.submit(made.submission, sending_unit=made.unit, actor=made.clinic, now=NOW)
    assert again.number != made.case.number
