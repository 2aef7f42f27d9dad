"""What is done about secrecy and correctness in a case: who may do it, and when.

Rows of the same shape as the state machine's, done by the same ``machine.perform``. None of them
changes the state, so they stand beside its table and not in the API's ``actions``.
"""

from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from organisations.models import Role
from referral.machine import Transition
from referral.models import Case, CaseState

HOME = frozenset({Role.CLINIC, Role.NAVIGATOR})
EVERY_STATE = frozenset(CaseState)


def _is_blocked(case: Case, _actor: Actor) -> bool:
    return bool(case.blocked)


def _is_not_blocked(case: Case, _actor: Actor) -> bool:
    return not case.blocked


def _no_certificate_holds(case: Case, _actor: Actor) -> bool:
    return not case.certificates.filter(revoked_at__isnull=True).exists()


def _is_not_protected(case: Case, _actor: Actor) -> bool:
    return not case.patient.is_protected


def _is_here(case: Case, _actor: Actor) -> bool:
    return not case.patient.has_departed


def _has_departed(case: Case, _actor: Actor) -> bool:
    return case.patient.has_departed


_VERBS = (
    Transition(
        verb="consent",
        label=_("Anteckna patientens besked om samtycke"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.consent_recorded",
    ),
    Transition(
        verb="withdraw_consent",
        label=_("Återkalla samtycke"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.consent_withdrawn",
    ),
    # The clinic's information is blocked, and the patient asks the clinic.
    Transition(
        verb="block",
        label=_("Spärra uppgifterna"),
        sources=EVERY_STATE,
        roles=frozenset({Role.CLINIC}),
        event="case.blocked",
        when=_is_not_blocked,
    ),
    Transition(
        verb="lift_block",
        label=_("Häv spärren"),
        sources=EVERY_STATE,
        roles=frozenset({Role.CLINIC}),
        event="case.block_lifted",
        when=_is_blocked,
    ),
    Transition(
        verb="protect",
        label=_("Anteckna skyddad identitet"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.patient_protected",
        when=_is_not_protected,
    ),
    Transition(
        verb="depart",
        label=_("Anteckna avliden eller utflyttad"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.patient_departed",
        when=_is_here,
    ),
    Transition(
        verb="undo_depart",
        label=_("Häv anteckningen om avliden eller utflyttad"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.patient_returned",
        when=_has_departed,
    ),
    Transition(
        verb="correct_patient",
        label=_("Rätta patientuppgifter"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.patient_corrected",
    ),
    # What the lead time of a cancer pathway is counted from, also when the case is closed.
    Transition(
        verb="correct_pathway",
        label=_("Rätta vårdförloppet (SVF)"),
        sources=EVERY_STATE,
        roles=HOME,
        event="case.pathway_corrected",
    ),
    # Once a certificate holds, a provider has been told the wrong patient: it has to say no first.
    Transition(
        verb="move_patient",
        label=_("Flytta till rätt patient"),
        sources=EVERY_STATE
        - {CaseState.OFFERED, CaseState.ACCEPTED, CaseState.CONFIRMED, CaseState.BOOKED},
        roles=HOME,
        event="case.patient_moved",
        when=_no_certificate_holds,
    ),
    Transition(
        verb="strike_note",
        label=_("Märk anteckning som felaktig"),
        sources=EVERY_STATE,
        roles=frozenset({Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER}),
    ),
    Transition(
        verb="export",
        label=_("Gör registerutdrag"),
        sources=EVERY_STATE,
        roles=frozenset({Role.NAVIGATOR}),
    ),
)

PRIVACY: dict[str, Transition] = {verb.verb: verb for verb in _VERBS}


def privacy_actions_for(case: Case, actor: Actor) -> list[Transition]:
    """What this actor may do about secrecy and correctness in the case now."""
    return [verb for verb in _VERBS if verb.allows(case, actor)]
