"""The page's tables: one for the causes, one for each dimension, a line for each region."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from referral.models import ReferralCause
from statistics.open_data.editions import SIDES, key_of
from statistics.open_data.measures import MEASURES, PATIENTS, Dimension
from statistics.open_data.models import Border, PublishedFigure, Status
from statistics.open_data.selectors import AreaRow


@dataclass(frozen=True)
class Table:
    """``lines``: an area's name and its cells in words."""

    key: str
    title: str
    headings: list[str]
    lines: list[tuple[str, list[str]]]

    def __bool__(self) -> bool:
        return bool(self.lines)


def tables_of(rows: Sequence[AreaRow]) -> list[Table]:
    if not rows:
        return []
    keys = [f"{PATIENTS}.{cause}.{side}" for cause in ReferralCause.values for side in SIDES]
    headings = [
        f"{cause.label}, {Border(side).label.lower()}" for cause in ReferralCause for side in SIDES
    ]
    causes = Table(
        "causes",
        _("Patienter efter skäl, inom och över regiongräns"),
        headings,
        [(row.name, [in_words(row.figures.get(key)) for key in keys]) for row in rows],
    )
    return [causes, *(_of_dimension(dimension, rows) for dimension in Dimension)]


def _of_dimension(dimension: Dimension, rows: Sequence[AreaRow]) -> Table:
    measures = [
        one for one in MEASURES.values() if one.dimension == dimension and one.code != PATIENTS
    ]
    keys = [".".join(key_of(one.code)) for one in measures]
    return Table(
        dimension.value,
        str(dimension.label),
        [f"{one.label}, {one.unit}" for one in measures],
        [(row.name, [in_words(row.figures.get(key)) for key in keys]) for row in rows],
    )


def in_words(figure: PublishedFigure | None) -> str:
    """As the page shows it: a number, ``dolt``, or a dash where there was nothing to measure."""
    if figure is None or figure.status == Status.NONE or figure.value is None:
        hidden = figure is not None and figure.status == Status.HIDDEN
        return _("dolt") if hidden else "–"
    is_share = figure.measure in MEASURES and MEASURES[figure.measure].kind == "share"
    places = 1 if is_share else 0
    # Django's own cuts what it is not asked for.
    return str(number_format(round(figure.value, places), places, force_grouping=True))
