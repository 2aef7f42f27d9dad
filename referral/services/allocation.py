"""Allocation of a waiting list: ask for it, calculate it, accept it as drafts of offers."""

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product, record_access
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import CareUnit, Role
from organisations.sweeps import claim_due
from referral.models import AllocationRow, AllocationRun, Case, CaseState, OfferDraft

logger = logging.getLogger(__name__)

# An offer is made in the first; the others are proposals: such a case is taken, or resumed, first.
ALLOCATED_STATES = (CaseState.IN_PROGRESS, CaseState.RECEIVED, CaseState.WATCHED)

# As many are allocated while the person waits for the page; more are left to the sweep.
AT_ONCE = 300
AT_ONCE_SECONDS = 3.0
MOST = 20_000
MOST_KM = 2_000


def request_allocation(
    *,
    clinics: Collection[CareUnit],
    kva_codes: Collection[str] = (),
    case_states: Collection[str] = (CaseState.IN_PROGRESS,),
    max_km: int | None = None,
    actor: Actor,
    now: datetime,
) -> AllocationRun:
    """Ask for the clinics' waiting patients to be allocated; a small list is done on return.

    The cases are those that the actor sees now, in the queue's order. Raises
    :class:`InvalidInput` at the field that does not hold, or when nobody waits.
    """
    if actor.role != Role.NAVIGATOR or not actor.region:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    _check(clinics, case_states, max_km, region=actor.region)
    cases = Case.objects.visible_to(actor).filter(sending_unit__in=clinics, state__in=case_states)
    if kva_codes:
        cases = cases.filter(kva__in=kva_codes)
    found = list(cases.order_by("decision_date", "number").values_list("pk", flat=True)[: MOST + 1])
    if not found:
        text = _("Inget ärende stämmer med valet.")
        raise InvalidInput(text, fields={"clinics": text})
    if len(found) > MOST:
        text = _("Högst %(most)s ärenden åt gången. Välj färre kliniker eller åtgärder.")
        raise InvalidInput(text % {"most": MOST}, fields={"clinics": text % {"most": MOST}})
    with transaction.atomic(), as_product("allocation of a waiting list"):
        run = AllocationRun.objects.create(
            region_id=actor.region,
            kva_codes=sorted(kva_codes),
            case_states=sorted(case_states),
            max_km=max_km,
            cases=len(found),
            made_at=now,
            made_by_id=actor.user_id,
            made_by_name=actor.name,
            due_at=now,
        )
        run.clinics.set(clinics)
        AllocationRow.objects.bulk_create(
            (
                AllocationRow(run=run, case_id=case, position=place)
                for place, case in enumerate(found, start=1)
            ),
            batch_size=1000,
        )
        if len(found) <= AT_ONCE:
            _calculate(run, now=now, seconds=AT_ONCE_SECONDS)
    return run


def _check(
    clinics: Collection[CareUnit], states: Collection[str], max_km: int | None, *, region: str
) -> None:
    if not clinics or any(unit.region_id != region for unit in clinics):
        text = _("Välj minst en av regionens kliniker.")
        raise InvalidInput(text, fields={"clinics": text})
    if not states or not set(states) <= set(ALLOCATED_STATES):
        text = _("Välj vilka ärenden som fördelas.")
        raise InvalidInput(text, fields={"case_states": text})
    if max_km is not None and not 1 <= max_km <= MOST_KM:
        text = _("Avståndet är 1–%(most)s km.") % {"most": MOST_KM}
        raise InvalidInput(text, fields={"max_km": text})


def run_allocations(*, now: datetime, limit: int = 1) -> int:
    """Sweep: calculate runs that are due; one that fails says so. Returns how many."""
    with transaction.atomic():
        due = claim_due(
            AllocationRun.objects.filter(state=AllocationRun.State.QUEUED), now=now, limit=limit
        )
        for run in due:
            try:
                with transaction.atomic():
                    _calculate(run, now=now)
            except OperationalError:  # a lost connection or a deadlock: the next sweep tries again
                raise
            except Exception:  # whatever the solver or a case brings: it must not hold up the rest
                logger.exception("allocation %s failed", run.pk)
                AllocationRun.objects.filter(pk=run.pk).update(
                    state=AllocationRun.State.FAILED, done_at=now
                )
    return len(due)


def _calculate(run: AllocationRun, *, now: datetime, seconds: float | None = None) -> None:
    # The solver and its arrays are loaded by who calculates, not by each process that starts.
    from referral.services.calculation import calculate

    calculate(run, now=now, seconds=seconds)


def accept_allocation(run: AllocationRun, *, actor: Actor, now: datetime) -> int:
    """Make a draft of an offer for each placed case that is under handling; returns how many.

    A draft reserves nothing. Cases that have not been taken, or rest on the watch list, get none:
    they are taken first, and the run accepted again. A draft from before is replaced.
    """
    _refuse_other_regions(run, actor)
    if run.state != AllocationRun.State.DONE:
        raise WrongState(_("Fördelningen är inte klar."), code="allocation_not_done")
    visible = Case.objects.visible_to(actor).filter(state=CaseState.IN_PROGRESS)
    with transaction.atomic():
        rows = list(
            run.rows.filter(outcome=AllocationRow.Outcome.PLACED, case__in=visible)
            .select_related("case", "line")
            .only(
                *("run", "line__price_sek", "wait_days", "home_days", "distance_km"),
                *("case__number", "case__patient"),
            )
        )
        with as_product("acceptance of an allocation"):
            cases = Case.objects.select_for_update().order_by("pk")
            still = set(
                cases.filter(
                    pk__in=[row.case_id for row in rows], state=CaseState.IN_PROGRESS
                ).values_list("pk", flat=True)
            )
            rows = [row for row in rows if row.case_id in still]
            OfferDraft.objects.filter(case__in=still).delete()
            OfferDraft.objects.bulk_create(
                (_draft(row, actor=actor, now=now) for row in rows), batch_size=1000
            )
            AllocationRun.objects.filter(pk=run.pk).update(
                accepted_at=now, accepted_by_name=actor.name
            )
        record_access(
            actor,
            what="offer_drafted",
            now=now,
            cases=[(row.case.number, row.case.patient_id) for row in rows],
            of_change=True,
        )
    return len(rows)


def _draft(row: AllocationRow, *, actor: Actor, now: datetime) -> OfferDraft:
    kept = {name: getattr(row, name) for name in ("wait_days", "home_days", "distance_km")}
    return OfferDraft(
        case_id=row.case_id,
        line=row.line,
        run_id=row.run_id,
        **kept,
        made_at=now,
        made_by_id=actor.user_id,
        made_by_name=actor.name,
    )


def _refuse_other_regions(run: AllocationRun, actor: Actor) -> None:
    if actor.role != Role.NAVIGATOR or run.region_id != actor.region:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
