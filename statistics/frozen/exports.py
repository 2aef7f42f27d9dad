"""A month's figures as CSV and XLSX, as the page shows them."""

import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from statistics.exports import add_definitions
from statistics.frozen.picture import Cell
from statistics.frozen.selectors import FigureRow, MonthPage
from statistics.frozen.words import HIDDEN, told, value_of
from statistics.monthly.measures import MEASURES, Measure


def headings() -> list[str]:
    parts = [
        _("n"),
        _("Värde"),
        _("Median"),
        _("80:e percentilen"),
        _("Konfidensintervall från"),
        _("Konfidensintervall till"),
    ]
    now = [_("%(part)s, nu") % {"part": part} for part in parts]
    return [_("Indelning"), _("Nyckel"), _("Grupp"), _("Mått"), _("Enhet"), *parts, *now]


def rows_of(page: MonthPage) -> Iterable[list[Any]]:
    """Numbers as numbers, hidden ones as a word."""
    for row in page.rows:
        yield [
            *(row.dimension, row.key, row.label, str(row.shown.label), str(row.shown.unit)),
            *_cells(row, row.frozen),
            *_cells(row, row.known),
        ]


def csv_file(page: MonthPage) -> bytes:
    return csv_bytes(headings(), rows_of(page))


def xlsx_file(page: MonthPage) -> bytes:
    """Sheets with the figures, the corrections, what the month is, and the definitions."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(str(page.month))
    sheet.set_column(0, 16, 14)
    sheet.write_row(0, 0, headings(), bold)
    for line, row in enumerate(rows_of(page), start=1):
        sheet.write_row(line, 0, row)
    sheet.freeze_panes(1, 4)
    changes = book.add_worksheet(_("Rättelser"))
    changes.set_column(0, 5, 24)
    changes.write_row(0, 0, correction_headings(), bold)
    for line, change in enumerate(correction_rows(page), start=1):
        changes.write_row(line, 0, change)
    about = book.add_worksheet(_("Om månaden"))
    about.set_column(0, 0, 22)
    about.set_column(1, 1, 80)
    for line, pair in enumerate(_about(page)):
        about.write_row(line, 0, pair)
    add_definitions(book, [(one.label, one.definition) for one in MEASURES.values()])
    book.close()
    return out.getvalue()


def correction_headings() -> list[str]:
    return [_("Upptäckt"), _("Grupp"), _("Mått"), _("Från"), _("Till"), _("Varför")]


def correction_rows(page: MonthPage) -> Iterable[list[str]]:
    for one in page.corrections:
        yield [
            f"{timezone.localtime(one.found_at):%Y-%m-%d %H:%M}",
            one.label,
            str(one.shown.label),
            told(one.before, one.shown),
            told(one.after, one.shown),
            "; ".join(one.why),
        ]


def _about(page: MonthPage) -> Iterable[list[str]]:
    yield [_("Månad"), page.month.label]
    if page.chosen is None:
        yield [_("Status"), _("Preliminär")]
        return
    for one in page.versions:
        frozen = timezone.localtime(one.frozen_at)
        yield [_("Version %(n)s fryst") % {"n": one.version}, f"{frozen:%Y-%m-%d %H:%M}"]
        yield [_("Räkneregler"), one.rules]
        if one.reason:
            yield [_("Skäl"), one.reason]
    yield [_("Visad version"), str(page.chosen.version)]


def _cells(row: FigureRow, cell: Cell) -> list[Any]:
    if row.hidden:
        return [HIDDEN] * 6
    return [cell.n, *(_number(part) for part in _parts(cell, row.shown))]


def _parts(cell: Cell, measure: Measure) -> tuple[Any, ...]:
    return value_of(cell, measure), cell.median, cell.p80, cell.low, cell.high


def _number(part: Any) -> float | str:
    return "" if part is None else round(float(part), 2)
