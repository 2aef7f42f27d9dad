"""Contracts in and out as files."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from contracts.files.columns import COLUMNS, REQUIRED
from contracts.files.writing import contract_rows, csv_file, report_rows, xlsx_file
from contracts.filters import ContractSearch
from contracts.forms import ImportForm
from contracts.models import ContractImport
from contracts.selectors import visible_contracts
from contracts.services import import_contracts
from contracts.views.pages import MAY_SEE
from organisations.errors import InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required


@roles_required(*MAY_SEE)
def contracts_export(request: HttpRequest, kind: str) -> HttpResponse:
    """The contracts that the page's filters leave, a row a line, in the form the import reads."""
    filters = ContractSearch(request.GET, queryset=visible_contracts(actor_of(request)))
    chosen = filters.qs if filters.form.is_valid() else filters.queryset
    return download(contract_rows(chosen), kind, name="avtal")


@roles_required(Role.CONTRACT_OWNER)
def contracts_import(request: HttpRequest) -> HttpResponse:
    """Choose a file; the report of what became of each row has a page of its own."""
    actor = actor_of(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = import_contracts(
                name=file.name,
                content=file.read(),
                good_rows_only=form.cleaned_data["good_rows_only"],
                actor=actor,
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return redirect("contract-import", pk=made.pk)
    earlier = ContractImport.objects.filter(region_id=actor.region).defer("report")[:20]
    return render(
        request,
        "contracts/import.html",
        {"form": form, "columns": COLUMNS, "required": REQUIRED, "earlier": earlier},
        status=422 if form.errors else 200,
    )


@roles_required(Role.CONTRACT_OWNER)
def import_report(request: HttpRequest, pk: int, kind: str = "") -> HttpResponse:
    """What became of each row, as a page or as a file."""
    region = actor_of(request).region
    made = get_object_or_404(ContractImport, pk=pk, region_id=region)
    if kind:
        return download(report_rows(made), kind, name=f"avtalsimport-{made.pk}")
    faults = [row for row in made.report if row["errors"]]
    return render(
        request,
        "contracts/import_report.html",
        {"made": made, "faults": faults[:500], "fault_count": len(faults)},
    )


def download(rows: list[list[Any]], kind: str, *, name: str) -> HttpResponse:
    """The rows, the first of them headings, as a CSV or XLSX file. Raises 404 for other kinds."""
    if kind == "csv":
        return attachment(csv_file(rows), f"{name}.csv")
    if kind == "xlsx":
        return attachment(xlsx_file(rows, sheet=name[:31]), f"{name}.xlsx")
    raise Http404
