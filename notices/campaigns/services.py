"""A campaign is prepared, approved by a second person, started, paused, stopped and resumed.

One verb, one function, one transaction: the campaign's row is locked first, so that two who do
something at once, and the sweep, meet there.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notices.campaigns.filters import Criteria, filter_of
from notices.campaigns.models import (
    MOST_ANSWER_DAYS,
    MOST_PER_HOUR,
    Campaign,
    CampaignLog,
    CampaignRecipient,
)
from notices.campaigns.selectors import chosen_cases, reach_of
from notices.campaigns.texts import kept_texts
from notices.campaigns.verbs import STEPS, Step, in_the_way
from notices.models import Notice
from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import wake
from organisations.models import Role
from referral.services.shared import required_text

State, Verb = Campaign.State, CampaignLog.Verb

# A waiting list moves from day to day. One that has grown more than this since the approval is
# approved anew: number and cost are what the second person answers for.
MAY_GROW_PERCENT = 10
MAY_GROW = 10
ROWS_AT_A_TIME = 5_000
DAYS_TO_ANSWER = 21
LONGEST_MESSAGE = 500


def prepare(
    *,
    name: str,
    criteria: Criteria,
    actor: Actor,
    now: datetime,
    **content: Any,
) -> Campaign:
    """Write a draft of a campaign for the actor's region. Raises :class:`InvalidInput`."""
    if actor.role != Role.NAVIGATOR or not actor.region or actor.user_id is None:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    values = _checked(name=name, criteria=criteria, **content, actor=actor, now=now)
    with transaction.atomic(), as_product("campaign"):
        campaign = Campaign.objects.create(
            region_id=actor.region,
            prepared_at=now,
            prepared_by_id=actor.user_id,
            changed_by_id=actor.user_id,
            **values,
        )
        _record(campaign, Verb.PREPARE, actor=actor, now=now)
    return campaign


def change(
    campaign: Campaign,
    *,
    name: str,
    criteria: Criteria,
    seen_version: int,
    actor: Actor,
    now: datetime,
    **content: Any,
) -> Campaign:
    """Change what has not started; an approval is taken away with it."""
    values = _checked(name=name, criteria=criteria, **content, actor=actor, now=now)

    def work(locked: Campaign, _details: dict[str, Any]) -> None:
        _refuse_unseen(locked, seen_version)
        for field, value in values.items():
            setattr(locked, field, value)
        locked.version += 1
        locked.changed_by_id = actor.user_id or locked.changed_by_id
        _take_approval_away(locked)

    return _do(campaign, Verb.CHANGE, work, actor=actor, now=now)


def approve(campaign: Campaign, *, seen_version: int, actor: Actor, now: datetime) -> Campaign:
    """Approve what ``seen_version`` said, by another than who prepared or changed it.

    Patients are counted anew, the region's prices and the texts in use kept. Raises
    :class:`WrongState` when the campaign has changed since, or reaches nobody.
    """
    found = reach_of(campaign, now=now)

    def work(locked: Campaign, details: dict[str, Any]) -> None:
        _refuse_unseen(locked, seen_version)
        if not found.patients:
            raise WrongState(_("Urvalet når ingen patient."), code="nobody")
        locked.approved_at, locked.approved_by_id = now, actor.user_id
        locked.patients, locked.by_letter = found.patients, found.by_letter
        locked.text_versions = kept_texts(locked.region, now=now)
        locked.letter_sek = locked.region.letter_sek
        locked.digital_sek = locked.region.digital_sek
        details["patients"] = found.patients

    return _do(campaign, Verb.APPROVE, work, actor=actor, now=now)


def start(campaign: Campaign, *, actor: Actor, now: datetime) -> Campaign:
    """Fix who is told, one row a patient, and let the sweep begin.

    Raises :class:`WrongState` when the patients are many more than were approved, or none.
    """

    def work(locked: Campaign, details: dict[str, Any]) -> None:
        rows = list(chosen_cases(locked, now=now).values_list("patient", "pk"))
        if not rows:
            raise WrongState(_("Urvalet når ingen patient."), code="nobody")
        _refuse_grown(locked, len(rows))
        CampaignRecipient.objects.bulk_create(
            (
                CampaignRecipient(campaign=locked, patient_id=patient, case_id=case)
                for patient, case in rows
            ),
            batch_size=ROWS_AT_A_TIME,
        )
        locked.started_at = locked.due_at = now
        details["patients"] = len(rows)

    return _do(campaign, Verb.START, work, actor=actor, now=now)


def pause(campaign: Campaign, *, actor: Actor, now: datetime) -> Campaign:
    """Write no more notices, and hold those that wait. What lies at the printer's is not held."""

    def work(locked: Campaign, details: dict[str, Any]) -> None:
        locked.due_at = None
        details["held"] = _unsent(locked, Notice.State.WAITING).update(state=Notice.State.HELD)

    return _do(campaign, Verb.PAUSE, work, actor=actor, now=now)


def stop(campaign: Campaign, *, actor: Actor, now: datetime) -> Campaign:
    """Write no more notices, and cancel those that have not been sent."""

    def work(locked: Campaign, details: dict[str, Any]) -> None:
        locked.due_at = None
        waiting = _unsent(locked, Notice.State.WAITING, Notice.State.HELD)
        details["cancelled"] = waiting.update(
            state=Notice.State.CANCELLED, last_error=_("Kampanjen stoppades.")
        )

    return _do(campaign, Verb.STOP, work, actor=actor, now=now)


