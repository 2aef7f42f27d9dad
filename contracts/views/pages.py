"""Pages to read: what is agreed, how much of each cap is left, and how it was agreed before."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from contracts.charts import curve_chart
from contracts.filters import ContractSearch
from contracts.selectors import (
    Usage,
    contracts_of,
    current_periods,
    curve,
    forecast,
    open_alerts,
    procedure_names,
    shares_of,
    usage_of,
    visible_contracts,
)
from contracts.services import may_change
from contracts.versions import in_words
from organisations.models import Role
from organisations.pages import actor_of, roles_required

MAY_SEE = (Role.CONTRACT_OWNER, Role.NAVIGATOR, Role.PROVIDER)
ROWS = 50


@roles_required(*MAY_SEE)
def contracts_page(request: HttpRequest) -> HttpResponse:
    """The contracts in number order, searched and filtered; fifty to a page."""
    actor, today = actor_of(request), timezone.localdate()
    filters = ContractSearch(request.GET, queryset=visible_contracts(actor))
    chosen = filters.qs if filters.form.is_valid() else filters.queryset
    page = Paginator(chosen, ROWS).get_page(request.GET.get("page"))
    rows = [
        {"contract": contract, "bar": cap_bar(usage_of(contract)), "live": contract.is_live(today)}
        for contract in page
    ]
    kept = {key: value for key, value in request.GET.items() if value and key != "page"}
    return render(
        request,
        "contracts/contracts.html",
        {
            "rows": rows,
            "page": page,
            "filters": filters.form,
            "query": urlencode(kept),
            "alerts": list(open_alerts(actor)),
            "is_owner": actor.role == Role.CONTRACT_OWNER,
        },
    )


@roles_required(*MAY_SEE)
def contract_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, today = actor_of(request), timezone.localdate()
    contract = get_object_or_404(visible_contracts(actor), pk=pk)
    names = procedure_names(line.kva for line in contract.lines.all())
    return render(
        request,
        "contracts/contract.html",
        {
            "contract": contract,
            "live": contract.is_live(today),
            "bar": cap_bar(usage_of(contract)),
            "lines": [
                {"line": line, "procedure": names[line.kva], "bar": cap_bar(usage_of(line))}
                for line in contract.lines.all()
            ],
            "periods": current_periods(contract, day=today),
            "alerts": list(open_alerts(actor).filter(contract=contract)),
            "checklist": list(contract.checklist.all()),
            "contacts": list(contract.contacts.all()),
            "documents": list(contract.documents.filter(removed_at__isnull=True)),
            "may_change": may_change(actor, contract),
        },
    )


@roles_required(*MAY_SEE)
def ledger_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How the cap runs down: shares, curve and forecast."""
    actor, today = actor_of(request), timezone.localdate()
    contract = get_object_or_404(visible_contracts(actor), pk=pk)
    capped = [line for line in contract.lines.all() if line.cap_volume or line.cap_sek]
    names = procedure_names(line.kva for line in capped)
    return render(
        request,
        "contracts/ledger.html",
        {
            "contract": contract,
            "bar": cap_bar(usage_of(contract)),
            "shares": shares_of(contract, actor=actor),
            "chart": curve_chart(curve(contract, today=today), cap=contract.cap_volume),
            "forecast": forecast(contract, today=today),
            "lines": [
                {
                    "line": line,
                    "procedure": names[line.kva],
                    "bar": cap_bar(usage_of(line)),
                    "forecast": forecast(line, today=today),
                }
                for line in capped
            ],
            "periods": current_periods(contract, day=today),
            "alerts": list(open_alerts(actor).filter(contract=contract)),
        },
    )


@roles_required(*MAY_SEE)
def version_page(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The contract as it read after a change."""
    contract = get_object_or_404(contracts_of(actor_of(request)), pk=pk)
    version = get_object_or_404(contract.versions, number=number)
    return render(
        request,
        "contracts/version.html",
        {"contract": contract, "version": version, "content": in_words(version.content)},
    )


@roles_required(*MAY_SEE)
def history_page(request: HttpRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(contracts_of(actor_of(request)), pk=pk)
    versions = contract.versions.defer("content")
    return render(request, "contracts/history.html", {"contract": contract, "versions": versions})


@roles_required(*MAY_SEE)
def document_file(request: HttpRequest, pk: int, document: int) -> FileResponse:
    """A document, always as a download; also one that was put aside, for older versions."""
    contract = get_object_or_404(contracts_of(actor_of(request)), pk=pk)
    found = get_object_or_404(contract.documents, pk=document)
    return FileResponse(
        found.file.open("rb"),
        as_attachment=True,
        filename=found.name,
        content_type=found.content_type,
    )


@roles_required()
def alerts_part(request: HttpRequest) -> HttpResponse:
    """The alerts that concern the actor, for the start page of those who work with offers."""
    actor = actor_of(request)
    alerts = list(open_alerts(actor)) if actor.role in MAY_SEE else []
    return render(request, "contracts/partials/alerts.html", {"alerts": alerts})


def cap_bar(usage: Usage) -> dict[str, Any]:
    """Widths for the bar, per mille of the cap; by volume where there is one, else by SEK."""
    if usage.cap:
        used, reserved, cap = usage.used_or_settled, usage.reserved, usage.cap
    elif usage.cap_sek:
        used, reserved = usage.used_sek + usage.settled_sek, usage.reserved_sek  # type: ignore[assignment]
        cap = usage.cap_sek  # type: ignore[assignment]
    else:
        return {"usage": usage, "capped": False}
    used_width = min(1000, round(1000 * used / cap))
    return {
        "usage": usage,
        "capped": True,
        "used": used_width,
        "reserved": min(1000 - used_width, round(1000 * reserved / cap)),
        "percent": round(100 * (used + reserved) / cap),
    }
