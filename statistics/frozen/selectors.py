"""What each role reads of the region's months: the list, and one month figure by figure."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import NotAllowed
from organisations.models import Role
from statistics.frozen.hidden import groups_within, hidden_of, hidden_places
from statistics.frozen.mails import OF_REGION
from statistics.frozen.models import FigureCorrection, FrozenMonth, MonthDue
from statistics.frozen.picture import (
    NOUGHT,
    Cell,
    Picture,
    Place,
    cells_of,
    corrections_of,
    frozen_picture,
    known_picture,
    picture_of,
    place_of,
)
from statistics.frozen.services import MonthNotFound
from statistics.frozen.source import Count, month_figures
from statistics.frozen.words import texts, told
from statistics.guarantee.withheld import region_told
from statistics.hiding import hidden_beside
from statistics.monthly.dimensions import DIMENSIONS
from statistics.monthly.measures import MEASURES, Measure
from statistics.months import Month

MAY_SEE = (*OF_REGION, Role.CLINIC)
# These see the cases behind the figures; the others see figures only, small ones hidden.
SEES_CASES = frozenset({Role.NAVIGATOR, Role.CLINIC})
CLINIC = "clinic"


@dataclass(frozen=True)
class MonthRow:
    """A month of the list."""

    month: Month
    due_at: datetime | None
    versions: list[FrozenMonth]
    # Figures that are other than the latest version says; for a clinic, its own.
    corrections: int

    @property
    def latest(self) -> FrozenMonth | None:
        return self.versions[0] if self.versions else None


@dataclass(frozen=True)
class FigureRow:
    """One figure as the chosen version has it, and as it is known now."""

    dimension: str
    key: str
    label: str
    measure: str
    shown: Measure
    frozen: Cell
    known: Cell
    hidden: bool

    @property
    def changed(self) -> bool:
        return not self.hidden and self.frozen != self.known

    @property
    def frozen_texts(self) -> list[tuple[str, str]]:
        return texts(self.frozen, self.shown, hidden=self.hidden)

    @property
    def known_texts(self) -> list[tuple[str, str]]:
        return texts(self.known, self.shown, hidden=self.hidden, now=True)


@dataclass(frozen=True)
class CorrectionRow:
    found_at: datetime
    why: list[str]
    label: str
    shown: Measure
    before: Cell
    after: Cell

    @property
    def before_text(self) -> str:
        return told(self.before, self.shown)

    @property
    def after_text(self) -> str:
        return told(self.after, self.shown)


@dataclass(frozen=True)
class MonthPage:
    """One month. Without versions it is preliminary: counted when it was asked for."""

    month: Month
    region: str
    due_at: datetime | None
    counted_at: datetime | None
    versions: list[FrozenMonth]
    chosen: FrozenMonth | None
    rows: list[FigureRow]
    corrections: list[CorrectionRow]
    # Corrections of figures that are hidden.
    hidden_corrections: int
    suppressed: bool

    @property
    def is_latest(self) -> bool:
        return self.chosen is None or self.chosen == self.versions[0]


@dataclass(frozen=True)
class Choice:
    """What is asked for of a month; the filters of the page."""

    dimension: str = "region"
    measure: str = ""
    version: int | None = None
    group: str = ""  # part of the group's name


def dimensions_for(actor: Actor) -> dict[str, str]:
    """The tables that the role reads: a clinic its own row alone."""
    _require(actor)
    names = [CLINIC] if actor.role == Role.CLINIC else list(DIMENSIONS)
    return {name: str(DIMENSIONS[name]) for name in names}


@as_product("month's statistics")
def months_of(actor: Actor) -> list[MonthRow]:
    """The region's months, the latest first."""
    _require(actor)
    versions: dict[Month, list[FrozenMonth]] = defaultdict(list)
    for one in FrozenMonth.objects.filter(region=actor.region).order_by("-version"):
        versions[one.month].append(one)
    changed = _changed(actor, [found[0] for found in versions.values()])
    return [
        MonthRow(
            month=row.month,
            due_at=row.due_at,
            versions=versions[row.month],
            corrections=len(changed[versions[row.month][0].pk]) if versions[row.month] else 0,
        )
        for row in MonthDue.objects.filter(region=actor.region).order_by("-first_day")
    ]


def _changed(actor: Actor, latest: list[FrozenMonth]) -> dict[int, set[Place]]:
    """Of each version the figures that have been corrected, whatever they are now."""
    rows = FigureCorrection.objects.filter(recount__frozen__in=latest)
    if actor.role == Role.CLINIC:
        rows = rows.filter(dimension=CLINIC, key=_own_key(actor))
    found: dict[int, set[Place]] = defaultdict(set)
    for frozen, *place in rows.order_by().values_list(
        "recount__frozen_id", "dimension", "key", "measure"
    ):
        found[frozen].add((place[0], place[1], place[2]))
    return found


