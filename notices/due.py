"""On which day a notice is due: calendar days in Sweden, printed ones never on a day of rest.

Pure functions. Sundays and the public holidays of lag (1989:253) om allmänna helgdagar are days
of rest; Saturdays and the eves are not (docs/decisions/0021-the-day-a-letter-goes.md).
"""

from datetime import date, datetime, time, timedelta
from functools import cache

from django.utils import timezone
from holidays import HolidayBase, country_holidays

MIDNIGHT = time.min
# A reminder comes when people are awake and the navigators' phones soon open.
REMINDED_AT = time(9)


@cache
def _days_of_rest() -> HolidayBase:
    """Sundays and public holidays; the library works out each year as it is asked for."""
    return country_holidays("SE", categories=("public",), include_sundays=True)


def is_day_of_rest(day: date) -> bool:
    """Whether ``day`` is a Sunday or a Swedish public holiday."""
    return day in _days_of_rest()


def handed_over_on(day: date) -> date:
    """``day`` itself, else the first day after it that is no day of rest."""
    while is_day_of_rest(day):
        day += timedelta(days=1)
    return day


def due_on(since: datetime, *, days: int, printed: bool) -> date:
    """The day ``days`` calendar days after ``since`` in Europe/Stockholm.

    What is ``printed`` is moved from a day of rest to the first day that is none, which is never
    later than the next working day.
    """
    day = timezone.localdate(since) + timedelta(days=days)
    return handed_over_on(day) if printed else day


def due_at(since: datetime, *, days: int, printed: bool, at: time = MIDNIGHT) -> datetime:
    """The moment of :func:`due_on` by the clock on the wall, ``at``."""
    day = due_on(since, days=days, printed=printed)
    return timezone.make_aware(datetime.combine(day, at))


def letter_at_once(now: datetime) -> datetime:
    """``now``, or the first moment of the next day on which letters are handed over."""
    today = timezone.localdate(now)
    return due_at(now, days=0, printed=True) if is_day_of_rest(today) else now


# An office is taken to be open from eight to four, Monday to Friday.
OPENS, CLOSES = 8, 16


def working_hours_before(now: datetime, hours: int) -> datetime:
    """The moment so many working hours before ``now``, Europe/Stockholm; days of rest have none."""
    moment, left = timezone.localtime(now), timedelta(hours=hours)
    while True:
        day = moment.date()
        opens = timezone.make_aware(datetime.combine(day, time(OPENS)))
        closes = timezone.make_aware(datetime.combine(day, time(CLOSES)))
        if day.weekday() < 5 and not is_day_of_rest(day) and moment > opens:
            worked = min(moment, closes) - opens
            if worked >= left:
                return min(moment, closes) - left
            left -= worked
        moment = timezone.make_aware(datetime.combine(day - timedelta(days=1), time.max))
