"""The case as a state machine, written down once (design 5.2).

Services, pages, the API's ``actions``, the tests and docs/state-machine.md all read
``TRANSITIONS``. ``perform`` is the only function that changes a case's state.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.access import PATIENT, SYSTEM, Actor, as_product, record_access
from organisations.errors import DomainError, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import Role
from referral.models import Case, CaseLog, CaseState

S = CaseState
WITH_PROVIDER = frozenset({S.ACCEPTED, S.CONFIRMED, S.BOOKED})
OPEN = frozenset(S) - {S.CLOSED}
# The patient waits at home: no provider has taken the case.
BEFORE_PROVIDER = frozenset({S.RECEIVED, S.RETURNED, S.IN_PROGRESS, S.WATCHED, S.OFFERED})


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One verb: from which states to which, who may, what it needs, what it tells others."""

    verb: str
    label: str | Promise
    sources: frozenset[CaseState]
    target: CaseState | None = None  # None: the state stays
    roles: frozenset[str]
    needs: str | Promise = ""
    event: str = ""
    when: Callable[[Case, Actor], bool] = lambda _case, _actor: True

    def allows(self, case: Case, actor: Actor) -> bool:
        """Whether this actor may do this to the case as it stands."""
        return case.state in self.sources and actor.role in self.roles and self.when(case, actor)


class CaseNotFound(DomainError):
    """There is no such case, or the actor must not know of it."""

    status = 404
    code = "not_found"


def _not_mine(case: Case, actor: Actor) -> bool:
    return case.navigator_id is None or case.navigator_id != actor.user_id


def _clinic_before_handling(case: Case, actor: Actor) -> bool:
    return actor.role == Role.NAVIGATOR or case.state in {S.RECEIVED, S.RETURNED}


def _clock_runs(case: Case, _actor: Actor) -> bool:
    return case.paused_from is None and case.clock_stopped_on is None


def _clock_paused(case: Case, _actor: Actor) -> bool:
    return case.paused_from is not None


CLINIC = frozenset({Role.CLINIC, Role.INTEGRATION})
NAVIGATOR = frozenset({Role.NAVIGATOR})
PROVIDER = frozenset({Role.PROVIDER})

