"""The dashboard as CSV and XLSX."""

import io

import xlsxwriter
from django.utils.translation import gettext as _

from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from statistics.dashboards.board import PlainTable


def csv_file(tables: list[PlainTable]) -> bytes:
    """One row for each number, so that the parts fit one file: part, row, column, value."""
    rows = [
        [table.title, row[0], heading, value]
        for table in tables
        for row in table.rows
        for heading, value in zip(table.headings[1:], row[1:], strict=True)
    ]
    return csv_bytes([_("Del"), _("Rad"), _("Kolumn"), _("Värde")], rows)


def xlsx_file(tables: list[PlainTable]) -> bytes:
    """A sheet for each part."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for table in tables:
        sheet = book.add_worksheet(table.name)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, max(1, len(table.headings) - 1), 14)
        sheet.write_string(0, 0, table.title, bold)
        if table.note:
            sheet.write_string(1, 0, table.note)
        sheet.write_row(2, 0, table.headings, bold)
        for line, row in enumerate(table.rows, start=3):
            for column, cell in enumerate(row):
                sheet.write(line, column, cell)
        sheet.freeze_panes(3, 1)
    book.close()
    return out.getvalue()
