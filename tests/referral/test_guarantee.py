"""The care guarantee's clock: start, last day, pauses and breach."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.errors import InvalidInput, WrongState
from referral import services
from referral.guarantee import GuaranteeClock, Urgency, last_day
from referral.models import CaseState, Pause, Phase
from tests.factories import (
    CareUnitFactory,
    MadeCase,
    MedicalAreaFactory,
    RegionFactory,
    advance,
    make_case,
    stockholm,
)

DAY = timedelta(days=1)
START = date(2026, 1, 1)


def clock(today: date, **changes) -> GuaranteeClock:
    values = {
        "start": START,
        "days": 90,
        "last_day": date(2026, 4, 1),
        "paused_from": None,
        "stopped_on": None,
        "today": today,
    }
    return GuaranteeClock(**(values | changes))


def test_the_last_day_is_ninety_days_after_the_decision():
    assert last_day(start=START, days=90, pauses=()) == date(2026, 4, 1)


def test_the_guarantee_is_kept_on_the_last_day():
    on_the_day = clock(date(2026, 4, 1))
    assert (on_the_day.days_left, on_the_day.is_breached) == (0, False)


def test_the_guarantee_is_breached_the_day_after_the_last_day():
    day_after = clock(date(2026, 4, 2))
    assert (day_after.days_over, day_after.urgency) == (1, Urgency.BREACHED)


@pytest.mark.parametrize(("days_left", "urgency"), [(15, Urgency.CALM), (14, Urgency.SOON)])
def test_the_limit_is_near_from_fourteen_days_before(days_left, urgency):
    assert clock(date(2026, 4, 1) - days_left * DAY).urgency == urgency


def test_a_leap_day_is_a_day_of_the_guarantee():
    assert last_day(start=date(2028, 2, 1), days=30, pauses=()) == date(2028, 3, 2)
    assert last_day(start=date(2027, 2, 1), days=30, pauses=()) == date(2027, 3, 3)


def test_a_pause_moves_the_last_day_by_the_days_it_lasts_both_ends_counted():
    pauses = [(date(2026, 2, 1), date(2026, 2, 10))]
    assert last_day(start=START, days=90, pauses=pauses) == date(2026, 4, 11)


def test_a_pause_that_begins_after_the_moved_limit_changes_nothing():
    pauses = [(date(2026, 4, 2), date(2026, 4, 30))]
    assert last_day(start=START, days=90, pauses=pauses) == date(2026, 4, 1)


def test_a_pause_may_begin_in_the_days_that_another_pause_gave():
    pauses = [(date(2026, 4, 5), date(2026, 4, 6)), (date(2026, 3, 1), date(2026, 3, 10))]
    assert last_day(start=START, days=90, pauses=pauses) == date(2026, 4, 13)


def test_days_of_a_pause_before_the_start_do_not_count():
    pauses = [(date(2025, 12, 1), date(2026, 1, 2))]
    assert last_day(start=START, days=90, pauses=pauses) == date(2026, 4, 3)


def test_an_open_pause_freezes_the_days_left():
    paused = [clock(date(2026, 3, day), paused_from=date(2026, 3, 1)) for day in (1, 15, 31)]
    assert [c.days_left for c in paused] == [31, 31, 31]
    assert {c.urgency for c in paused} == {Urgency.PAUSED}


def test_an_open_pause_does_not_hide_that_the_limit_had_passed():
    late = clock(date(2026, 5, 1), paused_from=date(2026, 4, 11))
    assert (late.urgency, late.days_over) == (Urgency.BREACHED, 10)


def test_the_clock_stands_still_after_treatment():
    treated = clock(date(2027, 1, 1), stopped_on=date(2026, 3, 31))
    assert (treated.days_left, treated.urgency) == (1, Urgency.KEPT)


def test_treatment_past_the_limit_has_missed_the_guarantee():
    assert clock(date(2027, 1, 1), stopped_on=date(2026, 4, 2)).urgency == Urgency.MISSED


def test_treatment_during_an_open_pause_keeps_the_guarantee():
    treated = clock(date(2026, 7, 1), paused_from=date(2026, 3, 1), stopped_on=date(2026, 6, 1))
    assert (treated.days_left, treated.urgency) == (31, Urgency.KEPT)


days = st.dates(date(2024, 1, 1), date(2029, 12, 31))
pause_lists = st.lists(st.tuples(days, st.integers(0, 200)), max_size=6).map(
    lambda pairs: [(first, first + length * DAY) for first, length in pairs]
)


@given(days, st.integers(1, 90), pause_lists)
def test_pauses_never_shorten_the_limit(start, length, pauses):
    assert last_day(start=start, days=length, pauses=pauses) >= start + length * DAY


@given(days, st.integers(1, 90), pause_lists)
def test_one_more_pause_never_shortens_the_limit(start, length, pauses):
    limits = [
        last_day(start=start, days=length, pauses=pauses[:count]) for count in range(len(pauses))
    ]
    assert limits == sorted(limits)


@given(days, st.integers(1, 90), pause_lists)
def test_the_order_of_pauses_does_not_matter(start, length, pauses):
    assert last_day(start=start, days=length, pauses=pauses) == last_day(
        start=start, days=length, pauses=reversed(pauses)
    )


@given(st.integers(0, 89), st.integers(0, 60))
def test_a_pause_that_ends_leaves_as_many_days_as_when_it_began(begins, length):
    first, last = START + begins * DAY, START + (begins + length) * DAY
    before = clock(first).days_left
    moved = last_day(start=START, days=90, pauses=[(first, last)])
    assert clock(last + DAY, last_day=moved).days_left == before


# In cases

NOW = stockholm(2026, 3, 10, 9)


def paused(made: MadeCase, *, day: date, until: date | None = None, now=NOW) -> None:
    services.pause(
        made.case,
        reason=Pause.Reason.PATIENT,
        first_day=day,
        until=until,
        comment="Vill vänta",
        actor=made.navigator,
        now=now,
    )


@pytest.mark.django_db
class TestInCases:
    def test_a_treatment_is_counted_from_the_decision(self):
        case = make_case(now=NOW, phase=Phase.TREATMENT).case
        assert case.guarantee_start == case.decision_date

    def test_a_first_visit_is_counted_from_the_referral(self):
        case = make_case(now=NOW, phase=Phase.FIRST_VISIT).case
        assert case.guarantee_start == case.referral_date

    def test_the_region_decides_how_many_days_it_promises(self):
        region = RegionFactory(guarantee_days=60)
        case = make_case(now=NOW, region=region).case
        assert case.last_day == case.decision_date + 60 * DAY

    def test_child_psychiatry_has_its_own_limit(self):
        area = MedicalAreaFactory(mvo="531", group="Barn- och ungdomspsykiatri")
        unit = CareUnitFactory(sends=True, medical_area=area)
        assert make_case(now=NOW, unit=unit).case.guarantee_days == 30

    def test_the_day_is_the_day_in_sweden_and_not_in_utc(self):
        after_midnight = stockholm(2026, 7, 1, 0, 30)  # 22.30 on 30 June in UTC
        made = make_case(CaseState.IN_PROGRESS, now=after_midnight)
        services.end(
            made.case, reason="other", comment="", actor=made.navigator, now=after_midnight
        )
        assert made.refresh().clock_stopped_on == date(2026, 7, 1)

    @pytest.mark.parametrize("decided", [date(2026, 1, 15), date(2026, 8, 1)])
    def test_days_are_calendar_days_over_the_change_of_summer_time(self, decided):
        now = stockholm(decided.year, decided.month, decided.day, 9)
        case = make_case(now=now, decision_date=decided).case
        assert case.last_day == decided + 90 * DAY
        assert case.clock(case.last_day).days_left == 0

    def test_an_open_pause_stands_on_the_case_until_it_is_ended(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        limit = made.case.last_day
        paused(made, day=date(2026, 3, 5))
        assert made.refresh().paused_from == date(2026, 3, 5)
        assert made.case.last_day == limit

    def test_ending_a_pause_moves_the_last_day(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        limit = made.case.last_day
        paused(made, day=date(2026, 3, 5))
        services.end_pause(made.case, last=date(2026, 3, 9), actor=made.navigator, now=NOW)
        assert (made.refresh().paused_from, made.case.last_day) == (None, limit + 5 * DAY)

    def test_a_finished_pause_may_be_told_afterwards(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        limit = made.case.last_day
        paused(made, day=date(2026, 3, 1), until=date(2026, 3, 2))
        assert (made.refresh().paused_from, made.case.last_day) == (None, limit + 2 * DAY)

    def test_a_paused_clock_cannot_be_paused_again(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        paused(made, day=date(2026, 3, 5))
        with pytest.raises(WrongState):
            paused(made, day=date(2026, 3, 6))

    def test_a_pause_that_overlaps_another_is_refused_at_its_field(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        paused(made, day=date(2026, 3, 3), until=date(2026, 3, 5))
        with pytest.raises(InvalidInput) as caught:
            paused(made, day=date(2026, 3, 5))
        assert list(caught.value.fields) == ["first_day"]
        assert made.case.pauses.count() == 1

    @pytest.mark.parametrize("day", [date(2026, 2, 27), date(2026, 3, 11)])
    def test_a_pause_begins_between_the_clocks_start_and_today(self, day):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)  # decided on 28 February
        with pytest.raises(InvalidInput) as caught:
            paused(made, day=day)
        assert list(caught.value.fields) == ["first_day"]

    @pytest.mark.parametrize("last", [date(2026, 3, 4), date(2026, 3, 11)])
    def test_a_pause_ends_between_its_first_day_and_today(self, last):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        paused(made, day=date(2026, 3, 5))
        with pytest.raises(InvalidInput) as caught:
            services.end_pause(made.case, last=last, actor=made.navigator, now=NOW)
        assert list(caught.value.fields) == ["last_day"]
        assert made.refresh().paused_from == date(2026, 3, 5)

    def test_treatment_during_a_pause_is_no_breach(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        paused(made, day=date(2026, 3, 5))
        later = NOW + 200 * DAY
        advance(made, CaseState.TREATED, now=later)
        assert made.case.clock(later.date()).urgency == Urgency.KEPT

    def test_treatment_stops_the_clock_on_the_day_of_treatment(self):
        made = make_case(CaseState.TREATED, now=NOW)
        assert made.case.clock_stopped_on == NOW.date()

    def test_a_mended_form_keeps_receipt_and_pauses(self):
        made = make_case(CaseState.IN_PROGRESS, now=NOW)
        paused(made, day=date(2026, 3, 1), until=date(2026, 3, 4))
        before = made.refresh()
        services.return_to_clinic(before, missing="BMI", actor=made.navigator, now=NOW)
        later = NOW + 3 * DAY
        services.resubmit(made.case, made.submission, actor=made.clinic, now=later)
        after = made.refresh()
        assert (after.received_at, after.last_day, after.number) == (
            before.received_at,
            before.last_day,
            before.number,
        )
