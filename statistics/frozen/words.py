"""Figures in words and numbers, alike on page, in files and in mails."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from statistics.frozen.picture import Cell
from statistics.monthly.measures import Measure

HIDDEN = "dolt"
NONE = "–"


def value_of(cell: Cell, measure: Measure) -> Decimal | None:
    """Nought where a count or sum has nothing to count; unknown where a median has."""
    if cell.value is None and measure.kind in {"count", "sum"}:
        return Decimal(0)
    return cell.value


def shown(number: Decimal | int | None, *, decimals: int = 1) -> str:
    """A whole number without decimals, others with one."""
    if number is None:
        return NONE
    places = 0 if number == int(number) else decimals
    # Django's own cuts what it is not asked for.
    rounded = round(Decimal(number), places)
    return str(number_format(rounded, places, use_l10n=True, force_grouping=True))


def interval(cell: Cell) -> str:
    if cell.low is None or cell.high is None:
        return NONE
    return f"{shown(cell.low)}–{shown(cell.high)}"


def told(cell: Cell, measure: Measure) -> str:
    """The figure in one text: value, unit, and how many it rests on."""
    value = f"{shown(value_of(cell, measure))} {measure.unit}".strip()
    if measure.kind == "count":
        return value
    return _("%(value)s (n = %(n)s)") % {"value": value, "n": shown(cell.n)}


def texts(
    cell: Cell, measure: Measure, *, hidden: bool, now: bool = False
) -> list[tuple[str, str]]:
    """Heading and text of each part of a figure."""
    headings = [_("n"), _("Värde"), _("Median"), _("80:e percentil"), _("Intervall")]
    if now:
        headings = [_("%(part)s, nu") % {"part": heading} for heading in headings]
    if hidden:
        return [(heading, HIDDEN) for heading in headings]
    parts = (cell.n, value_of(cell, measure), cell.median, cell.p80)
    return list(zip(headings, [*map(shown, parts), interval(cell)], strict=True))
