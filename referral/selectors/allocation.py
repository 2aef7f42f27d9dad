"""Reads of allocation runs and drafts of offers, as far as the actor may see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from organisations.access import Actor
from organisations.models import CareUnit, Role
from referral.models import AllocationRow, AllocationRun, Case, CaseState, OfferDraft

SHOWN = ("case__patient", "case__sending_unit", "line__care_unit__municipality", "line__contract")


@dataclass(frozen=True)
class Choices:
    """What can be allocated: clinics and procedures with the number of cases."""

    clinics: list[tuple[CareUnit, int]]
    procedures: list[tuple[str, str, int]]


def runs_of(actor: Actor) -> QuerySet[AllocationRun]:
    """The region's runs, for its navigators."""
    runs = AllocationRun.objects.prefetch_related("clinics")
    if actor.role != Role.NAVIGATOR or not actor.region:
        return runs.none()
    return runs.filter(region_id=actor.region)


def rows_of(actor: Actor, run: AllocationRun) -> QuerySet[AllocationRow]:
    """What the run gave each case that the actor sees, in the queue's order."""
    return (
        AllocationRow.objects.filter(run=run, case__in=Case.objects.visible_to(actor))
        .select_related(*SHOWN, "first_line__care_unit")
        .order_by("position")
    )


def outcomes_of(run: AllocationRun) -> dict[str, int]:
    """How many cases had each outcome."""
    counts = run.rows.order_by().values_list("outcome").annotate(Count("pk"))
    return dict(counts)


def drafts_of(actor: Actor) -> QuerySet[OfferDraft]:
    """The drafts on cases that the actor sees, the guarantee's nearest last day first."""
    if actor.role != Role.NAVIGATOR:
        return OfferDraft.objects.none()
    return (
        OfferDraft.objects.filter(case__in=Case.objects.visible_to(actor))
        .select_related(*SHOWN, "case__region", "case__navigator")
        .order_by("case__last_day", "pk")
    )


def choices_for(actor: Actor) -> Choices:
    """Clinics and procedures with cases that can be allocated."""
    cases = (
        Case.objects.visible_to(actor)
        .filter(state__in=[CaseState.IN_PROGRESS, CaseState.RECEIVED, CaseState.WATCHED])
        .order_by()
    )
    of_clinic: dict[int, int] = dict(cases.values_list("sending_unit").annotate(Count("pk")))
    units = CareUnit.objects.filter(pk__in=of_clinic).order_by("name")
    procedures: Any = (
        cases.values_list("kva", "procedure_name").annotate(Count("pk")).order_by("procedure_name")
    )
    return Choices([(unit, of_clinic[unit.pk]) for unit in units], list(procedures))


def drafted_among(actor: Actor, cases: Iterable[Case]) -> set[int]:
    """The keys of those cases that have a draft; no question where none can have one."""
    keys = [case.pk for case in cases if case.state == CaseState.IN_PROGRESS]
    if actor.role != Role.NAVIGATOR or not keys:
        return set()
    return set(OfferDraft.objects.filter(case__in=keys).values_list("case_id", flat=True))


def draft_on(actor: Actor, case: Case) -> OfferDraft | None:
    """The draft on a case that the actor sees, if there is one."""
    if actor.role != Role.NAVIGATOR or case.state != CaseState.IN_PROGRESS:
        return None
    return OfferDraft.objects.filter(case=case).select_related("line__care_unit").first()
