"""What care with other providers costs, and how many visits it was: sums over the ledger.

Counted are call-offs whose patient has been treated, in the year that the call-off counts in
(docs/decisions/0011). One is one visit; once its invoice is approved, as many as the line says.
What is settled is the ledger's amount, what is not is the agreed price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from contracts.models import CallOff, Contract, InvoiceLine
from organisations.access import Actor, as_product
from organisations.models import Role
from organisations.suppression import suppress

S = CallOff.State
_SEK = DecimalField(max_digits=14, decimal_places=2)
_QUANTITY = DecimalField(max_digits=12, decimal_places=3)

DEFINITIONS = (
    (_("Behandlade"), _("Avrop där vårdgivaren har rapporterat behandlingen, under kalenderåret.")),
    (
        _("Besök"),
        _("Ett för varje behandlad; när fakturan är godkänd så många som fakturaraden anger."),
    ),
    (_("Slutreglerat"), _("Det som godkända fakturarader kostar, sedan krediter är avdragna.")),
    (_("Väntar på faktura"), _("Avtalat pris för behandlade som ännu inte är slutreglerade.")),
)


@dataclass
class Cost:
    """The sums of one group; ``None`` is hidden."""

    label: str
    treated: int | None = 0
    visits: Decimal | None = Decimal(0)
    settled_sek: Decimal | None = Decimal(0)
    waiting_sek: Decimal | None = Decimal(0)
    key: Any = None

    @property
    def total_sek(self) -> Decimal | None:
        if self.settled_sek is None or self.waiting_sek is None:
            return None
        return self.settled_sek + self.waiting_sek

    @property
    def is_hidden(self) -> bool:
        return self.treated is None

    def hide(self) -> None:
        self.treated = self.visits = self.settled_sek = self.waiting_sek = None


def treated_call_offs(*, year: int | None = None) -> QuerySet[CallOff]:
    """The call-offs that are counted here; of one year, or all."""
    call_offs = CallOff.objects.filter(state__in=[S.USED, S.SETTLED])
    return call_offs.filter(counts_on__year=year) if year else call_offs


def with_visits(call_offs: QuerySet[CallOff]) -> QuerySet[CallOff]:
    """Each call-off with ``visits``."""
    settled = InvoiceLine.objects.filter(
        call_off=OuterRef("pk"), is_credit=False, state=InvoiceLine.State.SETTLED
    )
    return call_offs.annotate(
        visits=Coalesce(
            Subquery(settled.values("quantity")[:1], output_field=_QUANTITY),
            Value(Decimal(1)),
            output_field=_QUANTITY,
        )
    )


def costs_by(call_offs: QuerySet[CallOff], *, key: str, label: str) -> list[Cost]:
    """The sums of each group, in the order of its label; one query."""
    settled, waiting = Q(state=S.SETTLED), Q(state=S.USED)
    rows = (
        with_visits(call_offs)
        .order_by()
        .values(key, label)
        .annotate(
            n=Count("pk"),
            n_visits=Sum("visits"),
            settled=Coalesce(Sum("amount_sek", filter=settled), Decimal(0), output_field=_SEK),
            waiting=Coalesce(Sum("amount_sek", filter=waiting), Decimal(0), output_field=_SEK),
        )
        .order_by(label)
    )
    return [
        Cost(
            label=row[label],
            treated=row["n"],
            visits=row["n_visits"].normalize(),
            settled_sek=row["settled"],
            waiting_sek=row["waiting"],
            key=row[key],
        )
        for row in rows
    ]


def total_of(costs: Sequence[Cost]) -> Cost:
    """The sum of groups none of which is hidden."""
    total = Cost(str(_("Totalt")))
    for cost in costs:
        total.treated = (total.treated or 0) + (cost.treated or 0)
        total.visits = (total.visits or Decimal(0)) + (cost.visits or Decimal(0))
        total.settled_sek = (total.settled_sek or Decimal(0)) + (cost.settled_sek or Decimal(0))
        total.waiting_sek = (total.waiting_sek or Decimal(0)) + (cost.waiting_sek or Decimal(0))
    return total


@as_product("costs")
def costs_per_contract(actor: Actor, *, year: int) -> tuple[list[Cost], Cost]:
    """For a contract owner all that is called off on its contracts, small numbers hidden; for a
    navigator what the own region has called off on any contract.
    """
    call_offs = treated_call_offs(year=year)
    if actor.role == Role.CONTRACT_OWNER and actor.region:
        call_offs = call_offs.filter(line__contract__owner_region_id=actor.region)
    elif actor.role == Role.NAVIGATOR and actor.region:
        call_offs = call_offs.filter(region_id=actor.region)
    else:
        call_offs = call_offs.none()
    costs = costs_by(call_offs, key="line__contract_id", label="line__contract__number")
    titles = dict(
        Contract.objects.filter(pk__in=[cost.key for cost in costs]).values_list("pk", "title")
    )
    for cost in costs:
        cost.label = f"{cost.label} {titles[cost.key]}"
    total = total_of(costs)
    if actor.role == Role.CONTRACT_OWNER:
        hide_small(costs, total)
    return costs, total


def hide_small(costs: Sequence[Cost], total: Cost) -> None:
    """Hide groups of 1–4 treated and those they could be worked out from (design 5.6)."""
    hidden, total_hidden = suppress([cost.treated or 0 for cost in costs])
    for cost, away in zip([*costs, total], [*hidden, total_hidden], strict=True):
        if away:
            cost.hide()


def cost_rows(costs: Sequence[Cost], total: Cost, *, heading: str) -> list[list[Any]]:
    """The table as a file shows it, with its heading row."""
    hidden = _("dolt")

    def cell(value: Any) -> Any:
        return str(hidden) if value is None else float(value)

    def visits(value: Decimal | None) -> Any:
        whole = value is not None and value == value.to_integral_value()
        return int(value) if whole else cell(value)  # type: ignore[arg-type]

    head = [heading, _("Behandlade"), _("Besök"), _("Slutreglerat, kr")]
    head += [_("Väntar på faktura, kr"), _("Summa, kr")]
    return [
        [str(text) for text in head],
        *(
            [
                cost.label,
                str(hidden) if cost.treated is None else cost.treated,
                visits(cost.visits),
                *(cell(v) for v in (cost.settled_sek, cost.waiting_sek, cost.total_sek)),
            ]
            for cost in (*costs, total)
        ),
    ]
