"""Verbs of delivery plans: draft, agree, change by a new version, end, and flag what is behind.

A region's contract owner and navigators make its plans. What is agreed stays: a change is a new
version with a reason, and a week that has ended keeps what was agreed for it.
"""

from collections.abc import Mapping
from datetime import date, datetime, time

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.models import DeliveryPlan, PlannedWeek, PlanVersion
from capacity.models.plans import FIRST_YEAR, LAST_YEAR, MOST_PER_WEEK
from capacity.plans.figures import figures_of, volumes_of
from capacity.plans.selectors import (
    agreed_version,
    draft_version,
    lines_to_plan,
    may_change,
    may_plan,
)
from capacity.plans.weeks import Week, weeks_of
from contracts.models import ContractLine
from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.sweeps import claim_due

BEHIND = "delivery_plan.behind"
# A plan that stays behind is told again after so long.
TELL_AGAIN_DAYS = 28
# Deliveries are held against the plan on Monday mornings, when the week's reports are in.
CHECK_AT = time(6)


@transaction.atomic
def create_plan(
    line: ContractLine, *, year: int, whole_provider: bool, actor: Actor, now: datetime
) -> DeliveryPlan:
    """A draft for the line's code at its unit, or at all the provider's units, with empty weeks.

    Raises :class:`InvalidInput` when the year has no week to come, or a live plan of the region
    counts the same patients.
    """
    if not may_plan(actor) or actor.region is None:
        raise _not_allowed()
    if not lines_to_plan(actor).filter(pk=line.pk).exists():
        text = _("Välj en avropsrad som regionen får avropa på.")
        raise InvalidInput(text, fields={"line": text})
    today = timezone.localdate(now)
    if not FIRST_YEAR <= year <= LAST_YEAR or not any(
        not week.has_ended(today) for week in weeks_of(year)
    ):
        text = _("Välj ett år som inte är slut.")
        raise InvalidInput(text, fields={"year": text})
    plan = DeliveryPlan(
        region_id=actor.region,
        provider_id=line.contract.provider_id,
        contract=line.contract,
        care_unit=None if whole_provider else line.care_unit,
        kva=line.kva,
        year=year,
        made_at=now,
    )
    try:
        with transaction.atomic():
            plan.save()
    except IntegrityError as error:
        if "plan_one_live_per_place_code_and_year" not in str(error):
            raise
        text = _("Det finns redan en plan för året som räknar samma patienter.")
        raise InvalidInput(text, fields={"line": text}) from error
    _new_version(plan, 1, {}, reason="", actor=actor, now=now)
    return plan


@transaction.atomic
def save_weeks(
    plan: DeliveryPlan,
    volumes: Mapping[int, int],
    *,
    actor: Actor,
    now: datetime,
    behind_percent: int | None = None,
    behind_weeks: int | None = None,
) -> DeliveryPlan:
    """Set the draft's weeks; those not named keep what they have.

    Raises :class:`WrongState` without a draft and :class:`InvalidInput`, by ``w`` and the week's
    number, for weeks that the year does not have and ended ones that were agreed otherwise.
    """
    locked = _locked(plan, actor=actor)
    draft = _draft(locked)
    today = timezone.localdate(now)
    _check_volumes(locked, volumes, today=today)
    for week in draft.weeks.all():
        if week.week in volumes and week.volume != volumes[week.week]:
            week.volume = volumes[week.week]
            week.save(update_fields=["volume"])
    if behind_percent is not None:
        locked.behind_percent = behind_percent
    if behind_weeks is not None:
        locked.behind_weeks = behind_weeks
    locked.save(update_fields=["behind_percent", "behind_weeks"])
    return locked


@transaction.atomic
def agree_plan(
    plan: DeliveryPlan, *, agreed_with: str, actor: Actor, now: datetime
) -> DeliveryPlan:
    """The supplier has agreed to the draft: it holds from now on and never changes."""
    locked = _locked(plan, actor=actor)
    draft = _draft(locked)
    whom = " ".join(agreed_with.split())[:120]
    if not whom:
        text = _("Skriv vem hos vårdgivaren som har sagt ja.")
        raise InvalidInput(text, fields={"agreed_with": text})
    volumes = volumes_of(draft)
    if not sum(volumes.values()):
        raise WrongState(_("Planen är tom. Skriv volymer först."), code="plan_empty")
    _check_volumes(locked, volumes, today=timezone.localdate(now))
    draft.agreed_at, draft.agreed_by, draft.agreed_with = now, actor.name[:120], whom
    draft.save(update_fields=["agreed_at", "agreed_by", "agreed_with"])
    locked.state, locked.due_at = DeliveryPlan.State.AGREED, _next_check(locked, now=now)
    locked.save(update_fields=["state", "due_at"])
    return locked


@transaction.atomic
def revise_plan(plan: DeliveryPlan, *, reason: str, actor: Actor, now: datetime) -> PlanVersion:
    """Begin a new version of an agreed plan, a draft that starts from what holds."""
    locked = _locked(plan, actor=actor)
    why = _reason(reason, missing=_("Skriv varför planen ändras."))
    if locked.state != DeliveryPlan.State.AGREED:
        raise WrongState(_("Bara en avtalad plan får en ny version."), code="plan_not_agreed")
    holds = agreed_version(locked)
    if draft_version(locked) or holds is None:
        raise WrongState(_("Det finns redan ett utkast till ny version."), code="plan_has_draft")
    volumes = volumes_of(holds)
    return _new_version(locked, holds.number + 1, volumes, reason=why, actor=actor, now=now)


