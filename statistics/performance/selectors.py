"""A region's month by the agreement: from its file, or what its cases here can tell."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.access import Actor, as_product
from organisations.errors import NotAllowed
from organisations.models import Region, Role
from referral.models import Phase
from statistics.guarantee.columns import Basis, Kind
from statistics.guarantee.selectors import Dimension, guarantee_for
from statistics.months import Month
from statistics.performance.calculator import (
    Figure,
    Result,
    bonus_points,
    month_results,
    months_met,
)
from statistics.performance.models import PerformanceFigure
from statistics.performance.rules import FIRST_MONTH, LAST_MONTH, Measure

MAY_SEE = frozenset({Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR})


class Source(models.TextChoices):
    FILE = "file", gettext_lazy("Regionens inlästa fil")
    CASES = "cases", gettext_lazy("Ärenden i Vårdlots")


# What the cases here can tell: of the waiting, by the guarantee's part.
OF_CASES = {
    Measure.VISIT_60: (Phase.FIRST_VISIT, 60),
    Measure.VISIT_180: (Phase.FIRST_VISIT, 180),
    Measure.TREATMENT_60: (Phase.TREATMENT, 60),
    Measure.TREATMENT_180: (Phase.TREATMENT, 180),
}


@dataclass
class Performance:
    """The nine results of a region's month. ``hidden`` measures rest on small numbers."""

    month: Month
    region: Region
    source: str
    results: list[Result]
    figures: dict[str, Figure]
    before: dict[str, Figure]
    hidden: frozenset[str]
    # In how many of the year's months (February to November) each measure was met; of a file only.
    year: dict[Measure, int] | None = None
    points: int | None = None


@as_product("statistics")
def performance_for(actor: Actor, *, month: Month, source: str, today: date) -> Performance:
    """Raises :class:`NotAllowed` for other roles than the region's own."""
    if actor.role not in MAY_SEE or not actor.region:
        raise NotAllowed(_("Din roll ser inga prestationskrav."))
    region = Region.objects.get(code=actor.region)
    hidden: set[str] = set()
    found = {}
    for one in (month, month.back(12)):
        if source == Source.CASES:
            found[one], small = _of_cases(actor, one, today=today)
            hidden |= small
        else:
            found[one] = _of_file(region, one)
    now, before = found[month], found[month.back(12)]
    months = _year(region, month.year) if source == Source.FILE else None
    # The results of a hidden measure would tell of its figures.
    for figures in (now, before):
        for key in hidden:
            figures.pop(key, None)
    return Performance(
        month=month,
        region=region,
        source=source,
        results=month_results(now, before, month=month.month),
        figures=now,
        before=before,
        hidden=frozenset(hidden),
        year=months_met(months) if months else None,
        points=bonus_points(months) if months else None,
    )


def _year(region: Region, year: int) -> list[list[Result]]:
    """The results of the year's months that count."""
    rows = PerformanceFigure.objects.filter(region=region, month__year__in=(year - 1, year))
    found: dict[date, dict[str, Figure]] = defaultdict(dict)
    for row in rows:
        found[row.month][row.measure] = Figure(row.numerator, row.denominator, row.pot_sek)
    return [
        month_results(found[date(year, number, 1)], found[date(year - 1, number, 1)], month=number)
        for number in range(FIRST_MONTH, LAST_MONTH + 1)
    ]


def _of_file(region: Region, month: Month) -> dict[str, Figure]:
    rows = PerformanceFigure.objects.filter(region=region, month=month.first_day)
    return {row.measure: Figure(row.numerator, row.denominator, row.pot_sek) for row in rows}


def _of_cases(actor: Actor, month: Month, *, today: date) -> tuple[dict[str, Figure], set[str]]:
    """The waiting at the month's end without pauses, hidden as on the care guarantee's page."""
    guarantee = guarantee_for(actor, month=month, today=today, dimension=Dimension.PHASE)
    lines = {line.key: line for line in guarantee.lines[Kind.WAITING]}
    figures, hidden = {}, set()
    for measure, (phase, limit) in OF_CASES.items():
        line = lines[f"phase:{phase}"]
        count = line.within[Basis.WITHOUT][limit].count
        if line.size is None or count is None:
            hidden.add(measure.value)
            continue
        part = line.size - count if limit == 180 else count
        figures[measure.value] = Figure(part, line.size)
    return figures, hidden
