"""A half-year's figures as CSV and XLSX."""

import io
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from organisations.spreadsheets import XLSX_OPTIONS, csv_bytes
from statistics.pathways.models import OwnStep
from statistics.pathways.own import OwnRow
from statistics.pathways.selectors import Pathways, Row

HIDDEN = "dolt"


def headings() -> list[str]:
    return [
        *(
            _("Underlag"),
            _("Tabell"),
            _("Grupp"),
            _("Patienter"),
            _("Median, dagar"),
            _("80:e percentilen, dagar"),
        ),
        *(_("Med känd gräns"), _("Inom längsta ledtid, %"), _("Lägst, %"), _("Högst, %")),
        _("Källa"),
    ]


def rows_of(found: Pathways) -> list[list[Any]]:
    """All tables below each other, the brokered patients' first; hidden figures as a word."""
    tables = (
        (_("Alla"), [found.total]),
        (_("Vårdförlopp"), found.by_pathway),
        (_("Regiongräns"), found.by_border),
        (_("Flöde"), found.by_flow),
        (_("Steg"), found.steps),
    )
    brokered = _("Förmedlade i Vårdlots")
    rows = [[brokered, name, *_cells(row), ""] for name, group in tables for row in group]
    own = [(_("Inklusion (andel utredda i vårdförlopp)"), found.own.inclusion)]
    own += [(str(OwnStep(step).label), table) for step, table in found.own.lead_times.items()]
    for name, table in own:
        if table.total:
            rows.append(_own_row(name, _("Alla"), table.total))
        rows += [_own_row(name, row.label, row) for row in table.rows]
    return rows


def _own_row(table: str, label: str, row: OwnRow) -> list[Any]:
    """Of the inclusion, patients are those who fell ill and the share those in a pathway."""
    share = row.share
    shares: list[Any] = [HIDDEN] * 4 if row.share_hidden else [""] * 4
    if share is not None:
        shares = [row.base, round(share.percent, 1), round(share.low, 1), round(share.high, 1)]
    number = HIDDEN if row.hidden else _known(row.base)
    own = _("Regionens egna tal")
    return [own, table, label, number, _known(row.median), "", *shares, row.source]


def csv_file(found: Pathways) -> bytes:
    return csv_bytes(headings(), rows_of(found))


def xlsx_file(found: Pathways) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, XLSX_OPTIONS)
    sheet = book.add_worksheet(str(found.period))
    sheet.set_column(0, 2, 30)
    sheet.set_column(3, 9, 14)
    sheet.write_row(0, 0, headings(), book.add_format({"bold": True, "text_wrap": True}))
    for line, row in enumerate(rows_of(found), start=1):
        sheet.write_row(line, 0, row)
    sheet.freeze_panes(1, 3)
    book.close()
    return out.getvalue()


def _cells(row: Row) -> list[Any]:
    share = row.share
    shares: list[Any] = [""] * 4
    if row.share_hidden:
        shares = [HIDDEN] * 4
    elif share is not None:
        rounded = (round(share.percent, 1), round(share.low, 1), round(share.high, 1))
        shares = [row.of, *rounded]
    return [row.label, HIDDEN if row.hidden else _known(row.n), *map(_known, _times(row)), *shares]


def _times(row: Row) -> tuple[float | None, float | None]:
    return row.median, row.p80


def _known(value: float | None) -> Any:
    return "" if value is None else value if isinstance(value, int) else round(value, 1)
