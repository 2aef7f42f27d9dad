"""Working days: public holidays and the eves that care keeps are none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.working_days import is_working_day, next_working_day, nth_working_day


@pytest.mark.parametrize(
    ("first", "third"),
    [
        # New Year's Day, a weekend, Epiphany on Tuesday.
        (date(2026, 1, 1), date(2026, 1, 7)),
        # Good Friday, Easter Monday.
        (date(2026, 4, 1), date(2026, 4, 7)),
        # The first of May on a Friday.
        (date(2026, 5, 1), date(2026, 5, 6)),
        # Ascension Day on the second, the national day on Monday the sixth.
        (date(2011, 6, 1), date(2011, 6, 7)),
        # The national day comes after the third.
        (date(2025, 6, 1), date(2025, 6, 4)),
        # All Saints' Day is a Saturday.
        (date(2026, 11, 1), date(2026, 11, 4)),
        # 29 December is one, New Year's Eve is none.
        (date(2026, 12, 29), date(2027, 1, 4)),
    ],
)
def test_the_third_working_day(first: date, third: date) -> None:
    assert nth_working_day(first, 3) == third


@pytest.mark.parametrize(
    "day",
    [date(2026, 6, 19), date(2026, 12, 24), date(2026, 12, 31), date(2026, 6, 6), date(2026, 5, 1)],
)
def test_eves_and_holidays_are_no_working_days(day: date) -> None:
    assert not is_working_day(day)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 10))
def test_the_nth_working_day_has_as_many_before_it(first: date, n: int) -> None:
    found = nth_working_day(first, n)
    between = [first + timedelta(days=k) for k in range((found - first).days + 1)]
    assert sum(map(is_working_day, between)) == n
    assert is_working_day(found)
    assert next_working_day(found) == nth_working_day(first, n + 1)
