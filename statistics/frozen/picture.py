"""A month's figures as a picture that can be compared: place to cell.

A figure that is nought in every part stands for nothing and is left out; what is left out is
nought. Numbers are kept with six decimals, so that an unchanged figure is equal to the digit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import QuerySet

from statistics.frozen.models import (
    DECIMALS,
    PARTS,
    FigureCorrection,
    FrozenFigure,
    FrozenMonth,
    Recount,
)
from statistics.frozen.source import Figure

# Dimension, key, measure.
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Cell:
    """The parts of one figure. Its label may change without the figure having changed."""

    n: int = 0
    value: Decimal | None = None
    median: Decimal | None = None
    p80: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    label: str = field(default="", compare=False)


NOUGHT = Cell()
Picture = dict[Place, Cell]


def cell_of(figure: Figure) -> Cell:
    value = _exact(figure.value)
    if not figure.n and not value:  # nought of nothing is the same as nothing
        value = None
    parts = {name: _exact(getattr(figure, name)) for name in ("median", "p80", "low", "high")}
    if figure.n == 0 and value is None:
        parts = {}
    return Cell(n=figure.n, value=value, label=figure.label[:200], **parts)


def picture_of(figures: Iterable[Figure]) -> Picture:
    """Of a count. Raises ``ValueError`` for a figure that is there twice."""
    picture: Picture = {}
    for figure in figures:
        place = (figure.dimension, figure.key, figure.measure)
        if place in picture:
            raise ValueError(f"the figure {place} was counted twice")
        picture[place] = cell_of(figure)
    return {place: cell for place, cell in picture.items() if cell != NOUGHT}


def frozen_picture(frozen: FrozenMonth, *, dimension: str | None = None) -> Picture:
    """As it was frozen, wholly or in one dimension."""
    rows = FrozenFigure.objects.filter(frozen=frozen)
    if dimension is not None:
        rows = rows.filter(dimension=dimension)
    return {place_of(row): _cell(row) for row in rows.iterator(chunk_size=2000)}


def pictures_of(rows: QuerySet[FrozenFigure]) -> dict[int, Picture]:
    """By version, of several at once."""
    pictures: dict[int, Picture] = defaultdict(dict)
    for row in rows.iterator(chunk_size=2000):
        pictures[row.frozen_id][place_of(row)] = _cell(row)
    return pictures


def known_picture(frozen: FrozenMonth, *, dimension: str | None = None) -> Picture:
    """As it was frozen, with all corrections found since."""
    rows = [row for row in corrections_of(frozen) if dimension in {None, row.dimension}]
    return corrected(frozen_picture(frozen, dimension=dimension), rows)


def corrections_of(frozen: FrozenMonth) -> list[FigureCorrection]:
    """The corrections of this version, in the order they were found."""
    found = FigureCorrection.objects.filter(recount__frozen=frozen)
    return list(found.select_related("recount").order_by("recount_id", "pk"))


def corrected(picture: Picture, corrections: Iterable[FigureCorrection]) -> Picture:
    known = dict(picture)
    for row in corrections:
        known[place_of(row)] = _cell(row, "_after")
    return {place: cell for place, cell in known.items() if cell != NOUGHT}


def differences(before: Picture, after: Picture) -> Iterator[tuple[Place, Cell, Cell]]:
    """Each figure that is another, in the order of its place."""
    for place in sorted(before.keys() | after.keys()):
        old, new = before.get(place, NOUGHT), after.get(place, NOUGHT)
        if old != new:
            yield place, old, new


def place_of(row: FrozenFigure | FigureCorrection) -> Place:
    return row.dimension, row.key, row.measure


def cells_of(row: FigureCorrection) -> tuple[Cell, Cell]:
    """The figure before and after."""
    return _cell(row, "_before"), _cell(row, "_after")


def figure_row(frozen: FrozenMonth, place: Place, cell: Cell) -> FrozenFigure:
    dimension, key, measure = place
    return FrozenFigure(
        frozen=frozen,
        dimension=dimension,
        key=key,
        label=cell.label,
        measure=measure,
        **{name: getattr(cell, name) for name in PARTS},
    )


def correction_row(recount: Recount, place: Place, old: Cell, new: Cell) -> FigureCorrection:
    dimension, key, measure = place
    return FigureCorrection(
        recount=recount,
        dimension=dimension,
        key=key,
        label=new.label or old.label,
        measure=measure,
        **{f"{name}_before": getattr(old, name) for name in PARTS},
        **{f"{name}_after": getattr(new, name) for name in PARTS},
    )


def _cell(row: FrozenFigure | FigureCorrection, suffix: str = "") -> Cell:
    return Cell(label=row.label, **{name: getattr(row, name + suffix) for name in PARTS})


def _exact(number: Decimal | float | int | None) -> Decimal | None:
    if number is None:
        return None
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    return exact.quantize(DECIMALS, rounding=ROUND_HALF_EVEN)
