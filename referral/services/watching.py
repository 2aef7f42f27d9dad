"""The watch list: park, review, resume, and what becomes of a hit (Region Kronoberg).

Whoever nobody can take now stays in the system until somebody can. A watched case always has a day
on which it is seen over, at most 30 days after it last was; the database refuses anything else.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, WrongState
from organisations.models import Role
from referral.machine import Transition, perform
from referral.models import Case, CaseState, WatchHit, WatchKind
from referral.models.cases import MOST_DAYS_UNSEEN
from referral.services.shared import required_text

# Beside the state machine's table as those of privacy are: only a case with a hit has it.
DISMISS = Transition(
    verb="dismiss_hit",
    label=gettext_lazy("Avfärda träffen"),
    sources=frozenset({CaseState.WATCHED}),
    roles=frozenset({Role.NAVIGATOR}),
    needs=gettext_lazy("skäl"),
    event="case.hit_dismissed",
)


def park(
    case: Case,
    *,
    waits_for: str,
    review_on: date,
    actor: Actor,
    now: datetime,
    kind: str = WatchKind.OTHER,
) -> Case:
    """Put the case on the watch list with what it waits for and the day it is seen again."""
    why = _waits_for(waits_for)
    if kind not in WatchKind.values:
        text = _("Välj vad ärendet väntar på.")
        raise InvalidInput(text, fields={"kind": text})
    _check_review(review_on, now=now)

    def change(locked: Case) -> None:
        locked.watch_kind = kind
        locked.watch_reason = why
        _renew(locked, review_on=review_on, now=now)

    details = {"review_on": review_on, "kind": kind}
    return perform(case, "park", actor=actor, now=now, why=why, details=details, change=change)


def review(
    case: Case,
    *,
    review_on: date,
    actor: Actor,
    now: datetime,
    waits_for: str = "",
    comment: str = "",
) -> Case:
    """The navigator has seen the case over; it is watched for another 30 days at most.

    ``waits_for``, when given, is what it waits for from now on.
    """
    why = _waits_for(waits_for) if waits_for.strip() else ""
    _check_review(review_on, now=now)

    def change(locked: Case) -> None:
        locked.watch_reason = why or locked.watch_reason
        _renew(locked, review_on=review_on, now=now)

    details = {"review_on": review_on} | ({"waits_for": why} if why else {})
    return perform(
        case,
        "review",
        actor=actor,
        now=now,
        why=comment.strip()[:300],
        details=details,
        change=change,
    )


def unpark(case: Case, *, actor: Actor, now: datetime) -> Case:
    """Take the case off the watch list and go on handling it; its hits are done with."""

    def change(locked: Case) -> None:
        leave_watch_list(locked, outcome=WatchHit.Outcome.RESUMED, actor=actor, now=now)

    return perform(case, "unpark", actor=actor, now=now, change=change)


def dismiss_hit(case: Case, *, hit_id: int, reason: str, actor: Actor, now: datetime) -> Case:
    """The hit is not for this patient, with the reason; the case is watched on."""
    why = required_text(
        reason, field="reason", message=_("Skriv varför träffen inte passar."), most=300
    )

    def change(locked: Case) -> None:
        hits = locked.watch_hits.select_for_update(of=("self",)).filter(handled_at__isnull=True)
        hit = hits.select_related("line__care_unit").filter(pk=hit_id).first()
        if hit is None:
            raise WrongState(_("Träffen är redan hanterad."), code="hit_handled")
        details["unit"] = hit.line.care_unit.name
        hit.outcome, hit.reason = WatchHit.Outcome.DISMISSED, why
        hit.handled_at, hit.handled_by_id = now, actor.user_id
        hit.save(update_fields=["outcome", "reason", "handled_at", "handled_by"])

    details: dict[str, Any] = {"hit": hit_id}
    return perform(case, DISMISS, actor=actor, now=now, why=why, details=details, change=change)


@as_product("hits seen")
def mark_seen(hits: Iterable[WatchHit], *, now: datetime) -> None:
    """Somebody who may handle the hits has seen them on the case's page."""
    unseen = [hit.pk for hit in hits if hit.seen_at is None]
    if unseen:
        WatchHit.objects.filter(pk__in=unseen, seen_at__isnull=True).update(seen_at=now)


def leave_watch_list(
    locked: Case, *, outcome: WatchHit.Outcome, actor: Actor, now: datetime
) -> None:
    """Nothing is waited for any more; for the services that end the watching."""
    locked.watch_kind = ""
    locked.watch_reason = ""
    locked.reviewed_on = None
    locked.review_on = None
    locked.watch_hits.filter(handled_at__isnull=True).update(
        outcome=outcome, handled_at=now, handled_by_id=actor.user_id
    )


def _waits_for(text: str) -> str:
    message = _("Skriv vad ärendet väntar på.")
    return required_text(text, field="waits_for", message=message, most=200)


def _check_review(review_on: date, *, now: datetime) -> None:
    if not 1 <= (review_on - timezone.localdate(now)).days <= MOST_DAYS_UNSEEN:
        text = _("Välj en dag inom 30 dagar.")
        raise InvalidInput(text, fields={"review_on": text})


def _renew(case: Case, *, review_on: date, now: datetime) -> None:
    case.reviewed_on = timezone.localdate(now)
    case.review_on = review_on
