"""The waiting-time database: make or hand in a month's file, receipts, reporting degree, layout."""

import io
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, roles_required
from organisations.plain_forms import attempt
from statistics.waiting_times import services
from statistics.waiting_times.codes import CODES, SEVERITY_LABELS
from statistics.waiting_times.forms import OwnFileForm, ReportingForm, UploadForm
from statistics.waiting_times.layout import NOT_APPLICABLE, Model, columns
from statistics.waiting_times.models import WaitingTimeDelivery
from statistics.waiting_times.report import FaultWriter, full_reason
from statistics.waiting_times.selectors import (
    FaultLine,
    counts_of,
    deliveries_of,
    fault_line,
    faults_of,
    first_faults_of,
    is_current,
    receipt_of,
    reporting,
)
from statistics.waiting_times.validation import Fault, Result, Verdict, faults_in_words

WHO = (Role.REGION_ADMIN, Role.MANAGER)
FAULTS_SHOWN = 200
TONES = {Verdict.APPROVED: "success", Verdict.INCOMPLETE: "warning", Verdict.REFUSED: "danger"}


@roles_required(*WHO)
def deliveries_page(request: HttpRequest) -> HttpResponse:
    """Receipts; make the month's file from the own cases, or hand one in."""
    actor, now = actor_of(request), timezone.now()
    is_own = request.method == "POST" and "month" in request.POST
    is_upload = request.method == "POST" and not is_own
    own = OwnFileForm(request.POST if is_own else None, today=timezone.localdate(now))
    upload = UploadForm(*((request.POST, request.FILES) if is_upload else ()))
    made, status = None, None
    month = own.chosen() if is_own and own.is_valid() else None
    if month:
        made, status = attempt(own, lambda: services.deliver_own(month, actor=actor, now=now))
    elif is_upload and upload.is_valid():
        file = upload.cleaned_data["file"]
        content = file.read(services.MOST_BYTES_READ)
        made, status = attempt(
            upload, lambda: services.deliver(content, name=file.name, actor=actor, now=now)
        )
    if made:
        return redirect("waiting-times-receipt", number=made.number)
    page = page_of(deliveries_of(actor), request)
    context = {
        "own": own,
        "upload": upload,
        "page": page,
        "deliveries": [_line(delivery) for delivery in page],
        **pager(page, request),
    }
    status = status or (422 if own.errors or upload.errors else 200)
    return render(request, "statistics/waiting_times/deliveries.html", context, status=status)


def _line(delivery: WaitingTimeDelivery) -> dict[str, Any]:
    return {
        "delivery": delivery,
        "tone": TONES[Verdict(delivery.verdict)],
        "counts": counts_of(delivery),
    }


@roles_required(*WHO)
def check_page(request: HttpRequest) -> HttpResponse:
    """Judge a file as a delivery of today would be; nothing is kept."""
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*posted)
    context: dict[str, Any] = {"form": form, "shown": FAULTS_SHOWN}
    status = None
    if form.is_valid():
        content = form.cleaned_data["file"].read(services.MOST_BYTES_READ)
        result, status = attempt(
            form,
            lambda: services.check(content, actor=actor_of(request), today=timezone.localdate()),
        )
        if result:
            context |= _judged(result)
    status = status or (422 if form.errors else 200)
    return render(request, "statistics/waiting_times/check.html", context, status=status)


def _judged(result: Result) -> dict[str, Any]:
    found = faults_in_words(result)
    return {
        "result": result,
        "tone": TONES[result.verdict],
        "model": Model(result.model).label if result.model else "",
        "faults": [fault_line(result.model, name, code, count) for name, code, count in found],
        "rows": _rows(result.model, result.first_faults[:FAULTS_SHOWN]),
    }


def _rows(model: str, faults: list[Fault]) -> list[tuple[Fault, FaultLine, str]]:
    lines = [(one, fault_line(model, one.variable, one.code, 1)) for one in faults]
    return [(one, line, full_reason(one, line.reason)) for one, line in lines]


@roles_required(*WHO)
def receipt_page(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt of a delivery, with what was wrong."""
    delivery = _delivery_or_404(request, number)
    first = first_faults_of(delivery)[:FAULTS_SHOWN]
    context = {
        **_line(delivery),
        "is_current": is_current(delivery),
        "faults": faults_of(delivery),
        "rows_at_fault": _rows(delivery.model, first),
        "may_fetch": delivery.is_kept and actor_of(request).role == Role.REGION_ADMIN,
    }
    return render(request, "statistics/waiting_times/receipt.html", context)


@roles_required(*WHO)
def receipt_json(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt as JSON, to keep."""
    delivery = _delivery_or_404(request, number)
    answer = JsonResponse(
        receipt_of(delivery), json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
    answer["Content-Disposition"] = f'attachment; filename="kvittens-{delivery.number}.json"'
    return answer


@roles_required(*WHO)
def faults_csv(request: HttpRequest, number: str) -> HttpResponse:
    """Row, variable, code and reason of the delivery's first faults."""
    delivery = _delivery_or_404(request, number)
    out = io.StringIO()
    writer = FaultWriter(out)
    for one in first_faults_of(delivery):
        writer(one)
    return attachment(b"\xef\xbb\xbf" + out.getvalue().encode(), f"fel-{delivery.number}.csv")


@roles_required(Role.REGION_ADMIN)
def delivered_file(request: HttpRequest, number: str) -> HttpResponse:
    """The file itself, which has a row for each patient."""
    delivery = _delivery_or_404(request, number)
    try:
        content = services.content_for(delivery, actor=actor_of(request), now=timezone.now())
    except DomainError as error:
        raise Http404(str(error.message)) from error
    return attachment(content, f"{delivery.number}.csv")


@roles_required(*WHO)
def reporting_page(request: HttpRequest) -> HttpResponse:
    """How far each variable was reported in a month, beside the months before."""
    form = ReportingForm(request.GET, today=timezone.localdate())
    model, status, month = form.chosen()
    shown = reporting(actor_of(request), model=model, status=status, month=month)
    context = {"form": form, "reporting": shown, "model": Model(model).label}
    return render(
        request,
        "statistics/waiting_times/reporting.html",
        context,
        status=422 if form.errors else 200,
    )


@roles_required(*WHO)
def layout_page(request: HttpRequest) -> HttpResponse:
    """Every variable with its requirement, and every code with its reason."""
    context = {
        "models": [(Model(model).label, columns(model)) for model in Model.values],
        "codes": [
            (key, SEVERITY_LABELS[code.severity], code.reason) for key, code in CODES.items()
        ],
        "not_applicable": NOT_APPLICABLE,
    }
    return render(request, "statistics/waiting_times/layout.html", context)


def _delivery_or_404(request: HttpRequest, number: str) -> WaitingTimeDelivery:
    found: WaitingTimeDelivery = get_object_or_404(deliveries_of(actor_of(request)), number=number)
    return found
