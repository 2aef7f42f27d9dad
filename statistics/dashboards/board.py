"""All parts of a dashboard for one choice, and the same as plain tables for files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from organisations.access import Actor
from statistics.dashboards.flows import Flows, flows_of
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import Funnel, funnel_of
from statistics.dashboards.gaps import Gaps, gaps_of
from statistics.dashboards.trend import (
    Cell,
    KeyFigure,
    Shown,
    Trend,
    figures_of,
    key_figures,
    trends,
)
from statistics.selectors import Statistics

HIDDEN = "dolt"


@dataclass(frozen=True)
class Board:
    choice: Choice
    statistics: Statistics
    key_figures: list[Shown]
    trends: list[Trend]
    funnel: Funnel
    flows: Flows
    gaps: Gaps


@dataclass(frozen=True)
class PlainTable:
    """A part as headings and rows, for spreadsheet and report. ``shades`` are as many as the cells
    of a heat map, 0 for none."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    shades: tuple[tuple[int, ...], ...] = ()


def board_of(actor: Actor, choice: Choice, *, today: date) -> Board:
    """Everything at once, for the files. Raises :class:`NotAllowed`."""
    statistics = figures_of(actor, choice)
    return Board(
        choice,
        statistics,
        key_figures(statistics),
        trends(statistics, today=today),
        funnel_of(actor, choice),
        flows_of(actor, choice),
        gaps_of(actor, choice, today=today),
    )


def tables_of(board: Board) -> list[PlainTable]:
    """The parts in the page's order. Those who see figures only get some parts of the whole region
    whatever clinic is chosen; their headings say so."""
    of_region = _(", hela regionen") if board.statistics.suppressed and board.choice.clinic else ""
    return [
        _month(board),
        *(_trend(trend) for trend in board.trends),
        *_funnel(board.funnel, of_region),
        _flows(board.flows),
        _gaps(board.gaps, of_region),
    ]


def _month(board: Board) -> PlainTable:
    return PlainTable(
        _("Månaden"),
        _("Nyckeltal %(month)s") % {"month": board.choice.month.label},
        (
            _("Nyckeltal"),
            _("Enhet"),
            _("Värde"),
            _("Mot förra månaden"),
            _("Mot samma månad i fjol"),
        ),
        tuple(
            (
                str(one.figure.label),
                _unit(one.figure),
                *one.numbers,
            )
            for one in board.key_figures
        ),
    )


def _unit(figure: KeyFigure) -> str:
    if figure.unit_of_change != figure.unit:
        words = {"unit": figure.unit, "change": figure.unit_of_change}
        return _("%(unit)s, ändring i %(change)s") % words
    return str(figure.unit) or _("antal")


_SHEETS = {
    "received": "Trend inkomna",
    "treated": "Trend behandlade",
    "handling_days": "Trend handläggning",
    "accepted_share": "Trend andel ja",
}


def _trend(trend: Trend) -> PlainTable:
    return PlainTable(
        _SHEETS[trend.figure.key],
        trend.title,
        (_("Månad"), _("Värde"), _("Undre gräns"), _("Medel"), _("Övre gräns"), _("Signal")),
        tuple(
            (
                str(row.month),
                row.numbers[0],
                row.numbers[1],
                trend.centre,
                row.numbers[2],
                row.signal,
            )
            for row in trend.rows
        ),
        trend.words,
    )


def _funnel(funnel: Funnel, of_region: str) -> Sequence[PlainTable]:
    last = funnel.stages[-1]
    stages = PlainTable(
        _("Tratt"),
        _("Från blankett till behandling, inkomna %(period)s") % {"period": funnel.period}
        + of_region,
        (_("Steg"), _("Nått steget"), _("Andel, %"), _("Kvar i steget"), _("Avslutade i steget")),
        tuple(
            (
                str(stage.label),
                shown(stage.reached),
                "" if stage.share is None else round(stage.share, 1),
                # Nothing comes after the last stage, so that nobody is left or leaves there.
                *(("", "") if stage == last else (shown(stage.still), shown(stage.left))),
            )
            for stage in funnel.stages
        ),
    )
    reasons = PlainTable(
        _("Avslutade, skäl"),
        _("Avslutade utan behandling, skäl, inkomna %(period)s") % {"period": funnel.period}
        + of_region,
        (_("Skäl"), _("Antal")),
        (
            *((str(one.label), shown(one.count)) for one in funnel.reasons),
            (_("Totalt"), shown(funnel.left)),
        ),
    )
    return stages, reasons


def _flows(flows: Flows) -> PlainTable:
    return PlainTable(
        _("Flöden"),
        _("Behandlade %(period)s: hemregion mot vårdgivarens region") % {"period": flows.period},
        (_("Hemregion"), _("Totalt"), *(region.short_name for region in flows.columns)),
        tuple(
            (row.region.short_name, shown(row.total), *(shown(count) for count in row.counts))
            for row in flows.rows
        ),
    )


def _gaps(gaps: Gaps, of_region: str) -> PlainTable:
    return PlainTable(
        _("Avtal saknas"),
        _("Väntande utan avtal: klinik mot åtgärd") + of_region,
        (_("Klinik"), *(column.kva for column in gaps.columns), _("Totalt")),
        (
            *(
                (row.clinic.name, *(shown(cell.count) for cell in row.cells), shown(row.total))
                for row in gaps.rows
            ),
            (_("Totalt"), *(shown(count) for count in gaps.column_totals), shown(gaps.total)),
        ),
        "; ".join(f"{column.kva} {column.name}" for column in gaps.columns),
        (
            *((0, *(cell.step for cell in row.cells), 0) for row in gaps.rows),
            (0,) * (len(gaps.columns) + 2),
        ),
    )


def shown(count: int | None) -> Cell:
    return HIDDEN if count is None else count
