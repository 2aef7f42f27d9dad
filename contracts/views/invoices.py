"""Invoices: read in, looked at, and what deviates decided upon."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts import services
from contracts.files.invoice_rows import COLUMNS, REQUIRED
from contracts.forms import DecisionForm, DeviationFilterForm, InvoiceFileForm, YearForm
from contracts.invoice_checks import facts_of
from contracts.models import InvoiceLine
from contracts.selectors import (
    costs_per_contract,
    deviating_lines,
    invoice_lines_of,
    invoices_of,
    open_lines_count,
)
from contracts.selectors.costs import DEFINITIONS, Cost, cost_rows
from contracts.selectors.invoices import record_look
from contracts.views.files import download
from organisations.errors import DomainError, InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, page_of, pager, query, roles_required

payers_only = roles_required(Role.NAVIGATOR, Role.CONTRACT_OWNER)
VERBS = {
    DecisionForm.APPROVE: services.approve_line,
    DecisionForm.DISPUTE: services.dispute_line,
    DecisionForm.AWAIT_CREDIT: services.await_credit,
}


@payers_only
def invoices_page(request: HttpRequest) -> HttpResponse:
    """The region's invoices, newest first."""
    actor = actor_of(request)
    page = page_of(invoices_of(actor), request)
    context = {"page": page, "waiting": open_lines_count(actor), "tab": "invoices"}
    return render(request, "contracts/invoices.html", context | pager(page, request))


@payers_only
def invoice_new(request: HttpRequest) -> HttpResponse:
    """Choose a file; what it holds is shown on the invoice's page."""
    form = InvoiceFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            received = services.receive_invoices(
                file.read(), name=file.name, actor=actor_of(request), now=timezone.now()
            )
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return _shown(request, received)
    return render(
        request,
        "contracts/invoice_new.html",
        {"form": form, "columns": COLUMNS, "required": REQUIRED, "tab": "invoices"},
        status=422 if form.errors else 200,
    )


def _shown(request: HttpRequest, received: services.Received) -> HttpResponse:
    if received.is_known:
        messages.info(request, _("Filen är redan inläst. Inget har ändrats."))
    else:
        n = InvoiceLine.objects.filter(
            invoice__in=received.invoices, state=InvoiceLine.State.DEVIATES
        ).count()
        if n:
            text = ngettext("%(n)s rad avviker.", "%(n)s rader avviker.", n) % {"n": n}
            messages.warning(request, _("Inläst.") + " " + text)
        else:
            messages.success(request, _("Inläst. Alla rader stämmer och är slutreglerade."))
    if len(received.invoices) == 1:
        return redirect("invoice", pk=received.invoices[0].pk)
    return redirect("invoices")


@payers_only
def invoice_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    invoice = get_object_or_404(invoices_of(actor), pk=pk)
    page = page_of(invoice_lines_of(actor).filter(invoice=invoice).order_by("position"), request)
    record_look(actor, page.object_list, what="invoice", now=timezone.now())
    context = {
        "invoice": invoice,
        "page": page,
        "tab": "invoices",
        "may_fetch": _may_fetch(request),
    }
    return render(request, "contracts/invoice.html", context | pager(page, request))


def _may_fetch(request: HttpRequest) -> bool:
    return actor_of(request).role == Role.NAVIGATOR


@roles_required(Role.NAVIGATOR)
def invoice_file(request: HttpRequest, pk: int) -> FileResponse:
    """The file as it came. It may hold what a provider should not have written: navigators only."""
    actor = actor_of(request)
    invoice = get_object_or_404(invoices_of(actor), pk=pk)
    if not invoice.file.file:
        raise Http404
    lines = invoice_lines_of(actor).filter(invoice__file=invoice.file)
    record_look(actor, lines, what="invoice_file", now=timezone.now())
    return FileResponse(
        invoice.file.file.open("rb"),
        as_attachment=True,
        filename=invoice.file.name,
        content_type=invoice.file.content_type,
    )


@payers_only
def deviations_page(request: HttpRequest) -> HttpResponse:
    """What is not settled, the oldest first, until a person or a credit note settles it."""
    actor = actor_of(request)
    filters = DeviationFilterForm(request.GET)
    chosen: dict[str, Any] = filters.cleaned_data if filters.is_valid() else {}
    lines = deviating_lines(
        actor,
        state=chosen.get("state", ""),
        deviation=chosen.get("deviation", ""),
        words=chosen.get("q", ""),
    )
    page = page_of(lines, request)
    record_look(actor, page.object_list, what="invoice_deviations", now=timezone.now())
    context = {"page": page, "filters": filters, "tab": "deviations"}
    return render(request, "contracts/deviations.html", context | pager(page, request))


@payers_only
def invoice_line(request: HttpRequest, pk: int) -> HttpResponse:
    """One line: what was invoiced, what was agreed, what deviates, and the decision."""
    actor, now = actor_of(request), timezone.now()
    line = get_object_or_404(invoice_lines_of(actor), pk=pk)
    form = DecisionForm(request.POST or None, is_credit=line.is_credit)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            verb = VERBS[form.cleaned_data["decision"]]
            try:
                verb(line, reason=form.cleaned_data["reason"], actor=actor, now=now)
            except InvalidInput as error:
                form.add_refusal(error)
            except DomainError as error:  # decided meanwhile: the form is gone
                messages.error(request, str(error.message))
                status = error.status
                line.refresh_from_db()
            else:
                messages.success(request, _("Beslutet är sparat."))
                return redirect("invoice-deviations")
    record_look(actor, [line], what="invoice_line", now=now)
    return render(
        request,
        "contracts/invoice_line.html",
        {
            "line": line,
            "form": form,
            "facts": facts_of(line.call_off) if line.call_off else None,
            "log": list(line.log.order_by("-pk")),
            "credits": line.credits,
            "credited_by": list(line.credited_by.select_related("invoice")),
            "sees_text": actor.role == Role.NAVIGATOR,
            "tab": "deviations",
        },
        status=status,
    )


@payers_only
def contract_costs(request: HttpRequest, kind: str = "") -> HttpResponse:
    """Cost and visits per contract of a year, as a page or as a file."""
    actor = actor_of(request)
    return costs_page(
        request,
        kind,
        lambda year: costs_per_contract(actor, year=year),
        heading=_("Avtal"),
        title=_("Kostnad och besök per avtal"),
        files="contract-costs-file",
        tab="contracts",
        suppressed=actor.role == Role.CONTRACT_OWNER,
    )


def costs_page(
    request: HttpRequest,
    kind: str,
    costs_of: Callable[[int], tuple[list[Cost], Cost]],
    *,
    heading: str,
    **context: Any,
) -> HttpResponse:
    """Cost and visits of the year that is chosen, a row each, as a page or as a file."""
    form = YearForm(request.GET, today=timezone.localdate())
    year = form.chosen
    costs, total = costs_of(year)
    if kind:
        rows = cost_rows(costs, total, heading=heading)
        return download(rows, kind, name=f"kostnad-{heading.lower()}-{year}")
    context |= {"costs": costs, "total": total, "form": form, "year": year, "heading": heading}
    context |= {"definitions": DEFINITIONS, "query": query(request)}
    return render(request, "contracts/costs.html", context)
