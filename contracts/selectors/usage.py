"""Who may see which contracts, and how much of each cap is taken."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from contracts.codes import covering_codes
from contracts.models import CallOff, Capped, Contract, ContractLine, PeriodCap, Procedure
from organisations.access import Actor
from organisations.models import Role

S = CallOff.State


@dataclass(frozen=True)
class Usage:
    """What live call-offs take of a cap, by state; SEK as Decimal."""

    reserved: int
    used: int
    settled: int
    reserved_sek: Decimal
    used_sek: Decimal
    settled_sek: Decimal
    cap: int | None
    cap_sek: Decimal | None
    left: int | None
    left_sek: Decimal | None

    @property
    def used_or_settled(self) -> int:
        return self.used + self.settled


def procedure_name(kva: str) -> str:
    """The Swedish name of a code: its own, else its group's, else the code itself."""
    return procedure_names([kva])[kva]


def procedure_names(codes: Iterable[str]) -> dict[str, str]:
    """The Swedish name of each code, as :func:`procedure_name` gives it, in one query."""
    covering = {kva: covering_codes(kva) for kva in codes}
    wanted = {code for group in covering.values() for code in group}
    names = dict(Procedure.objects.filter(kva__in=wanted).values_list("kva", "name"))
    return {
        kva: next((names[code] for code in group if code in names), kva)
        for kva, group in covering.items()
    }


def procedures_with(words: str, *, most: int) -> list[Procedure]:
    """Listed codes whose code, name or area hold every word."""
    found = Procedure.objects.all()
    for word in words.replace("\x00", "").split():
        found = found.filter(
            Q(kva__istartswith=word) | Q(name__icontains=word) | Q(category__icontains=word)
        )
    return list(found[:most])


def contracts_of(actor: Actor) -> QuerySet[Contract]:
    """The contracts the actor may see (design 5.6), without counts.

    A contract owner and a region's navigators see what the region owns; navigators also what it
    may use; a provider its own. Nobody sees patients here.
    """
    contracts = Contract.objects.all()
    if actor.role == Role.CONTRACT_OWNER and actor.region:
        contracts = contracts.filter(owner_region_id=actor.region)
    elif actor.role in {Role.NAVIGATOR, Role.INTEGRATION} and actor.region:
        usable = Contract.regions_allowed.through.objects.filter(region_id=actor.region)
        contracts = contracts.filter(
            Q(owner_region_id=actor.region) | Q(pk__in=usable.values("contract_id"))
        )
    elif actor.role == Role.PROVIDER and actor.provider_id:
        contracts = contracts.filter(provider_id=actor.provider_id)
    elif not actor.is_system:
        contracts = contracts.none()
    return contracts


def visible_contracts(actor: Actor) -> QuerySet[Contract]:
    """What :func:`contracts_of` gives, with lines, and call-offs counted."""
    # Said here: with counts, Django leaves out the order that the model gives.
    lines = (
        ContractLine.objects.select_related("care_unit__municipality")
        .annotate(**_counts("call_offs"))
        .order_by("contract", "kva", "pk")
    )
    return (
        contracts_of(actor)
        .select_related("owner_region", "provider")
        .prefetch_related("regions_allowed", "medical_areas", Prefetch("lines", queryset=lines))
        .annotate(**_counts("lines__call_offs"))
        .order_by("number")
    )


def usage_of(capped: Capped) -> Usage:
    """The usage of a contract or line that :func:`visible_contracts` returned."""
    row: Any = capped
    return Usage(
        reserved=row.n_reserved,
        used=row.n_used,
        settled=row.n_settled,
        reserved_sek=row.sek_reserved,
        used_sek=row.sek_used,
        settled_sek=row.sek_settled,
        cap=capped.cap_volume,
        cap_sek=capped.cap_sek,
        left=capped.left_volume,
        left_sek=capped.left_sek,
    )


def with_current_periods(lines: QuerySet[ContractLine], *, day: date) -> QuerySet[ContractLine]:
    """The lines with the period caps of themselves and their contracts, as they stand ``day``."""
    prefetches: list[Any] = [
        Prefetch(path, queryset=PeriodCap.objects.on(day), to_attr="current_periods")
        for path in ("period_caps", "contract__period_caps")
    ]
    return lines.prefetch_related(*prefetches)


def full_periods(line: ContractLine, *, day: date) -> list[PeriodCap]:
    """The period caps of line and contract that have no room for one more on ``day``."""
    caps: list[PeriodCap] = []
    for capped in (line, line.contract):
        read: list[PeriodCap] | None = getattr(capped, "current_periods", None)
        caps += capped.period_caps.on(day) if read is None else read
    return [cap for cap in caps if not cap.has_room_for(line.price_sek)]


def _counts(path: str) -> dict[str, Any]:
    """Counts and sums per state over the call-offs at ``path``, in the same query."""
    columns: dict[str, Any] = {}
    for state in (S.RESERVED, S.USED, S.SETTLED):
        chosen = Q(**{f"{path}__state": state})
        columns[f"n_{state}"] = Count(path, filter=chosen)
        columns[f"sek_{state}"] = Coalesce(Sum(f"{path}__amount_sek", filter=chosen), Decimal(0))
    return columns
