"""ISO weeks, distribution, follow-up and forecast: the arithmetic of delivery plans."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.plans.figures import held_against, without_small
from capacity.plans.forecast import forecast
from capacity.plans.sources import Demand
from capacity.plans.weeks import Week, distribute, weeks_in, weeks_of, working_days

YEARS = st.integers(2020, 2100)
VOLUMES = st.dictionaries(st.integers(1, 52), st.integers(0, 40))


@pytest.mark.parametrize(("year", "weeks"), [(2020, 53), (2025, 52), (2026, 53), (2032, 53)])
def test_long_years_have_53_weeks(year, weeks):
    assert weeks_in(year) == weeks


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2025, 12, 29), Week(2026, 1)),  # a Monday
        (date(2026, 12, 31), Week(2026, 53)),
        (date(2027, 1, 3), Week(2026, 53)),
        (date(2027, 1, 4), Week(2027, 1)),
    ],
)
def test_a_week_over_new_year_belongs_to_the_year_of_its_thursday(day, week):
    assert Week.of(day) == week


@given(YEARS)
def test_a_years_weeks_follow_on_each_other_and_on_the_next_year(year):
    weeks = [*weeks_of(year), Week(year + 1, 1)]
    for before, after in pairwise(weeks):
        assert after.monday - before.sunday == timedelta(days=1)


@pytest.mark.parametrize(
    ("week", "days"),
    [
        (Week(2026, 1), 3),  # New Year's Eve and New Year's Day
        (Week(2026, 14), 4),  # Good Friday
        (Week(2026, 25), 4),  # Midsummer's Eve
        (Week(2026, 40), 5),
        (Week(2026, 52), 3),  # Christmas Eve and Christmas Day; Boxing Day is a Saturday
    ],
)
def test_public_holidays_and_their_eves_are_no_working_days(week, days):
    assert working_days(week) == days


@given(
    st.integers(0, 100_000),
    st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=53),
)
def test_what_is_laid_out_always_has_the_given_sum(total, weights):
    shares = distribute(total, weights)
    assert sum(shares) == total
    assert min(shares) >= 0
    if any(weights):
        assert all(not n for n, weight in zip(shares, weights, strict=True) if weight == 0)


@given(st.integers(0, 1000), st.integers(1, 53))
def test_an_even_distribution_differs_by_one_at_most(total, weeks):
    shares = distribute(total, [1.0] * weeks)
    assert max(shares) - min(shares) <= 1


def test_nothing_to_lay_out_over_is_refused():
    for total, weights in ((1, []), (-1, [1.0]), (1, [-1.0])):
        with pytest.raises(ValueError, match="nothing to lay out"):
            distribute(total, weights)


@given(VOLUMES, VOLUMES, st.dates(date(2025, 12, 29), date(2027, 1, 20)))
def test_adherence_is_a_per_cent_and_only_weeks_that_have_ended_count(planned, delivered, today):
    figures = held_against(planned, delivered, year=2026, today=today)
    assert figures.adherence is None or 0 <= figures.adherence <= 100
    assert (figures.adherence is None) == (figures.planned_so_far == 0)
    ended = [row.week.number for row in figures.weeks if row.week.sunday < today]
    assert figures.planned_so_far == sum(planned.get(n, 0) for n in ended)
    assert figures.delivered_so_far == sum(delivered.get(n, 0) for n in ended)
    assert figures.planned == sum(planned.values())


def test_a_week_counts_from_the_monday_after():
    planned, delivered = {1: 10}, {1: 10}
    sunday = Week(2026, 1).sunday
    before = held_against(planned, delivered, year=2026, today=sunday)
    after = held_against(planned, delivered, year=2026, today=sunday + timedelta(days=1))
    assert (before.adherence, before.delivered_now) == (None, 10)
    assert (after.adherence, after.delivered_percent) == (100, 100)


def test_more_one_week_makes_up_for_less_in_what_is_delivered_but_not_in_adherence():
    figures = held_against({1: 10, 2: 10}, {1: 15, 2: 5}, year=2026, today=date(2026, 2, 1))
    assert (figures.delivered_percent, figures.adherence) == (100, 75)


@pytest.mark.parametrize(
    ("delivered", "behind"), [([9, 9, 9, 9], False), ([9, 9, 9, 8], True), ([0, 0, 0], False)]
)
def test_four_weeks_under_the_limit_are_flagged(delivered, behind):
    today = Week(2026, len(delivered)).sunday + timedelta(days=1)
    actual = dict(enumerate(delivered, start=1))
    planned = dict.fromkeys(range(1, 53), 10)
    assert held_against(planned, actual, year=2026, today=today).is_behind is behind


def test_limit_and_weeks_of_the_flag_can_be_set():
    planned, today = dict.fromkeys(range(1, 53), 10), date(2026, 1, 19)
    found = held_against(
        planned, {1: 8, 2: 8, 3: 7}, year=2026, today=today, behind_percent=80, behind_weeks=1
    )
    assert [row.is_behind for row in found.ended] == [False, False, True]
    assert [row.window_percent for row in found.ended] == [80, 80, 70]


@given(st.lists(st.integers(0, 12), min_size=53, max_size=53), st.integers(1, 53))
def test_who_sees_figures_only_sees_no_small_number_and_nothing_that_gives_one_away(counts, ended):
    today = Week(2026, ended).sunday + timedelta(days=1)
    planned, delivered = dict.fromkeys(range(1, 54), 5), dict(enumerate(counts, start=1))
    figures = without_small(held_against(planned, delivered, year=2026, today=today))
    shown = [row.delivered for row in figures.weeks]
    assert not {1, 2, 3, 4} & set(shown)
    assert all(row.delivered is None for row in figures.weeks if not row.has_ended)
    assert figures.delivered_so_far not in {1, 2, 3, 4}
    if any(n in {1, 2, 3, 4} for n in counts[:ended]):
        assert figures.has_hidden
        assert figures.adherence is None
        assert not figures.is_behind
        assert not any(row.is_behind or row.window_percent for row in figures.weeks)
        assert all(row.delivered_so_far is None for row in figures.weeks)
        assert sum(n is None for n in shown[:ended]) >= 2 or figures.delivered_so_far is None


TODAY = date(2026, 1, 1)


def needed(**changes):
    values = {"received": 104, "closed": 40, "closed_treated": 20}
    return Demand(**(values | changes))


def test_the_proposal_is_inflow_times_care_times_share():
    found = forecast(needed(), year=2027, share_percent=50, today=TODAY)
    assert found is not None
    assert (found.care_percent, found.per_week, found.by_season) == (50, 0.5, False)
    days = sum(working_days(week) for week in weeks_of(2027))
    assert found.total == round(0.5 * days / 5)


def test_too_few_closed_cases_say_nothing_of_the_share_that_ends_in_care():
    found = forecast(needed(closed=19), year=2027, share_percent=100, today=TODAY)
    assert found is not None
    assert (found.care_percent, found.per_week) == (None, 2.0)


def test_the_queue_is_worked_off_in_twelve_weeks_and_a_small_one_is_left_out():
    plain = forecast(needed(), year=2027, share_percent=100, today=TODAY)
    queued = forecast(
        needed(waiting_past=24, waiting_near=4), year=2027, share_percent=100, today=TODAY
    )
    assert plain is not None
    assert queued is not None
    assert queued.queue == 24
    assert queued.total - plain.total == 24
    assert sum(n for _week, n in queued.weeks[12:]) == pytest.approx(
        sum(n for _week, n in plain.weeks[12:]), abs=1
    )


def test_summer_and_christmas_follow_last_year_when_there_is_enough():
    by_week = dict.fromkeys(range(1, 53), 5) | dict.fromkeys(range(28, 32), 0)
    found = forecast(
        needed(received=520, treated=sum(by_week.values()), treated_by_week=by_week),
        year=2026,
        share_percent=100,
        today=TODAY,
    )
    assert found is not None
    volumes = {week.number: n for week, n in found.weeks}
    assert found.by_season
    assert volumes[30] == 0
    assert volumes[10] > 0
    assert volumes[53] > 0


def test_no_proposal_without_cases_and_none_for_a_year_that_is_over():
    assert forecast(Demand(received=9), year=2027, share_percent=100, today=TODAY) is None
    assert forecast(needed(), year=2024, share_percent=100, today=TODAY) is None


@given(
    st.builds(
        Demand,
        received=st.integers(0, 5000),
        treated=st.integers(0, 500),
        closed=st.just(100),
        closed_treated=st.integers(0, 100),
        waiting_past=st.integers(0, 500),
        waiting_near=st.integers(0, 500),
        treated_by_week=VOLUMES,
    ),
    YEARS,
    st.integers(1, 100),
    st.dates(date(2020, 1, 1), date(2100, 12, 31)),
)
def test_a_proposal_is_for_weeks_to_come_and_never_negative(demand, year, share, today):
    found = forecast(demand, year=year, share_percent=share, today=today)
    if found is not None:
        assert all(n >= 0 and not week.has_ended(today) for week, n in found.weeks)
        assert found.total == sum(n for _week, n in found.weeks)