_TRANSITIONS = (
    Transition(
        verb="take",
        label=gettext_lazy("Ta ärendet"),
        sources=frozenset({S.RECEIVED}),
        target=S.IN_PROGRESS,
        roles=NAVIGATOR,
        event="case.taken",
    ),
    Transition(
        verb="assign",
        label=gettext_lazy("Ta över ärendet"),
        sources=OPEN - {S.RECEIVED},
        roles=NAVIGATOR,
        event="case.assigned",
        when=_not_mine,
    ),
    Transition(
        verb="return_to_clinic",
        label=gettext_lazy("Skicka åter till kliniken"),
        sources=frozenset({S.RECEIVED, S.IN_PROGRESS}),
        target=S.RETURNED,
        roles=NAVIGATOR,
        needs=gettext_lazy("vad som saknas"),
        event="case.returned",
    ),
    Transition(
        verb="resubmit",
        label=gettext_lazy("Komplettera och skicka in igen"),
        sources=frozenset({S.RETURNED}),
        target=S.RECEIVED,
        roles=CLINIC,
        needs=gettext_lazy("en fullständig blankett"),
        event="case.resubmitted",
    ),
    Transition(
        verb="offer",
        label=gettext_lazy("Skicka erbjudande"),
        sources=frozenset({S.IN_PROGRESS}),
        target=S.OFFERED,
        roles=NAVIGATOR,
        needs=gettext_lazy("en avropsrad med plats under taket"),
        event="offer.sent",
    ),
    Transition(
        verb="accept",
        label=gettext_lazy("Patienten tackar ja"),
        sources=frozenset({S.OFFERED}),
        target=S.ACCEPTED,
        roles=frozenset({Role.NAVIGATOR, PATIENT}),
        needs=gettext_lazy("svarsväg"),
        event="offer.accepted",
    ),
    Transition(
        verb="decline",
        label=gettext_lazy("Patienten tackar nej"),
        sources=frozenset({S.OFFERED}),
        target=S.IN_PROGRESS,
        roles=frozenset({Role.NAVIGATOR, PATIENT}),
        needs=gettext_lazy("svarsväg och skäl"),
        event="offer.declined",
    ),
    Transition(
        verb="withdraw_offer",
        label=gettext_lazy("Återta erbjudandet"),
        sources=frozenset({S.OFFERED}),
        target=S.IN_PROGRESS,
        roles=NAVIGATOR,
        needs=gettext_lazy("skäl"),
        event="offer.withdrawn",
    ),
    Transition(
        verb="expire_offer",
        label=gettext_lazy("Erbjudandet löper ut utan svar"),
        sources=frozenset({S.OFFERED}),
        target=S.IN_PROGRESS,
        roles=frozenset({SYSTEM}),
        event="offer.expired",
    ),
    Transition(
        verb="confirm",
        label=gettext_lazy("Bekräfta remissen"),
        sources=frozenset({S.ACCEPTED}),
        target=S.CONFIRMED,
        roles=PROVIDER,
        event="referral.confirmed",
    ),
    Transition(
        verb="reject",
        label=gettext_lazy("Avvisa remissen"),
        sources=WITH_PROVIDER,
        target=S.IN_PROGRESS,
        roles=PROVIDER,
        needs=gettext_lazy("skäl och kommentar"),
        event="referral.rejected",
    ),
    Transition(
        verb="book",
        label=gettext_lazy("Boka tid"),
        sources=frozenset({S.CONFIRMED, S.BOOKED}),
        target=S.BOOKED,
        roles=PROVIDER,
        needs=gettext_lazy("datum och klockslag"),
        event="referral.booked",
    ),
    Transition(
        verb="treat",
        label=gettext_lazy("Rapportera behandlad"),
        sources=frozenset({S.CONFIRMED, S.BOOKED}),
        target=S.TREATED,
        roles=PROVIDER,
        needs=gettext_lazy("behandlingsdatum"),
        event="case.treated",
    ),
    Transition(
        verb="close",
        label=gettext_lazy("Återremittera och avsluta"),
        sources=frozenset({S.TREATED}),
        target=S.CLOSED,
        roles=frozenset({Role.PROVIDER, Role.NAVIGATOR}),
        needs=gettext_lazy("återremiss"),
        event="case.closed",
    ),
    Transition(
        verb="park",
        label=gettext_lazy("Lägg på bevakningslistan"),
        sources=frozenset({S.IN_PROGRESS}),
        target=S.WATCHED,
        roles=NAVIGATOR,
        needs=gettext_lazy("vad ärendet väntar på och när det ses över"),
        event="case.parked",
    ),
    Transition(
        verb="review",
        label=gettext_lazy("Sett över, bevaka vidare"),
        sources=frozenset({S.WATCHED}),
        roles=NAVIGATOR,
        needs=gettext_lazy("när det ses över igen"),
        event="case.reviewed",
    ),
    Transition(
        verb="unpark",
        label=gettext_lazy("Återuppta handläggningen"),
        sources=frozenset({S.WATCHED}),
        target=S.IN_PROGRESS,
        roles=NAVIGATOR,
        event="case.unparked",
    ),
    Transition(
        verb="end",
        label=gettext_lazy("Avsluta utan förmedling"),
        sources=frozenset({S.RECEIVED, S.RETURNED, S.IN_PROGRESS, S.WATCHED}),
        target=S.CLOSED,
        roles=frozenset({Role.NAVIGATOR, Role.CLINIC}),
        needs=gettext_lazy("skäl"),
        event="case.closed",
        when=_clinic_before_handling,
    ),
    Transition(
        verb="leave_list",
        label=gettext_lazy("Patienten behöver inte längre vården"),
        sources=BEFORE_PROVIDER,
        target=S.CLOSED,
        roles=frozenset({Role.NAVIGATOR, PATIENT}),
        needs=gettext_lazy("svarsväg"),
        event="case.closed",
    ),
    Transition(
        verb="note",
        label=gettext_lazy("Skriv anteckning"),
        sources=frozenset(S),
        roles=frozenset({Role.NAVIGATOR, Role.CLINIC, Role.PROVIDER}),
        needs=gettext_lazy("text"),
    ),
    Transition(
        verb="pause",
        label=gettext_lazy("Pausa vårdgarantin"),
        sources=OPEN - {S.TREATED},
        roles=frozenset({Role.NAVIGATOR, Role.CLINIC}),
        needs=gettext_lazy("orsak och datum"),
        event="case.paused",
        when=_clock_runs,
    ),
    Transition(
        verb="end_pause",
        label=gettext_lazy("Avsluta pausen"),
        sources=OPEN,
        roles=frozenset({Role.NAVIGATOR, Role.CLINIC}),
        needs=gettext_lazy("sista dag"),
        event="case.pause_ended",
        when=_clock_paused,
    ),
)

