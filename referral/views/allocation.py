"""Allocation of a waiting list: ask, see what came of it, accept, fetch as a file."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contracts.files.writing import xlsx_file
from organisations.access import Actor, record_access
from organisations.charts import Chart, bar_chart
from organisations.errors import DomainError, InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, query, roles_required
from organisations.spreadsheets import csv_bytes
from referral import services
from referral.forms.allocation import AllocationForm
from referral.models import AllocationRow, AllocationRun, CaseState
from referral.selectors.allocation import choices_for, drafts_of, outcomes_of, rows_of, runs_of

Outcome = AllocationRow.Outcome
WAYS = (("home", "Vänta hemma"), ("first", "Först till kvarn"), ("best", "Bästa fördelning"))


@roles_required(Role.NAVIGATOR)
def allocations_page(request: HttpRequest) -> HttpResponse:
    """The form that asks for an allocation, and those that were made."""
    actor, now = actor_of(request), timezone.now()
    form = AllocationForm(
        request.POST if request.method == "POST" else None, choices=choices_for(actor)
    )
    if form.is_bound and form.is_valid():
        try:
            run = services.request_allocation(**form.wanted(), actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return redirect("allocation", pk=run.pk)
    runs = page_of(runs_of(actor), request)
    return render(
        request,
        "referral/allocation/allocations.html",
        {"form": form, "runs": runs, "drafts": drafts_of(actor).count(), **pager(runs, request)},
        status=422 if form.errors else 200,
    )


@roles_required(Role.NAVIGATOR)
def allocation_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of a run; while it waits, the page asks again by itself."""
    actor, now = actor_of(request), timezone.now()
    run = _run_or_404(actor, pk)
    if run.state != AllocationRun.State.DONE:
        waiting = bool(getattr(request, "htmx", False))
        template = "waiting_part" if waiting else "waiting"
        return render(request, f"referral/allocation/{template}.html", {"run": run})
    if getattr(request, "htmx", False):
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    shown = request.GET.get("outcome", Outcome.PLACED)
    shown = shown if shown in Outcome.values else str(Outcome.PLACED)
    rows = page_of(rows_of(actor, run).filter(outcome=shown), request)
    record_access(actor, what="allocation", now=now, cases=_numbers(rows))
    counts = outcomes_of(run)
    return render(
        request,
        "referral/allocation/allocation.html",
        {
            "run": run,
            "figures": [(name, label, run.figures[name]) for name, label in _ways()],
            "gap": _gap_percent(run),
            "charts": _charts(run),
            "limits": [limit for limit in run.limits if limit["best"] or limit["first"]],
            "rows": rows,
            "tabs": [
                {
                    "label": outcome.label,
                    "count": counts[outcome],
                    "query": query(request, outcome=outcome.value, page=""),
                    "current": outcome == shown,
                }
                for outcome in Outcome
                if counts.get(outcome)
            ],
            "placed": shown == Outcome.PLACED,
            "draftable": _draftable(actor, run),
            "in_progress": CaseState.IN_PROGRESS,
            **pager(rows, request),
        },
    )


def _run_or_404(actor: Actor, pk: int) -> AllocationRun:
    return get_object_or_404(runs_of(actor).select_related("region"), pk=pk)


def _ways() -> Iterator[tuple[str, str]]:
    yield from ((name, str(_(label))) for name, label in WAYS)


def _numbers(rows: Iterable[AllocationRow]) -> list[tuple[str, int | None]]:
    return [(row.case.number, row.case.patient_id) for row in rows]


def _draftable(actor: Actor, run: AllocationRun) -> int:
    placed = rows_of(actor, run).filter(outcome=Outcome.PLACED)
    return placed.filter(case__state=CaseState.IN_PROGRESS).count()


def _gap_percent(run: AllocationRun) -> float | None:
    """How far from the least possible total wait, at the most; ``None`` when it is the least."""
    if run.is_best or run.bound_days is None:
        return None
    total: int = run.figures["best"]["wait_days"]
    return 100 * (total - run.bound_days) / max(1, run.bound_days)


def _charts(run: AllocationRun) -> list[Chart]:
    shown = (("wait_days", _("Sammanlagd väntan, dagar")), ("placed", _("Får plats")))
    return [bar_chart(title, _points(run, figure)) for figure, title in shown]


def _points(run: AllocationRun, figure: str) -> list[tuple[str, float | None, str]]:
    values = [(label, run.figures[name][figure]) for name, label in _ways()]
    return [
        (label, float(value), number_format(value, 0, use_l10n=True, force_grouping=True))
        for label, value in values
    ]


@roles_required(Role.NAVIGATOR)
@require_POST
def allocation_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Make drafts of offers of what the run proposes."""
    actor = actor_of(request)
    run = _run_or_404(actor, pk)
    try:
        made = services.accept_allocation(run, actor=actor, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("allocation", pk=pk)
    messages.success(request, _("%(made)s utkast är gjorda. Inget är skickat.") % {"made": made})
    return redirect("offer-drafts")


HEADINGS = (
    *("Kö", "Ärende", "Status", "Åtgärd", "Klinik", "Utfall", "Vårdgivare", "Avtal"),
    *("Väntan hemma, dagar", "Väntan hemma känd", "Väntan hos vårdgivaren, dagar"),
    *("Avstånd, km", "Pris, kr", "Först till kvarn"),
)


@roles_required(Role.NAVIGATOR)
def allocation_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The whole allocation, a row per case by number; no names and no identity numbers."""
    actor, now = actor_of(request), timezone.now()
    run = _run_or_404(actor, pk)
    if kind not in {"csv", "xlsx"} or run.state != AllocationRun.State.DONE:
        raise Http404
    rows = list(rows_of(actor, run))
    record_access(actor, what="allocation_file", now=now, cases=_numbers(rows))
    cells = [_cells(row) for row in rows]
    if kind == "csv":
        content = csv_bytes(HEADINGS, cells)
    else:
        content = xlsx_file([list(HEADINGS), *cells], sheet=_("Fördelning"))
    return attachment(content, f"fordelning-{run.pk}.{kind}")


def _cells(row: AllocationRow) -> list[Any]:
    line, case = row.line, row.case
    return [
        row.position,
        case.number,
        case.state_label,
        f"{case.kva} {case.procedure_name}",
        case.sending_unit.name,
        row.get_outcome_display(),
        line.care_unit.name if line else "",
        line.contract.number if line else "",
        "" if row.home_days is None else row.home_days,
        _("ja") if row.home_is_known else _("nej"),
        "" if row.wait_days is None else row.wait_days,
        "" if row.distance_km is None else row.distance_km,
        float(line.price_sek) if line else "",
        row.first_line.care_unit.name if row.first_line else "",
    ]