@transaction.atomic
def discard_draft(plan: DeliveryPlan, *, actor: Actor, now: datetime) -> None:
    """Throw away the draft of a new version; what is agreed goes on. ``now``: like its kin."""
    locked = _locked(plan, actor=actor)
    if locked.state != DeliveryPlan.State.AGREED:
        raise WrongState(_("Ett utkast som aldrig avtalats avslutas i stället."), code="plan_draft")
    _draft(locked).delete()


@transaction.atomic
def end_plan(plan: DeliveryPlan, *, reason: str, actor: Actor, now: datetime) -> DeliveryPlan:
    """The plan is not followed any more; what was agreed can still be read."""
    locked = _locked(plan, actor=actor)
    why = _reason(reason, missing=_("Skriv varför planen avslutas."))
    locked.state, locked.due_at = DeliveryPlan.State.ENDED, None
    locked.ended_at, locked.ended_by, locked.end_reason = now, actor.name[:120], why
    locked.save(update_fields=["state", "due_at", "ended_at", "ended_by", "end_reason"])
    return locked


@transaction.atomic
def flag_behind(*, now: datetime, limit: int = 50) -> int:
    """Sweep: hold agreed plans against their deliveries once a week; tell of those behind.

    One that stays behind is told of again after four weeks. Returns how many were looked at.
    """
    due = claim_due(
        DeliveryPlan.objects.filter(state=DeliveryPlan.State.AGREED), now=now, limit=limit
    )
    for plan in due:
        version = agreed_version(plan)
        figures = figures_of(plan, version, today=timezone.localdate(now))
        if figures.is_behind and not _told_lately(plan, now=now):
            plan.flagged_at = now
            emit(
                BEHIND,
                now=now,
                payload={"plan": plan.pk, "percent": figures.window_percent},
            )
        plan.due_at = _next_check(plan, now=now)
        plan.save(update_fields=["flagged_at", "due_at"])
    return len(due)


def _told_lately(plan: DeliveryPlan, *, now: datetime) -> bool:
    """Counted in days, so that the hour that summer time takes delays nothing by a week."""
    if plan.flagged_at is None:
        return False
    days = timezone.localdate(now) - timezone.localdate(plan.flagged_at)
    return days.days < TELL_AGAIN_DAYS


def _next_check(plan: DeliveryPlan, *, now: datetime) -> datetime | None:
    """The next Monday morning after a week of the plan's year; none when all have been seen."""
    today = timezone.localdate(now)
    first = max(Week.of(today), Week(plan.year, 1))
    monday = first.back(-1).monday
    at = timezone.make_aware(datetime.combine(monday, CHECK_AT))
    return at if first.year == plan.year else None


def _check_volumes(plan: DeliveryPlan, volumes: Mapping[int, int], *, today: date) -> None:
    weeks = {week.number: week for week in weeks_of(plan.year)}
    holds = volumes_of(agreed_version(plan))
    fields = {}
    for number, volume in volumes.items():
        if number not in weeks:
            fields[f"w{number}"] = _("Året har ingen vecka %(n)s.") % {"n": number}
        elif not 0 <= volume <= MOST_PER_WEEK:
            fields[f"w{number}"] = _("Skriv ett tal mellan 0 och %(most)s.") % {
                "most": MOST_PER_WEEK
            }
        elif holds and weeks[number].has_ended(today) and volume != holds.get(number, 0):
            fields[f"w{number}"] = _("Veckan har slutat; %(n)s är avtalat.") % {
                "n": holds.get(number, 0)
            }
    if fields:
        raise InvalidInput(_("Planen stämmer inte."), fields=fields)


def _new_version(
    plan: DeliveryPlan,
    number: int,
    volumes: Mapping[int, int],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> PlanVersion:
    version = PlanVersion.objects.create(
        plan=plan, number=number, reason=reason, made_at=now, made_by=actor.name[:120]
    )
    PlannedWeek.objects.bulk_create(
        PlannedWeek(version=version, week=week.number, volume=volumes.get(week.number, 0))
        for week in weeks_of(plan.year)
    )
    return version


def _draft(plan: DeliveryPlan) -> PlanVersion:
    draft = draft_version(plan)
    if draft is None:
        raise WrongState(
            _("Planen är avtalad. Gör en ny version för att ändra den."), code="plan_agreed"
        )
    return draft


def _locked(plan: DeliveryPlan, *, actor: Actor) -> DeliveryPlan:
    if not may_change(actor, plan):
        raise _not_allowed()
    locked = DeliveryPlan.objects.select_for_update().get(pk=plan.pk)
    if locked.state == DeliveryPlan.State.ENDED:
        raise WrongState(_("Planen är avslutad."), code="plan_ended")
    return locked


def _not_allowed() -> NotAllowed:
    return NotAllowed(_("Bara den egna regionens avtalsägare och vårdlotsar ändrar planen."))


def _reason(text: str, *, missing: str) -> str:
    why = " ".join(text.split())[:300]
    if not why:
        raise InvalidInput(missing, fields={"reason": missing})
    return why
