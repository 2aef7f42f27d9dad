"""The dashboard as a report: PDF/A and PDF/UA, figures only, with the page's own pictures."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from organisations.models import Region
from organisations.typesetting import Standard, compile_pdf
from statistics.dashboards.board import Board, PlainTable, tables_of
from statistics.dashboards.pictures import LEGEND, flow_map, funnel_picture
from statistics.dashboards.trend import READING, number

TEMPLATE = "statistics/dashboards/report.typ"
STANDARDS: tuple[Standard, ...] = ("a-2a", "ua-1")
_NAMESPACE = "http://www.w3.org/2000/svg"
MOST_COLUMNS = 9
# The mean is one number, which stands in the words above.
OF_TREND = (0, 1, 2, 4, 5)


def report_pdf(board: Board, *, at: datetime) -> bytes:
    """Some pages of A4: each picture with its table."""
    region = Region.objects.get(pk=board.statistics.region)
    data = {
        "region": region.name,
        "month": board.choice.month.label,
        "chosen": board.choice.words,
        "made": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
        "suppressed": board.statistics.suppressed,
        "reading": str(READING),
        "legend": str(LEGEND),
        "parts": _parts(board),
    }
    return compile_pdf(TEMPLATE, data, at=at, standards=STANDARDS)


def _parts(board: Board) -> list[dict[str, Any]]:
    month, *rest = tables_of(board)
    of_trends, (stages, reasons, flows, gaps) = rest[:-4], rest[-4:]
    arrows = flow_map(board.flows, Region.objects.all())
    stairs = funnel_picture(board.funnel)
    return [
        _part(month, [_cut(month, range(len(month.headings)))]),
        *(
            _part(
                table,
                _halves(table),
                "trend",
                _svg("components/control_chart.html", chart=trend.chart),
                trend.chart.title,
            )
            for table, trend in zip(of_trends, board.trends, strict=True)
        ),
        _part(
            stages,
            _widths(stages),
            "funnel",
            _svg("statistics/dashboards/funnel_picture.html", picture=stairs),
            stairs.title,
        ),
        _part(reasons, _widths(reasons)),
        _part(
            flows,
            _widths(flows),
            "map",
            _svg("statistics/dashboards/flow_picture.html", picture=arrows) if flows.rows else "",
            arrows.title,
        ),
        _part(gaps, _widths(gaps) if len(gaps.rows) > 1 else []),
    ]


def _part(
    table: PlainTable,
    tables: list[dict[str, Any]],
    kind: str = "",
    picture: str = "",
    words: str = "",
) -> dict[str, Any]:
    return {
        "title": table.title,
        "note": table.note,
        "kind": kind,
        "picture": picture,
        "words": words,
        "tables": tables,
    }


def _halves(table: PlainTable) -> list[dict[str, Any]]:
    """The months in two tables, to stand beside each other under their curve."""
    rows = range(len(table.rows))
    half = -(-len(rows) // 2)
    return [_cut(table, OF_TREND, part) for part in (rows[:half], rows[half:]) if part]


def _widths(table: PlainTable) -> list[dict[str, Any]]:
    """As many tables as the page's width needs, each with the row's name."""
    return [
        _cut(table, (0, *range(start, min(start + MOST_COLUMNS, len(table.headings)))))
        for start in range(1, len(table.headings), MOST_COLUMNS)
    ]


def _cut(
    table: PlainTable, columns: Sequence[int], rows: Sequence[int] | None = None
) -> dict[str, Any]:
    places = range(len(table.rows)) if rows is None else rows
    return {
        "headings": [table.headings[column] for column in columns],
        "rows": [[_text(table.rows[row][column]) for column in columns] for row in places],
        "shades": [
            [table.shades[row][column] for column in columns] for row in places if table.shades
        ],
    }


def _text(cell: str | int | float) -> str:
    if isinstance(cell, str):
        return cell
    return number(cell, 1 if isinstance(cell, float) else 0)


def _svg(template: str, **context: Any) -> str:
    """The page's picture as a file of its own: its namespace named, its looks in it."""
    before, _tag, picture = render_to_string(template, context).partition("<svg ")
    head, _end, rest = picture.partition(">")
    return f'{before}<svg xmlns="{_NAMESPACE}" {head}><style>{_looks()}</style>{rest}'


@cache
def _looks() -> str:
    path = Path(settings.BASE_DIR) / "static" / "css" / "pictures.css"
    return f"text {{ font-family: Inter; }} {path.read_text()}"
