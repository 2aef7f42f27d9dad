"""The agreement's nine measures as page and file, and the reading in of figures."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.files.reading import MAX_BYTES
from organisations.errors import DomainError, InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required
from organisations.spreadsheets import csv_bytes
from statistics.performance.calculator import Result
from statistics.performance.files import COLUMNS, REQUIRED, FigureRow
from statistics.performance.forms import FiguresFileForm, PerformanceForm
from statistics.performance.rules import (
    FIRST_MONTH,
    LAST_MONTH,
    RULES,
    WAITING_OF,
    Measure,
    reference_of,
)
from statistics.performance.selectors import Performance, performance_for
from statistics.performance.services import MAY_IMPORT, import_figures
from statistics.performance.words import missing_of, outcome_of

WHO = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)
FAULTS = 500


@roles_required(*WHO)
def performance_page(request: HttpRequest) -> HttpResponse:
    form, found = _read(request)
    pots = [r.money for r in found.results if r.money is not None]
    context = {
        "form": form,
        "found": found,
        "rows": [_row(found, result) for result in found.results],
        "money": sum(pots) if pots else None,
        "met": sum(result.is_met for result in found.results),
        "may_import": actor_of(request).role in MAY_IMPORT,
        "query": request.GET.urlencode(),
        "last_year": found.month.back(12),
        "months": LAST_MONTH - FIRST_MONTH + 1,
    }
    return render(request, "statistics/performance/performance.html", context)


@roles_required(*WHO)
def performance_csv(request: HttpRequest) -> HttpResponse:
    _form, found = _read(request)
    return attachment(csv_file(found), f"prestationskrav-{found.region.code}-{found.month}.csv")


@roles_required(Role.MANAGER, Role.REGION_ADMIN)
def performance_import(request: HttpRequest) -> HttpResponse:
    """A file of figures; rows that do not hold are shown with number and reason."""
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = FiguresFileForm(*posted)
    context: dict[str, Any] = {
        "form": form,
        "columns": COLUMNS,
        "required": REQUIRED,
        "measures": [(m.value, m.label) for m in Measure],
        "waiting": [(key, measure.label) for measure, key in WAITING_OF.items()],
    }
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            outcome = import_figures(
                file.read(MAX_BYTES + 1),
                name=file.name,
                good_rows_only=form.cleaned_data["good_rows_only"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_refusal(error)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            if not outcome.faulty and outcome.made:
                messages.success(
                    request, _("Filen är inläst: %(rows)s rader.") % {"rows": outcome.rows}
                )
                return redirect("performance")
            context |= {"outcome": outcome, "faulty": outcome.faulty[:FAULTS]}
            context["faults_file"] = as_link(faults_file(outcome.faulty))
    status = 422 if form.errors or "outcome" in context else 200
    return render(request, "statistics/performance/import.html", context, status=status)


def faults_file(faulty: Sequence[FigureRow]) -> bytes:
    """Every row that does not hold, by its number in the file, with the reasons."""
    return csv_bytes([_("Rad"), _("Fel")], [[row.number, " ".join(row.errors)] for row in faulty])


def as_link(content: bytes) -> str:
    """A CSV file within the page: a file that was refused is kept nowhere to be fetched from."""
    return f"data:text/csv;charset=utf-8;base64,{b64encode(content).decode()}"


def csv_file(found: Performance) -> bytes:
    """The nine measures, a row each."""
    headings = [
        *(_("Region"), _("Månad"), _("Mått"), _("Regel"), _("Täljare"), _("Nämnare")),
        *(_("Andel, %"), _("Andel året innan, %"), _("Förbättring, procentenheter"), _("Utfall")),
        *(_("Andel av månadspotten, %"), _("Kronor"), _("Saknas till nivån, procentenheter")),
        *(_("Saknas till förbättring, procentenheter"), _("Uppgifter som saknas")),
        _("Uppnådda månader under året"),
    ]
    rows = []
    for result in found.results:
        row = _row(found, result)
        own = found.figures.get(result.measure)
        numbers = [own.numerator, own.denominator] if own else ["", ""]
        measured = [result.share, result.share_last_year, result.improvement]
        rows.append(
            [
                *(found.region.code, str(found.month), str(row["label"]), row["reference"]),
                *numbers,
                *map(_number, measured),
                row["outcome"],
                *map(_number, (row["pot_percent"], result.money)),
                *map(_number, (result.to_level, result.to_improvement)),
                row["missing"],
                "" if row["months"] is None else row["months"],
            ]
        )
    return csv_bytes(headings, rows)


def _read(request: HttpRequest) -> tuple[PerformanceForm, Performance]:
    today = timezone.localdate()
    form = PerformanceForm(request.GET or None, today=today)
    return form, performance_for(actor_of(request), today=today, **form.choice())


def _row(found: Performance, result: Result) -> dict[str, Any]:
    rule = RULES[result.measure]
    return {
        "result": result,
        "label": result.measure.label,
        "reference": reference_of(result.measure),
        "rule": rule,
        "figure": found.figures.get(result.measure),
        "months": found.year[result.measure] if found.year else None,
        "is_hidden": result.measure in found.hidden,
        "outcome": outcome_of(found, result.measure, result.outcome),
        "pot_percent": None if result.pot_share is None else 100 * result.pot_share,
        "missing": missing_of(result.missing),
    }


def _number(value: Any) -> Any:
    """With a decimal comma, exactly as it was rounded."""
    return "" if value is None else float(value)
