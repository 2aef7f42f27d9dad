"""What pages show about secrecy in a case, and the bare fact that a blocked case exists.

Patientdatalagen 4 kap. 4 § third paragraph: others may know that there is blocked information, and
nothing more of it.
"""

from dataclasses import dataclass
from datetime import date

from organisations.access import Actor, as_product
from organisations.models import Role
from referral.machine import Transition
from referral.models import (
    Block,
    BlockReach,
    Case,
    CaseState,
    Consent,
    Correction,
    EmergencyOpening,
)
from referral.numbers import CaseNumber, InvalidCaseNumber
from referral.privacy import privacy_actions_for


@dataclass(frozen=True)
class BlockedCase:
    """What may be known of a blocked case: that it is there, its state and its last day."""

    number: str
    state: str
    last_day: date
    patient_id: int  # for the access log; shown to nobody

    @property
    def state_label(self) -> str:
        return str(CaseState(self.state).label)


def blocked_cases(actor: Actor, *, at_most: int = 50) -> list[BlockedCase]:
    """The open cases that patients keep from the actor, the most urgent first."""
    if actor.role not in {Role.NAVIGATOR, Role.PROVIDER}:
        return []
    with as_product("that blocked information exists"):
        rows = Case.objects.kept_from(actor).open().order_by("last_day", "pk")
        found = rows.values_list("number", "state", "last_day", "patient_id")[:at_most]
        return [BlockedCase(*row) for row in found]


def blocked_case(actor: Actor, number: str) -> BlockedCase | None:
    """The blocked case with this number; ``None`` when it is open to the actor or not its own."""
    if actor.role not in {Role.NAVIGATOR, Role.PROVIDER}:
        return None
    try:
        wanted = CaseNumber.parse(number).value
    except InvalidCaseNumber:
        return None
    with as_product("that blocked information exists"):
        row = (
            Case.objects.kept_from(actor)
            .filter(number=wanted)
            .values_list("number", "state", "last_day", "patient_id")
            .first()
        )
    return BlockedCase(*row) if row else None


@dataclass(frozen=True)
class Secrecy:
    """The case page's part "Sekretess och samtycke"."""

    blocked: str
    block: Block | None
    consents: list[Consent]
    openings: list[EmergencyOpening]
    corrections: list[Correction]
    actions: list[Transition]


def secrecy_of(actor: Actor, case: Case) -> Secrecy:
    """What the actor may know and do about secrecy in a case that it sees."""
    home = actor.role in {Role.NAVIGATOR, Role.CLINIC}
    consents = case.consents.select_related("care_unit")
    if not home:
        consents = consents.filter(audience=Consent.Audience.PROVIDER)
    blocks = Block.objects.filter(
        patient_id=case.patient_id, care_unit_id=case.sending_unit_id, lifted_at__isnull=True
    )
    return Secrecy(
        blocked=str(BlockReach(case.blocked).label) if case.blocked else "",
        block=blocks.first() if case.blocked and actor.role == Role.CLINIC else None,
        consents=list(consents),
        openings=list(case.emergency_openings.all()),
        corrections=_corrections(case) if home else [],
        actions=[
            verb
            for verb in privacy_actions_for(case, actor)
            if verb.verb not in {"withdraw_consent", "strike_note"}
        ],
    )


def _corrections(case: Case) -> list[Correction]:
    """With the wrong patient of a moved case, whom nobody sees through the case any more."""
    with as_product("what stood before a correction"):
        return list(case.corrections.select_related("wrong_patient"))
