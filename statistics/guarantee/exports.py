"""The care guarantee's figures as CSV and XLSX: every kind of wait and way to count it."""

import io
from collections.abc import Iterator
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from statistics.exports import HIDDEN, add_definitions
from statistics.guarantee.columns import LIMITS, Basis, Kind
from statistics.guarantee.selectors import DEFINITIONS, Cell, Guarantee, Line


def headings() -> list[str]:
    names = [_("Månad"), _("Per dag"), _("Väntan"), _("Räknat"), _("Grupp"), _("Antal")]
    for limit in LIMITS:
        names += _of_share(_("inom %(days)d dagar") % {"days": limit})
    names += [_("Egen gräns, dagar"), *_of_share(_("inom egen gräns"))]
    return [*names, _("Med patientvald väntan"), _("Med medicinskt orsakad väntan")]


def _of_share(what: str) -> list[str]:
    return [
        _("Antal %(what)s") % {"what": what},
        _("Andel %(what)s, %%") % {"what": what},
        _("Lägst, %"),
        _("Högst, %"),
    ]


def rows_of(found: Guarantee) -> list[list[Any]]:
    """A row for each group, kind and way to count; hidden figures as a word."""
    return [
        [str(found.month), found.day.isoformat(), str(kind.label), str(basis.label), *cells]
        for kind in Kind
        for basis in Basis
        for line in (*found.lines[kind], found.totals[kind])
        for cells in (list(_cells(line, basis)),)
    ]


def _cells(line: Line, basis: str) -> Iterator[Any]:
    yield line.label
    yield HIDDEN if line.size is None else line.size
    for limit in LIMITS:
        yield from _share(line.within[basis][limit])
    yield line.own_limit or ""
    yield from _share(line.own[basis])
    for count in line.paused.values():
        yield HIDDEN if count is None else count


def _share(cell: Cell) -> list[Any]:
    if cell.count is None:
        return [HIDDEN] * 4
    if cell.share is None:
        return [cell.count, "", "", ""]
    share = cell.share
    return [cell.count, *(round(value, 1) for value in (share.percent, share.low, share.high))]


def csv_file(found: Guarantee) -> bytes:
    return csv_bytes(headings(), rows_of(found))


def xlsx_file(found: Guarantee) -> bytes:
    """A sheet with the figures and one with what they mean."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    decimal = book.add_format({"num_format": "0.0"})
    sheet = book.add_worksheet(str(found.month))
    sheet.set_column(0, 1, 11)
    sheet.set_column(2, 4, 32)
    sheet.set_column(5, 30, 12)
    sheet.write_row(0, 0, headings(), bold)
    for number, row in enumerate(rows_of(found), start=1):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell, decimal if isinstance(cell, float) else None)
    sheet.freeze_panes(1, 5)
    ended = book.add_worksheet(_("Avslutade"))
    ended.set_column(0, 0, 44)
    for number, (reason, count) in enumerate(found.ended):
        ended.write_row(number, 0, [reason, HIDDEN if count is None else count])
    add_definitions(book, DEFINITIONS)
    book.close()
    return out.getvalue()
