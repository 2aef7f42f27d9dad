"""Actual deliveries against a plan, week by week, and how well it is kept.

A patient is delivered in the week of the treatment, as the ledger's ``counts_on`` has it; one whose
period was full under a cap counts in the week of the reservation (docs/decisions/0011).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, QuerySet
from django.db.models.functions import ExtractWeek
from django.utils.translation import gettext_lazy as _

from capacity.models import DeliveryPlan, PlannedWeek, PlanVersion
from capacity.plans.sources import bookings_of
from capacity.plans.weeks import Week, weeks_of
from contracts.models import CallOff
from organisations.suppression import SMALL, suppress

S = CallOff.State

DEFINITIONS = (
    (
        _("Utfall"),
        _("Patienter som behandlades i veckan, efter behandlingsdagen. En vecka är måndag–söndag."),
    ),
    (
        _("Bokat"),
        _("Patienter med bokad tid i veckan som ännu inte har rapporterats behandlade."),
    ),
    (
        _("Levererat av planerat"),
        _(
            "Utfallet i de veckor som har slutat, i procent av planens volym i samma veckor. Kan "
            "bli mer än 100 %."
        ),
    ),
    (
        _("Följsamhet"),
        _(
            "Hur stor del av de planerade platserna som användes i rätt vecka: för varje vecka som "
            "har slutat räknas det minsta av plan och utfall, och summan delas med planens volym. "
            "Fler än planerat en vecka väger inte upp färre en annan. 0–100 %."
        ),
    ),
    (
        _("Avvikelse"),
        _(
            "Utfallet i de senaste veckorna som har slutat är lägre än den gräns som planen anger. "
            "Pågående vecka räknas aldrig."
        ),
    ),
)


@dataclass(frozen=True)
class WeekFigures:
    """One week; ``None`` where a figure is hidden or there is nothing to hold it against."""

    week: Week
    planned: int
    delivered: int | None
    booked: int | None
    has_ended: bool
    planned_so_far: int
    delivered_so_far: int | None
    window_percent: int | None = None  # delivered of planned over the plan's last weeks
    is_behind: bool = False


@dataclass(frozen=True)
class PlanFigures:
    """The whole plan; what is ``so_far`` is of weeks that have ended."""

    weeks: tuple[WeekFigures, ...]
    planned: int
    planned_so_far: int
    delivered_so_far: int | None
    delivered_now: int | None  # in the week that goes on
    booked: int | None
    without_time: int | None  # offered or accepted, no time yet
    adherence: int | None
    is_behind: bool = False
    has_hidden: bool = False

    @property
    def delivered_percent(self) -> int | None:
        if self.delivered_so_far is None or not self.planned_so_far:
            return None
        return round(100 * self.delivered_so_far / self.planned_so_far)

    @property
    def ended(self) -> list[WeekFigures]:
        return [week for week in self.weeks if week.has_ended]

    @property
    def window_percent(self) -> int | None:
        """Of the newest weeks that have ended."""
        return self.ended[-1].window_percent if self.ended else None


def held_against(
    planned: Mapping[int, int],
    delivered: Mapping[int, int],
    *,
    year: int,
    today: date,
    behind_percent: int = 90,
    behind_weeks: int = 4,
    booked: Mapping[Week | None, int] | None = None,
) -> PlanFigures:
    """Hold delivered against planned, both by ISO week number of ``year``."""
    booked = booked or {}
    rows: list[WeekFigures] = []
    so_far = done = 0
    for week in weeks_of(year):
        number, ended = week.number, week.has_ended(today)
        if ended:
            so_far += planned.get(number, 0)
            done += delivered.get(number, 0)
        row = WeekFigures(
            week=week,
            planned=planned.get(number, 0),
            delivered=delivered.get(number, 0),
            booked=booked.get(week, 0),
            has_ended=ended,
            planned_so_far=so_far,
            delivered_so_far=done,
        )
        rows.append(
            _flagged(
                row,
                rows[-(behind_weeks - 1) :] if behind_weeks > 1 else [],
                weeks=behind_weeks,
                percent=behind_percent,
            )
        )
    ended_rows = [row for row in rows if row.has_ended]
    kept = sum(min(row.planned, row.delivered or 0) for row in ended_rows)
    return PlanFigures(
        weeks=tuple(rows),
        planned=sum(row.planned for row in rows),
        planned_so_far=so_far,
        delivered_so_far=done,
        delivered_now=delivered.get(Week.of(today).number, 0) if Week.of(today).year == year else 0,
        booked=sum(n for week, n in booked.items() if week is not None and week.year == year),
        without_time=booked.get(None, 0),
        adherence=_percent(kept, so_far),
        is_behind=bool(ended_rows) and ended_rows[-1].is_behind,
    )


def _flagged(
    row: WeekFigures, before: Sequence[WeekFigures], *, weeks: int, percent: int
) -> WeekFigures:
    """With the share delivered over ``weeks`` weeks, once so many have ended."""
    window = [*before, row]
    if not row.has_ended or len(window) < weeks:
        return row
    planned = sum(one.planned for one in window)
    delivered = sum(one.delivered or 0 for one in window)
    # Held against the limit as they are: a rounded share would pass with less.
    behind = planned > 0 and 100 * delivered < percent * planned
    return replace(row, window_percent=_percent(delivered, planned), is_behind=behind)


def _percent(part: int, whole: int) -> int | None:
    """Whole per cent, downwards, so that 100 means all."""
    return 100 * part // whole if whole else None


def without_small(figures: PlanFigures) -> PlanFigures:
    """For those who see figures only: small numbers, and what would give them away, hidden."""
    hidden, hide_total = suppress([row.delivered or 0 for row in figures.ended])
    some_hidden = any(hidden) or hide_total
    flags = iter(hidden)
    rows = []
    for row in figures.weeks:
        is_hidden = next(flags) if row.has_ended else True
        rows.append(
            replace(
                row,
                delivered=None if is_hidden else row.delivered,
                booked=None,
                delivered_so_far=None if some_hidden else row.delivered_so_far,
                window_percent=None if some_hidden else row.window_percent,
                is_behind=row.is_behind and not some_hidden,
            )
        )
    return replace(
        figures,
        weeks=tuple(rows),
        delivered_so_far=None if hide_total else figures.delivered_so_far,
        delivered_now=None,
        booked=None if figures.booked in SMALL else figures.booked,
        without_time=None if figures.without_time in SMALL else figures.without_time,
        adherence=None if some_hidden else figures.adherence,
        is_behind=figures.is_behind and not some_hidden,
        has_hidden=some_hidden,
    )


def figures_of(
    plan: DeliveryPlan, version: PlanVersion | None, *, today: date, small: bool = True
) -> PlanFigures:
    """The plan's figures against a version; without ``small``, small numbers are hidden."""
    call_offs = call_offs_of(plan)
    weeks = weeks_of(plan.year)
    used = (
        call_offs.filter(
            state__in=[S.USED, S.SETTLED],
            counts_on__range=(weeks[0].monday, weeks[-1].sunday),
        )
        .annotate(week=ExtractWeek("counts_on"))
        .values_list("week")
        .annotate(n=Count("pk"))
        .order_by()
    )
    figures = held_against(
        volumes_of(version),
        dict(used),
        year=plan.year,
        today=today,
        behind_percent=plan.behind_percent,
        behind_weeks=plan.behind_weeks,
        booked=bookings_of(call_offs.filter(state=S.RESERVED)),
    )
    return figures if small else without_small(figures)


def volumes_of(version: PlanVersion | None) -> dict[int, int]:
    if version is None:
        return {}
    found = PlannedWeek.objects.filter(version=version)
    return dict(found.order_by("week").values_list("week", "volume"))


def call_offs_of(plan: DeliveryPlan) -> QuerySet[CallOff]:
    """The live call-offs that the plan counts: the region's at the place, of the code."""
    found = CallOff.objects.filter(
        region_id=plan.region_id,
        line__contract__provider_id=plan.provider_id,
        line__kva__startswith=plan.kva,
    ).exclude(state=S.RELEASED)
    return found.filter(line__care_unit_id=plan.care_unit_id) if plan.care_unit_id else found
