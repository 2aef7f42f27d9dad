"""What is done about calls in a case: who may do it, and when.

Rows of the shape of the state machine's, done by the same ``machine.perform``, which locks the
case, writes its log and the access log. None of them changes the case's state.
"""

from django.utils.translation import gettext_lazy as _

from organisations.access import PATIENT, SYSTEM
from organisations.models import Role
from referral.machine import OPEN, Transition
from referral.models import CaseState, LogVerb

HOME = frozenset({Role.NAVIGATOR, Role.CLINIC})

_VERBS = (
    Transition(
        verb=LogVerb.CALL_ASKED,
        label=_("Vill bli uppringd"),
        sources=OPEN,
        roles=HOME | {PATIENT},
    ),
    Transition(
        verb=LogVerb.CALL_BOOKED,
        label=_("Boka uppringning"),
        sources=OPEN,
        roles=HOME | {PATIENT},
    ),
    Transition(
        verb=LogVerb.CALL_REBOOKED,
        label=_("Flytta uppringningen"),
        sources=OPEN,
        roles=HOME | {PATIENT},
    ),
    # Also of a case that has closed: then the product does it.
    Transition(
        verb=LogVerb.CALL_CANCELLED,
        label=_("Avboka uppringningen"),
        sources=frozenset(CaseState),
        roles=HOME | {PATIENT, SYSTEM},
    ),
    Transition(
        verb=LogVerb.CALL_TAKEN_OVER,
        label=_("Ta över uppringningen"),
        sources=OPEN,
        roles=frozenset({Role.NAVIGATOR}),
    ),
    Transition(
        verb=LogVerb.CALL_DONE,
        label=_("Patienten är uppringd"),
        sources=frozenset(CaseState),
        roles=frozenset({Role.NAVIGATOR}),
        needs=_("utfall"),
    ),
    Transition(
        verb=LogVerb.CALL_MISSED,
        label=_("Patienten svarade inte"),
        sources=OPEN,
        roles=frozenset({Role.NAVIGATOR}),
    ),
)

VERBS: dict[str, Transition] = {verb.verb: verb for verb in _VERBS}