@as_product("month's statistics")
def month_page(
    actor: Actor, month: Month, choice: Choice, *, count: Count = month_figures
) -> MonthPage:
    """One month by the chosen filters. Raises :class:`MonthNotFound` and :class:`NotAllowed`."""
    allowed = dimensions_for(actor)
    dimension = choice.dimension if choice.dimension in allowed else next(iter(allowed))
    due = MonthDue.objects.filter(region=actor.region, first_day=month.first_day).first()
    if due is None:
        raise MonthNotFound(_("Månaden finns inte i statistiken."))
    versions = list(
        FrozenMonth.objects.filter(region=actor.region, first_day=month.first_day).order_by(
            "-version"
        )
    )
    chosen = _chosen(versions, choice.version)
    hides = actor.role not in SEES_CASES
    if chosen is None:
        whole = picture_of(count(actor.region or "", month))
        before, now = _of(whole, dimension), _of(whole, dimension)
        hidden = _hidden(actor.region or "", month, [], whole) if hides else frozenset()
    else:
        before = frozen_picture(chosen, dimension=dimension)
        now = known_picture(versions[0], dimension=dimension)
        hidden = _hidden(actor.region or "", month, versions, {}) if hides else frozenset()
    own = _own_key(actor) if actor.role == Role.CLINIC else None

    def wanted(place: Place, label: str) -> bool:
        return (
            place[0] == dimension
            and choice.measure in {"", place[2]}
            and own in {None, place[1]}
            and choice.group.casefold() in label.casefold()
        )

    corrections = [
        row
        for row in (corrections_of(chosen) if chosen else [])
        if wanted(place_of(row), row.label)
    ]
    return MonthPage(
        month=month,
        region=actor.region or "",
        due_at=due.due_at,
        counted_at=due.counted_at,
        versions=versions,
        chosen=chosen,
        rows=_rows(before, now, hidden, wanted),
        corrections=[_correction(row) for row in corrections if place_of(row) not in hidden],
        hidden_corrections=sum(place_of(row) in hidden for row in corrections),
        suppressed=hides,
    )


def _hidden(
    region: str, month: Month, versions: list[FrozenMonth], preliminary: Picture
) -> frozenset[Place]:
    """What is hidden of the month's versions, or of a month that has none yet."""
    told = region_told(region, month)
    beside = hidden_beside(region, [month])[month]
    if versions:
        return hidden_of(versions, region_told=told, beside=beside)
    within = groups_within()
    return hidden_places([preliminary], within=within, region_told=told, beside=beside)


def _rows(
    before: Picture,
    now: Picture,
    hidden: frozenset[Place],
    wanted: Callable[[Place, str], bool],
) -> list[FigureRow]:
    order = {name: number for number, name in enumerate(MEASURES)}
    rows = []
    labels = {place[:2]: cell.label for seen in (before, now) for place, cell in seen.items()}
    # One that is nought but hidden beside others looks as they do.
    hidden_here = {place for place in hidden if place[:2] in labels}
    for place in before.keys() | now.keys() | hidden_here:
        old, new = before.get(place, NOUGHT), now.get(place, NOUGHT)
        label = new.label or old.label or labels[place[:2]]
        if wanted(place, label):
            away = place in hidden
            rows.append(
                FigureRow(
                    *place[:2],
                    label=label,
                    measure=place[2],
                    shown=measure_named(place[2]),
                    frozen=NOUGHT if away else old,
                    known=NOUGHT if away else new,
                    hidden=away,
                )
            )
    return sorted(rows, key=lambda row: (row.label, row.key, order.get(row.measure, len(order))))


def _correction(row: FigureCorrection) -> CorrectionRow:
    before, after = cells_of(row)
    return CorrectionRow(
        found_at=row.recount.counted_at,
        why=row.recount.reasons,
        label=row.label,
        shown=measure_named(row.measure),
        before=before,
        after=after,
    )


def measure_named(name: str) -> Measure:
    """The measure; one that later rules have dropped is called what it was called in the rows."""
    return MEASURES.get(name) or Measure(name, "", "", "duration")


def _chosen(versions: list[FrozenMonth], number: int | None) -> FrozenMonth | None:
    if number is None or not versions:
        return versions[0] if versions else None
    found = next((one for one in versions if one.version == number), None)
    if found is None:
        raise MonthNotFound(_("Versionen finns inte."))
    return found


def _of(picture: Picture, dimension: str) -> Picture:
    return {place: cell for place, cell in picture.items() if place[0] == dimension}


def _own_key(actor: Actor) -> str:
    """The clinic's key in the figures."""
    return str(actor.care_unit_id or 0)


def _require(actor: Actor) -> None:
    if actor.role not in MAY_SEE or not actor.region:
        raise NotAllowed(_("Din roll ser ingen statistik."))
