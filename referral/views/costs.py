"""Cost and visits per clinic and per patient."""

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.selectors.costs import DEFINITIONS
from contracts.views.invoices import costs_page
from organisations.access import record_access
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from referral.selectors.costs import costs_of_patient, costs_per_clinic
from referral.views.shared import case_or_404


@roles_required(Role.NAVIGATOR)
def clinic_costs(request: HttpRequest, kind: str = "") -> HttpResponse:
    """Cost and visits per clinic of a year, as a page or as a file."""
    actor = actor_of(request)
    return costs_page(
        request,
        kind,
        lambda year: costs_per_clinic(actor, year=year),
        heading=_("Klinik"),
        title=_("Kostnad och besök per klinik"),
        files="clinic-costs-file",
        tab="clinics",
    )


@roles_required(Role.NAVIGATOR)
def case_costs(request: HttpRequest, number: str) -> HttpResponse:
    """What the patient's care with other providers has cost, case by case."""
    actor = actor_of(request)
    case = case_or_404(actor, number)
    costs = costs_of_patient(actor, case)
    shown = [(cost.case.number, cost.case.patient_id) for cost in costs]
    record_access(actor, what="costs", now=timezone.now(), cases=shown)
    return render(
        request,
        "referral/costs.html",
        {
            "case": case,
            "clock": case.clock(timezone.localdate()),
            "costs": costs,
            "visits": sum((cost.visits for cost in costs), Decimal(0)),
            "total": sum((cost.amount_sek for cost in costs), Decimal(0)),
            "definitions": DEFINITIONS[1:],
        },
    )
