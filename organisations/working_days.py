"""Working days in Sweden: Monday to Friday, less public holidays and the eves kept as such.

Pure functions, counted alike by delivery plans, phone times and the month's statistics.
"""

from datetime import date, timedelta
from functools import cache

from holidays import HolidayBase, country_holidays

WORKING_DAYS = 5


@cache
def free_days() -> HolidayBase:
    """Swedish public holidays with Midsummer, Christmas and New Year's Eve, which care keeps."""
    return country_holidays("SE", categories=("public", "de_facto"))


def is_working_day(day: date) -> bool:
    return day.weekday() < WORKING_DAYS and day not in free_days()


def next_working_day(today: date) -> date:
    """The first working day after ``today``."""
    day = today + timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def nth_working_day(first: date, n: int) -> date:
    """The ``n``:th working day counted from ``first``, which is the first when it is one itself."""
    day = first - timedelta(days=1)
    for _step in range(n):
        day = next_working_day(day)
    return day
