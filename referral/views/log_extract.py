"""Loggutdrag for a patient: ordered, on screen, as PDF and CSV. Each is itself in the log."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import record_access
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required
from organisations.spreadsheets import csv_bytes
from referral.access_log import words_for
from referral.forms.access_review import ExtractForm
from referral.machine import CaseNotFound
from referral.pdf import log_extract_pdf
from referral.selectors.log_extract import (
    Extract,
    case_asked_for,
    log_extract,
    role_of,
    unit_of,
)


@roles_required(Role.REGION_ADMIN)
def order_page(request: HttpRequest) -> HttpResponse:
    """Case number or identity number, in a POST: an identity number is in no address."""
    form = ExtractForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["number"].replace("\x00", "")
        try:
            case = case_asked_for(actor_of(request), text, today=timezone.localdate())
        except CaseNotFound as error:
            form.add_error("number", str(error.message))
        else:
            return redirect("log-extract", number=case.number)
    return render(
        request,
        "referral/access_review/order.html",
        {"extract_form": form},
        status=422 if form.errors else 200,
    )


@roles_required(Role.REGION_ADMIN)
def extract_page(request: HttpRequest, number: str) -> HttpResponse:
    extract = _extract(request, number)
    return render(request, "referral/access_review/extract.html", {"extract": extract})


@roles_required(Role.REGION_ADMIN)
def extract_file(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    if kind not in {"pdf", "csv"}:
        raise Http404
    extract = _extract(request, number)
    pdf = kind == "pdf"
    content = log_extract_pdf(extract, at=timezone.now()) if pdf else _csv(extract)
    return attachment(content, f"loggutdrag-{extract.number}.{kind}")


def _extract(request: HttpRequest, number: str) -> Extract:
    """The extract, without the row that this very look adds."""
    actor = actor_of(request)
    try:
        extract = log_extract(actor, number)
    except CaseNotFound as error:
        raise Http404(str(error.message)) from error
    cases = [(extract.number, extract.patient_id)]
    record_access(actor, what="log_extract", now=timezone.now(), cases=cases)
    return extract


def _csv(extract: Extract) -> bytes:
    headings = [_("Tid"), _("Enhet"), _("Roll"), _("Vad"), _("Ärende")]
    return csv_bytes(
        headings,
        (
            [
                f"{timezone.localtime(row.at):%Y-%m-%d %H:%M:%S}",
                unit_of(row),
                role_of(row),
                words_for(row.what),
                row.case_number,
            ]
            for row in extract.rows
        ),
    )
