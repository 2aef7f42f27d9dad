"""Cost and visits per clinic and per patient, for those who see the patients."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from contracts.models import CallOff, InvoiceLine
from contracts.selectors.costs import Cost, costs_by, total_of, treated_call_offs, with_visits
from organisations.access import Actor, as_product
from organisations.errors import NotAllowed
from organisations.models import Role
from referral.models import Case
from referral.selectors.cases import visible_cases


@dataclass
class CaseCost:
    """One case of a patient: what it cost, and the invoice lines that say so."""

    case: Case
    call_off: CallOff | None
    lines: list[InvoiceLine]

    @property
    def visits(self) -> Decimal:
        return getattr(self.call_off, "visits", Decimal(0))

    @property
    def amount_sek(self) -> Decimal:
        return self.call_off.amount_sek if self.call_off else Decimal(0)


def costs_per_clinic(actor: Actor, *, year: int) -> tuple[list[Cost], Cost]:
    """What the patients of each of the region's clinics cost. Raises :class:`NotAllowed`."""
    if actor.role != Role.NAVIGATOR or not actor.region:
        raise NotAllowed(_("Kostnad per klinik visas för regionens vårdlotsar."))
    with as_product("costs"):
        clinic = "offer__case__sending_unit"
        costs = costs_by(
            treated_call_offs(year=year).filter(region_id=actor.region),
            key=f"{clinic}_id",
            label=f"{clinic}__name",
        )
    for cost in costs:
        cost.label = cost.label or _("Gallrade ärenden")
    return costs, total_of(costs)


def costs_of_patient(actor: Actor, case: Case) -> list[CaseCost]:
    """The patient's cases that the actor sees, the newest first, with their cost."""
    cases = list(visible_cases(actor).filter(patient_id=case.patient_id).order_by("-pk"))
    numbers = [one.number for one in cases]
    with as_product("costs"):
        treated = with_visits(treated_call_offs().filter(case_number__in=numbers))
        found = {call_off.case_number: call_off for call_off in treated}
        lines: dict[str, list[InvoiceLine]] = {}
        for line in (
            InvoiceLine.objects.filter(case_number__in=numbers, invoice__region_id=case.region_id)
            .select_related("invoice__provider")
            .order_by("pk")
        ):
            lines.setdefault(line.case_number, []).append(line)
    return [CaseCost(one, found.get(one.number), lines.get(one.number, [])) for one in cases]
