"""The dashboard as a report: PDF/A and PDF/UA, figures only."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.models import Region
from organisations.typesetting import Standard, compile_pdf
from statistics.dashboards.board import Board, tables_of

TEMPLATE = "statistics/dashboards/report.typ"
STANDARDS: tuple[Standard, ...] = ("a-2a", "ua-1")
MOST_COLUMNS = 9


def report_pdf(board: Board, *, at: datetime) -> bytes:
    """Some pages of A4. A table too wide for the page is cut in parts, each with the row's name."""
    region = Region.objects.get(pk=board.statistics.region)
    chosen = [
        board.statistics.clinic.name if board.statistics.clinic else _("Alla kliniker"),
        *([_("verksamhetsområde %s") % board.choice.mvo] if board.choice.mvo else []),
        *([_("åtgärd %s") % board.choice.procedure] if board.choice.procedure else []),
    ]
    parts = []
    for table in tables_of(board):
        width = len(table.headings)
        for start in range(1, max(2, width), MOST_COLUMNS):
            stop = min(start + MOST_COLUMNS, width)
            parts.append(
                {
                    "title": table.title if start == 1 else _("%s, forts.") % table.title,
                    "note": table.note if start == 1 else "",
                    "headings": [table.headings[0], *table.headings[start:stop]],
                    "rows": [
                        [_text(row[0]), *(_text(cell) for cell in row[start:stop])]
                        for row in table.rows
                    ],
                }
            )
    data = {
        "region": region.name,
        "month": board.choice.month.label,
        "chosen": ", ".join(chosen),
        "made": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
        "suppressed": board.statistics.suppressed,
        "parts": parts,
    }
    return compile_pdf(TEMPLATE, data, at=at, standards=STANDARDS)


def _text(cell: str | int | float) -> str:
    """As people read it; a real minus."""
    text = str(cell).replace(".", ",") if isinstance(cell, float) else str(cell)
    return text if isinstance(cell, str) else text.replace("-", "\N{MINUS SIGN}")
