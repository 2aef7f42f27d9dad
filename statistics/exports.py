"""The month's figures as CSV and XLSX."""

import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from statistics.selectors import DEFINITIONS, Figures, Statistics

HIDDEN = "dolt"


def headings() -> list[str]:
    return [
        _("Klinik"),
        _("Inkomna"),
        _("Erbjudanden"),
        _("Ja"),
        _("Andel ja, %"),
        _("Behandlade"),
        _("Handläggningstid, dagar (median)"),
        _("Svarstid, timmar (median)"),
        _("Vunna dagar"),
        _("Kostnad, kr"),
    ]


def rows_of(statistics: Statistics) -> list[list[Any]]:
    """A row for each clinic and the total; numbers as numbers, hidden ones as a word."""
    rows = [[unit.name, *_cells(figures)] for unit, figures in statistics.clinics]
    return [*rows, [_("Totalt"), *_cells(statistics.total)]]


def csv_file(statistics: Statistics) -> bytes:
    """Semicolons, decimal comma and a byte-order mark: opens in a Swedish spreadsheet."""
    return csv_bytes(headings(), rows_of(statistics))


def xlsx_file(statistics: Statistics) -> bytes:
    """A sheet with the figures, one with no by reason and one with the definitions."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    formats = {9: book.add_format({"num_format": "#,##0"})}
    decimal = book.add_format({"num_format": "0.0"})
    formats |= {4: decimal, 6: decimal, 7: decimal}
    sheet = book.add_worksheet(str(statistics.month))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 9, 14)
    sheet.write_row(0, 0, headings(), bold)
    for line, row in enumerate(rows_of(statistics), start=1):
        for column, cell in enumerate(row):
            sheet.write(line, column, cell, formats.get(column))
    sheet.freeze_panes(1, 1)
    reasons = book.add_worksheet(_("Nej per skäl"))
    reasons.set_column(0, 0, 30)
    for line, (reason, count) in enumerate(statistics.declines):
        reasons.write_row(line, 0, [reason, HIDDEN if count is None else count])
    add_definitions(book, DEFINITIONS)
    book.close()
    return out.getvalue()


def add_definitions(book: xlsxwriter.Workbook, definitions: Iterable[tuple[Any, Any]]) -> None:
    """A sheet that says what each figure means."""
    sheet = book.add_worksheet(_("Definitioner"))
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    for line, (name, text) in enumerate(definitions):
        sheet.write_row(line, 0, [str(name), str(text)])


def _cells(figures: Figures) -> list[Any]:
    values = [
        ("received", figures.received),
        ("offered", figures.offered),
        ("accepted", figures.accepted),
        ("accepted", _rounded(figures.accepted_share)),
        ("treated", figures.treated),
        ("handling_days", _rounded(figures.handling_days)),
        ("answer_hours", _rounded(figures.answer_hours)),
        ("days_gained", figures.days_gained),
        ("cost", None if figures.cost is None else float(figures.cost)),
    ]
    return [
        HIDDEN if name in figures.hidden else "" if value is None else value
        for name, value in values
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