def resume(campaign: Campaign, *, actor: Actor, now: datetime) -> Campaign:
    """Go on with those not yet told, and try those anew whose text lacked something.

    A notice that was held or cancelled is the one that goes now: nobody gets a second.
    """

    def work(locked: Campaign, details: dict[str, Any]) -> None:
        locked.due_at, locked.ended_at = now, None
        unsent = _unsent(locked, Notice.State.HELD, Notice.State.CANCELLED)
        details["again"] = unsent.filter(recipient__answer="").update(
            state=Notice.State.WAITING, due_at=now, last_error=""
        )
        stopped = locked.recipients.filter(state=CampaignRecipient.State.STOPPED)
        stopped.update(state=CampaignRecipient.State.WAITING, why="")

    return _do(campaign, Verb.RESUME, work, actor=actor, now=now)


def discard(campaign: Campaign, *, actor: Actor, now: datetime) -> Campaign:
    """Put a campaign that never started out of the way."""

    def work(locked: Campaign, _details: dict[str, Any]) -> None:
        _take_approval_away(locked)

    return _do(campaign, Verb.DISCARD, work, actor=actor, now=now)


def finish(locked: Campaign, *, now: datetime) -> None:
    """Everybody has been told: the sweep's last word, on the row it holds."""
    locked.state, locked.due_at, locked.ended_at = State.DONE, None, now
    locked.save()
    _record(locked, Verb.DONE, actor=Actor.system("Vårdlots"), now=now)


def _do(
    campaign: Campaign,
    verb: CampaignLog.Verb,
    work: Callable[[Campaign, dict[str, Any]], None],
    *,
    actor: Actor,
    now: datetime,
) -> Campaign:
    """Lock, check against the table, change, log. Raises :class:`NotAllowed` or WrongState."""
    step = STEPS[verb]
    details: dict[str, Any] = {}
    with transaction.atomic(), as_product("campaign"):
        locked = (
            Campaign.objects.select_for_update(of=("self",))
            .select_related("region")
            .get(pk=campaign.pk)
        )
        _refuse_unless_allowed(step, locked, actor)
        work(locked, details)
        locked.state = step.target
        locked.save()
        _record(locked, verb, actor=actor, now=now, details=details)
        if locked.state == State.RUNNING:
            transaction.on_commit(wake)
    return locked


def _refuse_unless_allowed(step: Step, campaign: Campaign, actor: Actor) -> None:
    why = in_the_way(step, campaign, actor)
    if not why:
        return
    if actor.role not in step.roles or actor.region != campaign.region_id:
        raise NotAllowed(str(why), code="wrong_role")
    raise WrongState(str(why))


def _record(
    campaign: Campaign,
    verb: CampaignLog.Verb,
    *,
    actor: Actor,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    kept = {"version": campaign.version} | (details or {})
    CampaignLog.objects.create(
        campaign=campaign, at=now, verb=verb, details=kept, **actor.signature
    )


def _checked(
    *,
    name: str,
    criteria: Criteria,
    easy: bool = False,
    message: str = "",
    answer_days: int = DAYS_TO_ANSWER,
    per_hour: int | None = None,
    actor: Actor,
    now: datetime,
) -> dict[str, Any]:
    """What a campaign is made of, or :class:`InvalidInput` at the field."""
    called = required_text(name, field="name", message=_("Skriv ett namn."), most=120)
    problems = {}
    if per_hour is not None and not 1 <= per_hour <= MOST_PER_HOUR:
        problems["per_hour"] = _("Takten är 1–%(most)s meddelanden i timmen.") % {
            "most": MOST_PER_HOUR
        }
    if not 1 <= answer_days <= MOST_ANSWER_DAYS:
        problems["answer_days"] = _("Patienten har 1–%(most)s dagar att svara.") % {
            "most": MOST_ANSWER_DAYS
        }
    if len(message) > LONGEST_MESSAGE:
        problems["message"] = _("Högst %(most)s tecken.") % {"most": LONGEST_MESSAGE}
    if problems:
        raise InvalidInput(_("Kampanjen kan inte sparas."), fields=problems)
    filter_of(criteria, actor=actor, today=timezone.localdate(now))
    return {
        "name": called,
        "criteria": criteria,
        "easy": easy,
        "message": message.strip(),
        "answer_days": answer_days,
        "per_hour": per_hour,
    }


def _refuse_unseen(campaign: Campaign, seen_version: int) -> None:
    if campaign.version != seen_version:
        raise WrongState(
            _("Kampanjen har ändrats sedan du läste den. Läs den igen."), code="changed_meanwhile"
        )


def _refuse_grown(campaign: Campaign, patients: int) -> None:
    approved = campaign.patients or 0
    if patients > approved + max(MAY_GROW, approved * MAY_GROW_PERCENT // 100):
        raise WrongState(
            _(
                "Urvalet når nu %(now)s patienter mot %(then)s när kampanjen godkändes. "
                "Spara den på nytt och låt en kollega godkänna."
            )
            % {"now": patients, "then": approved},
            code="grown",
        )


def _take_approval_away(campaign: Campaign) -> None:
    campaign.approved_at = campaign.approved_by_id = None
    campaign.patients = campaign.by_letter = None
    campaign.text_versions = []
    campaign.letter_sek = campaign.digital_sek = None


def _unsent(campaign: Campaign, *states: Notice.State) -> Any:
    """The campaign's notices in these states that have not left."""
    return Notice.objects.filter(
        recipient__campaign=campaign, state__in=states, sent_at__isnull=True
    )
