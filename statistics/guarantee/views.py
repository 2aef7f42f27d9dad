"""The care guarantee's figures as page and downloads."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from organisations.charts import Chart, bar_chart
from organisations.pages import actor_of, attachment, roles_required
from statistics.exports import HIDDEN
from statistics.guarantee.columns import LIMITS, Basis, Kind
from statistics.guarantee.exports import csv_file, xlsx_file
from statistics.guarantee.forms import GuaranteeForm
from statistics.guarantee.selectors import DEFINITIONS, Cell, Guarantee, Line, guarantee_for
from statistics.selectors import SEES_CASES, clinics_of
from statistics.views import ROLES


@roles_required(*ROLES)
def guarantee_page(request: HttpRequest) -> HttpResponse:
    form, found = _read(request)
    sections = [
        {
            "kind": kind.value,
            "label": kind.label,
            "lines": [_cells(line, found.basis) for line in found.lines[kind]],
            "total": _cells(found.totals[kind], found.basis),
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
            "limits": LIMITS,
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
    form = GuaranteeForm(
        request.GET,
        clinics=clinics_of(actor),
        today=today,
        sees_cases=actor.role in SEES_CASES,
    )
    return form, guarantee_for(actor, today=today, **form.choice())


def _cells(line: Line, basis: str) -> dict[str, Any]:
    return {
        "label": line.label,
        "size": line.size,
        "within": [(limit, line.within[basis][limit]) for limit in LIMITS],
        "own": line.own[basis],
        "own_limit": line.own_limit,
        "paused": line.paused,
    }


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
    return f"{number_format(round(cell.share.percent), 0)} %"
