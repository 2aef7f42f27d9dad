"""What anybody may read: published editions, nothing else.

These selectors take no actor. They read the two tables of published figures alone, which the
database shows to nobody in particular too; a selector here that asked for a case would get none.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max, QuerySet

from organisations.models import Region
from referral.models import ReferralCause
from statistics.open_data.measures import PATIENTS
from statistics.open_data.models import NATION, Border, Edition, PublishedFigure, Status


def latest_editions() -> list[Edition]:
    """The newest version of each quarter, oldest quarter first."""
    newest = {
        (row["period"], row["version"])
        for row in Edition.objects.order_by().values("period").annotate(version=Max("version"))
    }
    return [one for one in Edition.objects.all() if (one.period, one.version) in newest]


def edition_of(period: str, version: int) -> Edition | None:
    return Edition.objects.filter(period=period, version=version).first()


def versions_of(period: str) -> list[Edition]:
    return list(Edition.objects.filter(period=period).order_by("version"))


def figures_of(editions: list[Edition]) -> QuerySet[PublishedFigure]:
    return (
        PublishedFigure.objects.filter(edition__in=editions)
        .select_related("edition")
        .order_by("edition__period", "pk")
    )


def area_names() -> dict[str, str]:
    """Code and name of each region; the nation is named by who shows it."""
    return dict(Region.objects.values_list("code", "name"))


@dataclass(frozen=True)
class AreaRow:
    """A region's or the nation's line on the page; a missing figure is ``None``."""

    area: str
    name: str
    figures: dict[str, PublishedFigure]

    @property
    def because_of_wait(self) -> tuple[PublishedFigure | None, PublishedFigure | None]:
        return self._side(Border.WITHIN), self._side(Border.ACROSS)

    @property
    def total(self) -> Decimal | None:
        """Because of the wait, within and across; told only when both are shown."""
        sides = [one.value for one in self.because_of_wait if one is not None]
        known = [value for value in sides if value is not None]
        return sum(known, Decimal(0)) if len(known) == 2 else None

    def _side(self, border: Border) -> PublishedFigure | None:
        return self.figures.get(f"{PATIENTS}.{ReferralCause.WAITING_TIME}.{border}")


def rows_of(edition: Edition, *, nation: str) -> list[AreaRow]:
    """The nation first, then the regions by name."""
    by_area: dict[str, dict[str, PublishedFigure]] = {}
    for figure in edition.figures.all():
        key = f"{figure.measure}.{figure.cause}.{figure.border}"
        by_area.setdefault(figure.area, {})[key] = figure
    names = area_names() | {NATION: nation}
    rows = [AreaRow(area, names.get(area, area), figures) for area, figures in by_area.items()]
    return sorted(rows, key=lambda row: (row.area != NATION, row.name))


def national_trend(editions: list[Edition], border: Border) -> list[tuple[str, Decimal | None]]:
    """Patients who came because of the wait, by quarter; ``None`` where hidden."""
    values = dict(
        PublishedFigure.objects.filter(
            edition__in=editions,
            measure=PATIENTS,
            cause=ReferralCause.WAITING_TIME,
            border=border,
            area=NATION,
        ).values_list("edition__period", "value")
    )
    return [(one.period, values.get(one.period)) for one in editions]


@dataclass(frozen=True)
class Published:
    """Of a region's patients in a year: those that are shown, and how many figures are hidden."""

    shown: int = 0
    hidden: int = 0


def published_in(year: str) -> dict[tuple[str, str], Published]:
    """By region and border, of all quarters and causes in their newest versions."""
    editions = [one for one in latest_editions() if one.period.startswith(year)]
    found: dict[tuple[str, str], Published] = {}
    rows = PublishedFigure.objects.filter(edition__in=editions, measure=PATIENTS)
    for area, border, status, count in rows.values_list("area", "border", "status", "count"):
        so_far = found.get((area, border), Published())
        found[area, border] = Published(
            so_far.shown + (count or 0), so_far.hidden + (status == Status.HIDDEN)
        )
    return found
