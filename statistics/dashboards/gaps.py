"""Where a contract is missing: those who wait, by clinic and procedure, whom no line can take.

Who waits is a case that no provider has taken. A contract is missing when the matching finds no
line for the procedure and the patient's ASA class: a live contract that the region may use, with
room under its caps, at a unit that receives. Age, language, equipment and the patient's own wishes
are left aside: they keep out one patient, not a whole procedure.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, F, Q, QuerySet

from capacity.matching import Landscape, Need
from contracts.selectors import procedure_names
from organisations.access import Actor, as_product
from organisations.models import CareUnit, Region
from organisations.suppression import suppress_table
from referral.machine import BEFORE_PROVIDER
from referral.models import Case
from statistics.counted import Conditions
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import conditions_of
from statistics.facts.models import CaseFact
from statistics.kept import each_case_once, of_facts
from statistics.selectors import SEES_CASES, clinics_of

# Darker from each of these on.
STEPS = (1, 5, 10, 20)


@dataclass(frozen=True)
class Column:
    """A procedure. ``has_line``: some line exists, though not for these patients' ASA class."""

    kva: str
    name: str
    has_line: bool


@dataclass(frozen=True)
class Cell:
    kva: str
    count: int | None

    @property
    def step(self) -> int:
        """0 for none, then darker; hidden cells have the lightest shade and a pattern."""
        return 0 if self.count is None else sum(self.count >= limit for limit in STEPS)


@dataclass(frozen=True)
class GapRow:
    clinic: CareUnit
    cells: tuple[Cell, ...]
    total: int | None


@dataclass(frozen=True)
class Gaps:
    """``None``: hidden. ``withheld``: the table would give itself away."""

    columns: tuple[Column, ...]
    rows: tuple[GapRow, ...]
    column_totals: tuple[int | None, ...]
    total: int | None

    @property
    def column_sums(self) -> list[tuple[Column, int | None]]:
        return list(zip(self.columns, self.column_totals, strict=True))


def gaps_of(actor: Actor, choice: Choice, *, today: date) -> Gaps:
    """The heat map as of ``today``. Raises :class:`NotAllowed`.

    Those who see figures only get the whole region, whatever clinic is chosen.
    """
    units = {unit.pk: unit for unit in clinics_of(actor)}
    missing: dict[tuple[int, str], int] = defaultdict(int)
    groups, lines = uncovered(conditions_of(actor, choice), actor=actor, today=today)
    for unit, kva, _asa, many in groups:
        missing[unit, kva] += many
    codes = sorted({kva for _unit, kva in missing})
    rows = sorted({unit for unit, _kva in missing}, key=lambda unit: units[unit].name)
    table = [[missing.get((unit, kva), 0) for kva in codes] for unit in rows]
    names = procedure_names(codes)
    gaps = Gaps(
        columns=tuple(Column(kva, names.get(kva, kva), kva in lines) for kva in codes),
        rows=tuple(
            GapRow(
                units[unit],
                tuple(Cell(kva, count) for kva, count in zip(codes, counts, strict=True)),
                sum(counts),
            )
            for unit, counts in zip(rows, table, strict=True)
        ),
        column_totals=tuple(sum(column) for column in zip(*table, strict=True)),
        total=sum(map(sum, table)),
    )
    return gaps if actor.role in SEES_CASES else hidden(gaps)


def hidden(gaps: Gaps) -> Gaps:
    """Without small numbers (organisations.suppression)."""
    away = suppress_table([[cell.count or 0 for cell in row.cells] for row in gaps.rows])
    return replace(
        gaps,
        rows=tuple(
            replace(
                row,
                cells=tuple(
                    replace(cell, count=None) if gone else cell
                    for cell, gone in zip(row.cells, cells, strict=True)
                ),
                total=None if total else row.total,
            )
            for row, cells, total in zip(gaps.rows, away.cells, away.row_totals, strict=True)
        ),
        column_totals=tuple(
            None if gone else count
            for count, gone in zip(gaps.column_totals, away.column_totals, strict=True)
        ),
        total=None if away.total else gaps.total,
    )


@as_product("statistics")
def uncovered(
    conditions: Conditions, *, actor: Actor, today: date
) -> tuple[list[tuple[int, str, int, int]], set[str]]:
    """Clinic, procedure, ASA class and number of those who wait and whom no line can take, and
    the procedures of which some line takes a patient of ASA 1.
    """
    groups = _grouped(conditions)
    if not groups:
        return [], set()
    region = Region.objects.get(pk=actor.region)
    codes = {kva for _unit, kva, _asa, _n in groups}
    landscape = Landscape.load(codes, today=today)
    anybody = {kva: Need.of_anybody(region, kva) for kva in codes}
    lines = {kva for kva in codes if landscape.ranked(anybody[kva])}
    taken = {
        (kva, asa): bool(landscape.ranked(replace(anybody[kva], asa=asa)))
        for kva, asa in {(kva, asa) for _unit, kva, asa, _n in groups}
    }
    return [group for group in groups if not taken[group[1:3]]], lines


def _grouped(conditions: Conditions) -> list[tuple[int, str, int, int]]:
    """Those who wait by clinic, procedure and ASA class; a group may stand twice."""
    facts = CaseFact.objects.filter(
        of_facts(conditions), state__in=BEFORE_PROVIDER, closed_at__isnull=True
    )
    parts = each_case_once(
        facts.annotate(unit=F("clinic_id")),
        waiting(conditions).annotate(unit=F("sending_unit_id")),
        region=conditions["region_id"],
    )
    return [
        group
        for part in parts
        for group in part.order_by().values_list("unit", "kva", "asa").annotate(n=Count("*"))
    ]


def waiting(conditions: Conditions) -> QuerySet[Case]:
    """The cases that no provider has taken."""
    return Case.objects.filter(Q(**conditions), state__in=BEFORE_PROVIDER)


def behind(conditions: Conditions, *, actor: Actor, today: date, kva: str = "") -> QuerySet[Case]:
    """The cases that the figures are counted on."""
    which = Q(pk__in=[])
    groups, _lines = uncovered(conditions, actor=actor, today=today)
    for unit, code, asa, _n in groups:
        if kva in {"", code}:
            which |= Q(sending_unit_id=unit, kva=code, asa=asa)
    return waiting(conditions).filter(which)
