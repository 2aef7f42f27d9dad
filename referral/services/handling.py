"""What the navigator does to a case, and pauses and notes that others may make too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput
from referral.guarantee import last_day
from referral.machine import Entry, append_logs, perform
from referral.models import Case, CloseReason, LogVerb, Pause, WatchHit
from referral.services.shared import MAX_TEXT, required_text
from referral.services.watching import leave_watch_list


def take(case: Case, *, actor: Actor, now: datetime) -> Case:
    """Take an incoming case: the navigator handles it from now on."""

    def change(locked: Case) -> None:
        locked.navigator_id = actor.user_id

    return perform(case, "take", actor=actor, now=now, change=change)


def assign(case: Case, *, actor: Actor, now: datetime) -> Case:
    """Take over a case that nobody or somebody else handles; the state stays."""

    def change(locked: Case) -> None:
        locked.navigator_id = actor.user_id

    return perform(case, "assign", actor=actor, now=now, change=change)


def return_to_clinic(case: Case, *, missing: str, actor: Actor, now: datetime) -> Case:
    """Send the form back with what is missing; the clinic mends and resubmits the same case."""
    why = required_text(missing, field="missing", message=_("Skriv vad som saknas."))
    return perform(case, "return_to_clinic", actor=actor, now=now, why=why)


def note(case: Case, *, text: str, actor: Actor, now: datetime) -> Case:
    """Write a note in the case log. It stays; a correction is a new note."""
    why = required_text(text, field="text", message=_("Skriv en anteckning."))
    return perform(case, "note", actor=actor, now=now, why=why)


@dataclass(frozen=True)
class NoticeOutcome:
    """What became of a notice in a case, for its timeline."""

    case: Case
    verb: LogVerb
    channel: str
    subject: str
    comment: str = ""


def record_notice(
    case: Case, verb: LogVerb, *, channel: str, subject: str, now: datetime, comment: str = ""
) -> None:
    """Put what became of a notice on the case's timeline; the state stays."""
    record_notices([NoticeOutcome(case, verb, channel, subject, comment)], now=now)


@transaction.atomic
@as_product("notice")
def record_notices(outcomes: Sequence[NoticeOutcome], *, now: datetime) -> None:
    """Put what became of many notices on their cases' timelines, at once.

    The cases are locked, all in the same order, so that the states told are those they have.
    """
    cases = Case.objects.filter(pk__in={outcome.case.pk for outcome in outcomes})
    locked = cases.order_by("pk").select_for_update(no_key=True)
    states = dict(locked.values_list("pk", "state"))
    append_logs(
        [
            Entry(
                case=outcome.case,
                verb=outcome.verb,
                from_state=states[outcome.case.pk],
                to_state=states[outcome.case.pk],
                why=outcome.comment,
                details={"channel": outcome.channel, "subject": outcome.subject},
            )
            for outcome in outcomes
        ],
        actor=Actor.system("Vårdlots"),
        now=now,
    )


def shut(locked: Case, *, reason: CloseReason, actor: Actor, now: datetime) -> None:
    """Let a locked case end without referral: reason, clock and watch list."""
    locked.close_reason = reason
    locked.closed_at = now
    locked.clock_stopped_on = timezone.localdate(now)
    leave_watch_list(locked, outcome=WatchHit.Outcome.CLOSED, actor=actor, now=now)


def end(case: Case, *, reason: str, comment: str, actor: Actor, now: datetime) -> Case:
    """Close a case that will not be referred, with a coded reason."""
    if reason not in CloseReason.values or reason == CloseReason.TREATED:
        text = _("Välj varför ärendet avslutas.")
        raise InvalidInput(text, fields={"reason": text})

    def change(locked: Case) -> None:
        shut(locked, reason=CloseReason(reason), actor=actor, now=now)

    return perform(
        case,
        "end",
        actor=actor,
        now=now,
        why=comment.strip()[:MAX_TEXT],
        details={"reason": reason},
        change=change,
    )


def pause(
    case: Case,
    *,
    reason: str,
    first_day: date,
    comment: str,
    actor: Actor,
    now: datetime,
    until: date | None = None,
) -> Case:
    """Stop the guarantee clock from a day on, until ``until`` or until it is ended.

    Raises :class:`InvalidInput` for a day to come or before the clock started, or a pause that
    overlaps another.
    """
    if reason not in Pause.Reason.values:
        text = _("Välj patientvald eller medicinskt orsakad väntan.")
        raise InvalidInput(text, fields={"reason": text})
    today = timezone.localdate(now)
    if first_day > today or first_day < case.guarantee_start:
        text = _("Pausen börjar tidigast när klockan startade och senast i dag.")
        raise InvalidInput(text, fields={"first_day": text})
    if until is not None and not first_day <= until <= today:
        text = _("Sista dagen ligger mellan pausens början och i dag. Lämna tomt om den pågår.")
        raise InvalidInput(text, fields={"until": text})

    def change(locked: Case) -> None:
        Pause.objects.create(
            case=locked,
            reason=reason,
            first_day=first_day,
            last_day=until,
            comment=comment.strip()[:300],
        )
        _reset_clock(locked)

    details = {"reason": reason, "first_day": first_day, "last_day": until}
    return _with_overlap_explained(
        lambda: perform(
            case,
            "pause",
            actor=actor,
            now=now,
            why=comment.strip(),
            details=details,
            change=change,
        ),
        field="first_day",
    )


def end_pause(case: Case, *, last: date, actor: Actor, now: datetime) -> Case:
    """Start the clock again: ``last`` is the last paused day."""

    def change(locked: Case) -> None:
        running = locked.pauses.get(last_day__isnull=True)
        if not running.first_day <= last <= timezone.localdate(now):
            text = _("Sista dagen ligger mellan pausens början och i dag.")
            raise InvalidInput(text, fields={"last_day": text})
        running.last_day = last
        running.save(update_fields=["last_day"])
        _reset_clock(locked)

    return perform(
        case, "end_pause", actor=actor, now=now, details={"last_day": last}, change=change
    )


def _reset_clock(case: Case) -> None:
    """Let last day and running pause follow the pause rows."""
    running = case.pauses.filter(last_day__isnull=True).first()
    case.paused_from = running.first_day if running else None
    case.last_day = last_day(
        start=case.guarantee_start,
        days=case.guarantee_days,
        pauses=case.finished_pauses(),
    )


def _with_overlap_explained(work: Callable[[], Case], *, field: str) -> Case:
    try:
        with transaction.atomic():
            return work()
    except IntegrityError as error:
        if "pauses_of_a_case_do_not_overlap" not in str(error):
            raise
        text = _("Pausen krockar med en annan paus i ärendet.")
        raise InvalidInput(text, fields={field: text}) from error
