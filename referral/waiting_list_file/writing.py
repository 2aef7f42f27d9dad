"""The template of a waiting list, and the report of one that was handed in, as files."""

import io
from collections.abc import Iterator
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from contracts.files.reading import text_rows
from contracts.files.writing import xlsx_file
from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from referral.waiting_list_file.columns import COLUMNS, REQUIRED
from referral.waiting_list_file.rows import MAX_ROWS
from referral.waiting_list_file.selectors import RowOutcome

# A workbook is made in memory; a longer report is fetched as CSV.
MOST_IN_XLSX = 10_000


def template_csv() -> bytes:
    return csv_bytes([column.heading for column in COLUMNS], [])


def template_xlsx() -> bytes:
    """The headings over cells that are text, which keep a leading zero, and what they mean."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    page = book.add_worksheet(_("Väntelista"))
    page.set_column(0, len(COLUMNS) - 1, 18, text)
    page.freeze_panes(1, 0)
    words = book.add_worksheet(_("Så fyller du i"))
    words.set_column(0, 0, 26)
    words.set_column(1, 1, 80)
    for number, column in enumerate(COLUMNS):
        page.write_string(0, number, column.heading, bold)
        must = _("måste finnas") if column.key in REQUIRED else ""
        words.write_string(number, 0, column.heading, bold)
        words.write_string(number, 1, "; ".join(filter(None, (must, str(column.help)))))
    book.close()
    return out.getvalue()


def report_csv(content: bytes, outcomes: list[RowOutcome]) -> bytes:
    headings, *rows = report_rows(content, outcomes)
    return csv_bytes(headings, rows)


def report_xlsx(content: bytes, outcomes: list[RowOutcome]) -> bytes:
    return xlsx_file(report_rows(content, outcomes), sheet=_("Utfall"))


def report_rows(content: bytes, outcomes: list[RowOutcome]) -> Iterator[list[Any]]:
    """What became of each row, before the row as it was handed in."""
    by_number = {one.row: one for one in outcomes}
    rows = text_rows(content, max_rows=MAX_ROWS)
    _first, headings = next(rows)
    yield [_("rad"), _("utfall"), _("ärendenummer"), _("att rätta"), *headings]
    for number, texts in rows:
        one = by_number.get(number)
        if one is not None:
            faults = " ".join(f"{fault.heading}: {fault.text}" for fault in one.faults)
            yield [number, one.label, one.case_number, faults, *texts]
