"""A plan's weeks from a file, and a plan with its actual figures as rows for one."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from capacity.models.plans import MOST_PER_WEEK
from capacity.plans.figures import PlanFigures
from capacity.plans.weeks import weeks_in
from contracts.files.columns import Column
from contracts.files.reading import read_rows
from contracts.files.values import whole_of

COLUMNS = (
    Column("week", "vecka", _("ISO-veckans nummer, 1–53")),
    Column("volume", "volym", _("patienter den veckan, heltal")),
)
REQUIRED = frozenset({"week", "volume"})
MAX_ROWS = 53
HIDDEN = "dolt"


@dataclass
class ReadWeeks:
    """What a file says: volumes by week number, and what is wrong by row number."""

    volumes: dict[int, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)


def read_weeks(content: bytes, *, year: int) -> ReadWeeks:
    """Check every row; raises :class:`InvalidInput` when the file cannot be read at all."""
    found, seen = ReadWeeks(), dict[int, int]()
    for number, cells in read_rows(content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS):
        try:
            week = _whole(cells, "week", least=1, most=weeks_in(year))
            volume = _whole(cells, "volume", least=0, most=MOST_PER_WEEK)
            if week in seen:
                raise ValueError(_("Veckan står redan på rad %(row)s.") % {"row": seen[week]})
        except ValueError as error:
            found.faults.append((number, str(error)))
            continue
        seen[week] = number
        found.volumes[week] = volume
    return found


def _whole(cells: dict[str, str], key: str, *, least: int, most: int) -> int:
    heading = next(column.heading for column in COLUMNS if column.key == key)
    text = cells.get(key, "")
    if not text:
        raise ValueError(_("%(key)s saknas.") % {"key": heading})
    try:
        value = whole_of(text)
    except ValueError as error:
        raise ValueError(f"{heading}: {error}") from None
    if not least <= value <= most:
        raise ValueError(
            _("%(key)s: talet ska vara mellan %(least)s och %(most)s.")
            % {"key": heading, "least": least, "most": most}
        )
    return value


def report_rows(figures: PlanFigures) -> list[list[Any]]:
    """Headings and a row for each week; the first two columns can be read in again."""
    return [
        ["vecka", "volym", "måndag", "utfall", "bokat", "plan ackumulerat", "utfall ackumulerat"],
        *(
            [
                row.week.number,
                row.planned,
                row.week.monday.isoformat(),
                _cell(row.delivered) if row.has_ended else "",
                "" if row.has_ended else _cell(row.booked),
                row.planned_so_far if row.has_ended else "",
                _cell(row.delivered_so_far) if row.has_ended else "",
            ]
            for row in figures.weeks
        ),
    ]


def _cell(value: int | None) -> int | str:
    return HIDDEN if value is None else value
