"""Pages of the contract registry: what is agreed and how much is left of each cap."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from contracts.models import Contract
from contracts.selectors import Usage, call_offs_by_region, usage_of, visible_contracts
from organisations.models import Role
from organisations.pages import actor_of, roles_required

MAY_SEE = (Role.CONTRACT_OWNER, Role.NAVIGATOR, Role.PROVIDER)


@roles_required(*MAY_SEE)
def contracts_page(request: HttpRequest) -> HttpResponse:
    """The contracts in number order, searched by number, title, provider or code."""
    actor, today = actor_of(request), timezone.localdate()
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    contracts = list(visible_contracts(actor))
    if search:
        contracts = [contract for contract in contracts if _matches(contract, search)]
    rows = [
        {"contract": contract, "bar": cap_bar(usage_of(contract)), "live": contract.is_live(today)}
        for contract in contracts
    ]
    return render(request, "contracts/contracts.html", {"rows": rows, "contract_search": search})


@roles_required(*MAY_SEE)
def contract_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, today = actor_of(request), timezone.localdate()
    contract = get_object_or_404(visible_contracts(actor), pk=pk)
    lines = [{"line": line, "bar": cap_bar(usage_of(line))} for line in contract.lines.all()]
    owner = actor.role == Role.CONTRACT_OWNER or contract.owner_region_id == actor.region
    return render(
        request,
        "contracts/contract.html",
        {
            "contract": contract,
            "live": contract.is_live(today),
            "bar": cap_bar(usage_of(contract)),
            "lines": lines,
            "shares": call_offs_by_region(contract) if owner else [],
        },
    )


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


def _matches(contract: Contract, search: str) -> bool:
    wanted = search.casefold()
    texts = [contract.number, contract.title, contract.provider.name]
    texts += [line.kva for line in contract.lines.all()]
    texts += [line.care_unit.name for line in contract.lines.all()]
    return any(wanted in text.casefold() for text in texts)
