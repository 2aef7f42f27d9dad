"""On which day a letter and a reminder are due (the rule of day 14)."""

from datetime import date, datetime, time, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from notices.due import REMINDED_AT, due_at, due_on, is_day_of_rest, letter_at_once
from tests.factories import STOCKHOLM, stockholm

DAY = timedelta(days=1)
DAYS = [date(2024, 1, 1) + n * DAY for n in range((date(2041, 1, 1) - date(2024, 1, 1)).days)]


def easter(year: int) -> date:
    """Easter Sunday (Meeus, Jones and Butcher), apart from the library the product uses."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def saturday_from(day: date) -> date:
    return day + ((5 - day.weekday()) % 7) * DAY


def public_holidays(year: int) -> set[date]:
    """Lag (1989:253) om allmänna helgdagar, written out."""
    sunday = easter(year)
    fixed = [(1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)]
    return (
        {date(year, *day) for day in fixed}
        | {sunday - 2 * DAY, sunday, sunday + DAY, sunday + 39 * DAY, sunday + 49 * DAY}
        | {saturday_from(date(year, 6, 20)), saturday_from(date(year, 10, 31))}
    )


HOLIDAYS = {day for year in range(2024, 2043) for day in public_holidays(year)}


def first_working_day(day: date) -> date:
    """Monday to Friday and no public holiday."""
    while day.weekday() > 4 or day in HOLIDAYS:
        day += DAY
    return day


def test_days_of_rest_are_those_of_the_law_on_every_day():
    wrong = [d for d in DAYS if is_day_of_rest(d) != (d.weekday() == 6 or d in HOLIDAYS)]
    assert wrong == []


@given(
    day=st.dates(date(2024, 1, 1), date(2040, 12, 31)),
    at=st.times(),
    days=st.integers(0, 60),
)
def test_a_letter_is_never_early_never_on_a_day_of_rest_and_never_after_the_working_day(
    day, at, days
):
    sent = datetime.combine(day, at, STOCKHOLM)
    due = due_on(sent, days=days, printed=True)
    day_n = sent.date() + days * DAY
    assert day_n <= due <= first_working_day(day_n)
    assert due.weekday() != 6
    assert due not in HOLIDAYS


def test_the_same_holds_for_day_14_after_every_day_to_2040():
    for day in DAYS:
        due = due_on(datetime.combine(day, time(9), STOCKHOLM), days=14, printed=True)
        assert day + 14 * DAY <= due <= first_working_day(day + 14 * DAY)
        assert due.weekday() != 6
        assert due not in HOLIDAYS


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        (stockholm(2026, 5, 5, 0, 1), stockholm(2026, 5, 19)),  # still the day before in UTC
        (stockholm(2026, 5, 5, 23, 59), stockholm(2026, 5, 19)),
        (stockholm(2026, 3, 20, 9), stockholm(2026, 4, 4)),  # Good Friday; the clock went forward
        (stockholm(2026, 3, 15, 9), stockholm(2026, 3, 30)),  # day 14 is the change's own Sunday
        (stockholm(2026, 10, 20, 9), stockholm(2026, 11, 3)),  # the clock went back
        (stockholm(2026, 10, 11, 9), stockholm(2026, 10, 26)),  # the change's own Sunday
        (stockholm(2028, 2, 15, 9), stockholm(2028, 2, 29)),
        (stockholm(2028, 2, 20, 9), stockholm(2028, 3, 5) + DAY),  # over a leap day, to a Sunday
        (stockholm(2027, 2, 15, 9), stockholm(2027, 3, 1)),
        (stockholm(2026, 12, 17, 9), stockholm(2026, 12, 31)),  # the eve of the new year
        (stockholm(2026, 12, 18, 9), stockholm(2027, 1, 2)),  # New Year's Day, to a Saturday
        (stockholm(2026, 12, 23, 9), stockholm(2027, 1, 7)),  # Epiphany
        (stockholm(2026, 12, 10, 9), stockholm(2026, 12, 24)),  # Christmas Eve
        (stockholm(2026, 12, 11, 9), stockholm(2026, 12, 28)),  # Christmas, second day, Sunday
        (stockholm(2027, 3, 14, 9), stockholm(2027, 3, 30)),  # Easter Sunday and Monday
        (stockholm(2026, 4, 30, 9), stockholm(2026, 5, 15)),  # Ascension Day
        (stockholm(2026, 6, 6, 9), stockholm(2026, 6, 22)),  # Midsummer Day, then a Sunday
        (stockholm(2026, 10, 17, 9), stockholm(2026, 11, 2)),  # All Saints' Day, then a Sunday
    ],
)
def test_letter_is_due_on_day_14_or_the_first_day_after_it_that_is_no_day_of_rest(sent, due):
    assert due_at(sent, days=14, printed=True) == due


def test_what_is_not_printed_keeps_its_calendar_day_and_its_hour_by_the_clock_on_the_wall():
    over_the_change = due_at(stockholm(2026, 3, 22, 14), days=7, printed=False, at=REMINDED_AT)
    assert over_the_change == stockholm(2026, 3, 29, 9)
    assert timezone.localtime(over_the_change).time() == REMINDED_AT


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (stockholm(2026, 3, 10, 9), stockholm(2026, 3, 10, 9)),
        (stockholm(2026, 3, 15, 9), stockholm(2026, 3, 16)),
        (stockholm(2026, 12, 25, 9), stockholm(2026, 12, 28)),
    ],
)
def test_a_letter_at_once_waits_for_a_day_on_which_letters_are_handed_over(now, due):
    assert letter_at_once(now) == due
