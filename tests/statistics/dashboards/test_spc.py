"""Control limits and signals, by hand-worked figures and rules that always hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statistics.dashboards.spc import FEWEST, individuals, shares

TEN = [10.0, 12.0, 9.0, 11.0, 10.0, 13.0, 8.0, 11.0, 10.0, 6.0]


def test_limits_are_the_mean_and_2_66_mean_moving_ranges() -> None:
    """Mean 10; ranges 2 3 2 1 3 5 3 1 4, mean 24 / 9; reach 2.66 · 2.667 = 7.093."""
    found = individuals(TEN)
    assert found.centre == pytest.approx(10.0)
    assert found.points[0].low == pytest.approx(10 - 2.66 * 24 / 9)
    assert found.points[0].high == pytest.approx(10 + 2.66 * 24 / 9)
    assert not any(point.signals for point in found.points)


def test_a_month_outside_the_limits_is_a_signal() -> None:
    found = individuals([*TEN, 10.0, 11.0, 60.0])
    assert [point.outside for point in found.points] == [False] * 12 + [True]


def test_eight_on_one_side_are_a_signal_and_seven_are_none() -> None:
    for many in (7, 8):
        values = [0.0] * 9 + [5.0] * many
        found = individuals([*values, 0.0])
        on_high_side = [point.one_side for point in found.points[9 : 9 + many]]
        assert on_high_side == [many == 8] * many


def test_a_month_on_the_centre_line_neither_continues_nor_ends_a_row() -> None:
    values = [6.0] * 4 + [5.0] + [6.0] * 4 + [1.0] * 2
    assert [point.one_side for point in individuals(values).points] == (
        [True] * 4 + [False] + [True] * 4 + [False] * 2
    )


def test_a_month_without_value_stays_out_and_so_do_the_ranges_beside_it() -> None:
    found = individuals([*TEN, None, 1000.0])
    assert found.left_out == 1
    assert found.points[10].value is None
    assert not found.points[10].signals
    mean = (sum(TEN) + 1000) / 11
    assert found.centre == pytest.approx(mean)
    assert found.points[0].high == pytest.approx(mean + 2.66 * 24 / 9)


def test_limits_of_shares_follow_the_number_of_each_month() -> None:
    """p = 0.5: with 100 answers ±0.15, with 4 answers ±0.75 and so within 0 and 1."""
    found = shares([(50, 100)] * 8 + [(2, 4)])
    assert found.centre == pytest.approx(0.5)
    assert found.points[0].low == pytest.approx(0.35)
    assert found.points[0].high == pytest.approx(0.65)
    assert (found.points[8].low, found.points[8].high) == (0.0, 1.0)


def test_a_month_without_answers_has_no_share() -> None:
    found = shares([(50, 100)] * 8 + [(0, 0), None])
    assert [point.value for point in found.points[8:]] == [None, None]
    assert found.left_out == 2


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=FEWEST - 1))
def test_too_few_months_give_no_limits(values: list[float | None]) -> None:
    found = individuals(values)
    assert found.centre is None
    assert not any(point.signals for point in found.points)


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=FEWEST, max_size=24))
def test_limits_lie_around_the_centre_and_signals_agree_with_them(
    counts: list[int | None],
) -> None:
    found = individuals([None if count is None else float(count) for count in counts])
    for point in found.points:
        if found.centre is None or point.value is None:
            assert not point.signals
            continue
        assert point.low is not None
        assert point.high is not None
        assert 0 <= point.low <= found.centre <= point.high
        assert point.outside == (not point.low <= point.value <= point.high)
