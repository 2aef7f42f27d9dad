"""The care guarantee's clock.

Hälso- och sjukvårdslagen (2017:30) 9 kap. and hälso- och sjukvårdsförordningen (2017:80) 6 kap.
1 §: 90 days for a first specialist visit and 90 for treatment, counted in calendar days from the
decision; a region may promise less. Patient-chosen and medical waiting stops the clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class Urgency(StrEnum):
    """How near the limit is; pages show it as text and colour, never colour alone."""

    CALM = "calm"
    SOON = "soon"
    BREACHED = "breached"
    PAUSED = "paused"
    KEPT = "kept"
    MISSED = "missed"


SOON_DAYS = 14


@dataclass(frozen=True)
class GuaranteeClock:
    """The clock of one case on one day. Dates are calendar days in Europe/Stockholm."""

    start: date
    days: int
    last_day: date
    paused_from: date | None
    stopped_on: date | None
    today: date

    @property
    def _reference(self) -> date:
        end = self.stopped_on or self.today
        if self.paused_from and self.paused_from <= end:
            return self.paused_from
        return end

    @cached_property
    def days_left(self) -> int:
        """Days until the last day, negative once it has passed; frozen by pause and stop."""
        return (self.last_day - self._reference).days

    @property
    def days_over(self) -> int:
        """Days past the last day; zero while the guarantee is kept."""
        return max(0, -self.days_left)

    @property
    def days_waited(self) -> int:
        """Days since the start, pauses included."""
        return ((self.stopped_on or self.today) - self.start).days

    @property
    def is_breached(self) -> bool:
        return self.days_left < 0

    @cached_property
    def urgency(self) -> Urgency:
        if self.stopped_on:
            return Urgency.MISSED if self.is_breached else Urgency.KEPT
        if self.is_breached:
            return Urgency.BREACHED
        if self.paused_from and self.paused_from <= self.today:
            return Urgency.PAUSED
        return Urgency.SOON if self.days_left <= SOON_DAYS else Urgency.CALM

    @property
    def words(self) -> str:
        """How long is left, as pages say it beside the last day."""
        left, over = self.days_left, self.days_over
        match self.urgency:
            case Urgency.BREACHED:
                text, days = ngettext("%d dag över gränsen", "%d dagar över gränsen", over), over
            case Urgency.MISSED:
                text, days = ngettext("bröts med %d dag", "bröts med %d dagar", over), over
            case Urgency.KEPT:
                text, days = ngettext("hölls, %d dag kvar", "hölls, %d dagar kvar", left), left
            case Urgency.PAUSED:
                text, days = ngettext("pausad, %d dag kvar", "pausad, %d dagar kvar", left), left
            case _ if left == 0:
                return _("sista dagen i dag")
            case _:
                text, days = ngettext("%d dag kvar", "%d dagar kvar", left), left
        return text % days


def last_day(*, start: date, days: int, pauses: Iterable[tuple[date, date]]) -> date:
    """The last day on which the guarantee is kept.

    ``pauses`` are finished pauses as (first day, last day), both included; only pauses that
    begin within the time that is left move the limit, one day per day.
    """
    limit = start + timedelta(days=days)
    for first, last in sorted(pauses):
        if first > limit:
            break
        limit += timedelta(days=max(0, (last - max(first, start)).days + 1))
    return limit
