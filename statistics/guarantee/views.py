"""The care guarantee's figures as page and downloads."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.charts import Chart, bar_chart
from organisations.pages import actor_of, attachment, roles_required
from statistics.exports import HIDDEN
from statistics.guarantee.columns import LIMITS, Basis, Kind
from statistics.guarantee.exports import csv_file, xlsx_file
from statistics.guarantee.forms import GuaranteeForm
from statistics.guarantee.selectors import (
    DEFINITIONS,
    Cell,
    Guarantee,
    Line,
    guarantee_for,
)
from statistics.guarantee.withheld import last_decided_month
from statistics.selectors import SEES_CASES
from statistics.views import ROLES


@roles_required(*ROLES)
def guarantee_page(request: HttpRequest) -> HttpResponse:
    form, found = _read(request)
    heads = [*(_("Inom %(days)s dagar") % {"days": days} for days in LIMITS), _("Inom egen gräns")]
    sections = [
        {
            "kind": kind.value,
            "label": kind.label,
            "lines": [_cells(line, found.basis, heads) for line in found.lines[kind]],
            "total": _cells(found.totals[kind], found.basis, heads),
            "chart": _chart(str(kind.label), found.totals[kind], found.basis),
        }
        for kind in Kind
    ]
    return render(
        request,
        "statistics/guarantee/guarantee.html",
        {
            "form": form,
            "found": found,
            "sections": sections,
            "heads": heads,
            "basis": Basis(found.basis).label,
            "definitions": DEFINITIONS,
            "query": request.GET.urlencode(),
        },
    )


@roles_required(*ROLES)
def guarantee_csv(request: HttpRequest) -> HttpResponse:
    _form, found = _read(request)
    return attachment(csv_file(found), f"vardgaranti-{found.month}.csv")


@roles_required(*ROLES)
def guarantee_xlsx(request: HttpRequest) -> HttpResponse:
    _form, found = _read(request)
    return attachment(xlsx_file(found), f"vardgaranti-{found.month}.xlsx")


def _read(request: HttpRequest) -> tuple[GuaranteeForm, Guarantee]:
    actor, today = actor_of(request), timezone.localdate()
    data = request.GET.copy()
    if not data.get("month") and actor.role not in SEES_CASES:
        # Of a month that is not decided they see no clinic's waiting.
        data["month"] = str(last_decided_month(actor) or "")
    form = GuaranteeForm(data, actor=actor, today=today)
    return form, guarantee_for(actor, today=today, **form.choice())


def _cells(line: Line, basis: str, heads: Sequence[str]) -> dict[str, Any]:
    """The line in words: there are hundreds of cells, which a template writes out slowly."""
    within = [(line.within[basis][days], None) for days in LIMITS]
    cells = [*within, (line.own[basis], line.own_limit)]
    return {
        "label": line.label,
        "size": line.size,
        "cells": [
            {"head": head, "count": cell.count, "share": _interval(cell), "limit": limit}
            for head, (cell, limit) in zip(heads, cells, strict=True)
        ],
        "paused": line.paused,
    }


def _interval(cell: Cell) -> str:
    if cell.share is None:
        return ""
    percent, low, high = (_whole(n) for n in (cell.share.percent, cell.share.low, cell.share.high))
    return f"{percent} % ({low}–{high})"


def _whole(percent: float) -> int:
    """Half upwards, as readers do."""
    return int(percent + 0.5)


def _chart(title: str, line: Line, basis: str) -> Chart:
    cells = [
        *((_("%(days)d dagar") % {"days": n}, line.within[basis][n]) for n in LIMITS),
        (_("egen gräns"), line.own[basis]),
    ]
    points = [
        (label, cell.share.percent if cell.share else None, _shown(cell)) for label, cell in cells
    ]
    return bar_chart(_("%(whose)s, andel inom") % {"whose": title}, points)


def _shown(cell: Cell) -> str:
    if cell.share is None:
        return HIDDEN if cell.is_hidden else "–"
    return f"{_whole(cell.share.percent)} %"