TRANSITIONS: dict[str, Transition] = {transition.verb: transition for transition in _TRANSITIONS}

# The verb that creates a case has no state to come from; it stands in the log like the others.
SUBMIT = "submit"


def actions_for(case: Case, actor: Actor) -> list[str]:
    """The verbs this actor may use on the case now, in the table's order."""
    return [verb for verb, transition in TRANSITIONS.items() if transition.allows(case, actor)]


@transaction.atomic
def perform(
    case: Case,
    verb: str | Transition,
    *,
    actor: Actor,
    now: datetime,
    why: str = "",
    details: dict[str, Any] | None = None,
    change: Callable[[Case], None] | None = None,
) -> Case:
    """Do ``verb`` to the case: lock, check, change, log and tell, in one transaction.

    ``verb`` is one of the table's, or a transition of another (referral.privacy). What the actor
    may see is asked as the actor, the rest is written as the product.

    ``change`` does what the verb needs to the locked case and may fill ``details``, which go to
    the log and the event. Raises :class:`CaseNotFound` when the actor must not know of the case,
    :class:`NotAllowed` for a wrong role and :class:`WrongState` for a wrong state.
    """
    _refuse_unless_visible(case, actor)
    transition = verb if isinstance(verb, Transition) else TRANSITIONS[verb]
    verb = transition.verb
    with as_product(verb):
        locked = _lock(case, actor)
        _refuse_unless_allowed(transition, locked, actor)
        from_state = locked.state
        details = {} if details is None else details
        if change:
            change(locked)
        locked.state = transition.target or locked.state
        locked.save()
        append_log(
            locked,
            verb=verb,
            from_state=from_state,
            actor=actor,
            now=now,
            why=why,
            details=details,
        )
        if transition.event:
            emit(transition.event, now=now, case_number=locked.number, payload=details)
        return locked


def append_log(
    case: Case,
    *,
    verb: str,
    from_state: str,
    actor: Actor,
    now: datetime,
    why: str = "",
    details: dict[str, Any] | None = None,
) -> CaseLog:
    """Append the row that tells who did what, to the timeline and to the access log.

    Only ``perform``, the submission and what becomes of a notice call it.
    """
    entry = Entry(
        case=case, verb=verb, from_state=from_state, to_state=case.state, why=why, details=details
    )
    return append_logs([entry], actor=actor, now=now)[0]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of a case's log that is to be."""

    case: Case
    verb: str
    from_state: str
    to_state: str
    why: str = ""
    details: Mapping[str, Any] | None = None


def append_logs(entries: Sequence[Entry], *, actor: Actor, now: datetime) -> list[CaseLog]:
    """As :func:`append_log` for each, in a few statements."""
    shown: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for entry in entries:
        shown[entry.verb].append((entry.case.number, entry.case.patient_id))
    for verb, cases in shown.items():
        record_access(actor, what=verb, now=now, cases=cases, of_change=True)
    return CaseLog.objects.bulk_create(
        CaseLog(
            case=entry.case,
            at=now,
            verb=entry.verb,
            from_state=entry.from_state,
            to_state=entry.to_state,
            **actor.signature,
            why=entry.why,
            details=dict(entry.details or {}),
        )
        for entry in entries
    )


def _is_trusted(actor: Actor) -> bool:
    """The product, and a patient whom a gateway vouches for; not the one on the own page."""
    return actor.role == SYSTEM or (actor.role == PATIENT and actor.case_id is None)


def _refuse_unless_visible(case: Case, actor: Actor) -> None:
    if _is_trusted(actor):
        return
    if not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise CaseNotFound(_("Ärendet finns inte."))


def _lock(case: Case, actor: Actor) -> Case:
    # What nearly every verb reads of the case's surroundings comes along.
    cases = Case.objects.select_related("region", "patient__municipality")
    if not _is_trusted(actor):
        cases = cases.visible_to(actor)
    try:
        return cases.select_for_update(of=("self",)).get(pk=case.pk)
    except Case.DoesNotExist as error:
        raise CaseNotFound(_("Ärendet finns inte.")) from error


def _refuse_unless_allowed(transition: Transition, case: Case, actor: Actor) -> None:
    if actor.role not in transition.roles:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    if not transition.allows(case, actor):
        raise WrongState(
            _("”%(action)s” går inte när ärendet är: %(state)s.")
            % {"action": transition.label, "state": case.get_state_display().lower()}
        )
