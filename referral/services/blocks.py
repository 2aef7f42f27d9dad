"""Spärr and its two ways through: the patient's consent, and an emergency.

Patientdatalagen 4 kap. 4–5 §§; lagen (2022:913) 2 kap. 3 § and 3 kap. 4 §.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product, record_access
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import Role
from patients.models import Patient
from referral.machine import CaseNotFound, append_log, perform
from referral.models import Block, BlockReach, Case, Consent, EmergencyOpening, LogVerb
from referral.numbers import CaseNumber, InvalidCaseNumber
from referral.privacy import PRIVACY
from referral.services.consents import add_consent, check_consent
from referral.services.shared import MAX_TEXT, required_text

# An emergency is over, or the patient can be asked, within a day.
OPENING_LASTS = timedelta(hours=24)


def block(
    case: Case,
    *,
    reach: str,
    asked_by_patient: bool,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> Case:
    """Block what this unit has sent about the patient, all its cases, from those ``reach`` names.

    A guardian cannot block a child's information (patientdatalagen 4 kap. 4 §), so the one who
    writes it down says that the patient asked.
    """
    if reach not in BlockReach.values:
        text = _("Välj vilka spärren gäller mot.")
        raise InvalidInput(text, fields={"reach": text})
    if not asked_by_patient:
        text = _("Bara patienten själv kan begära spärr. Vårdnadshavare kan inte spärra.")
        raise InvalidInput(text, fields={"asked_by_patient": text})
    why = reason.strip()[:MAX_TEXT]

    def change(locked: Case) -> None:
        # A case on its way in locks the patient too, and so meets the block or is met by it.
        Patient.objects.select_for_update().get(pk=locked.patient_id)
        Block.objects.create(
            patient_id=locked.patient_id,
            care_unit_id=locked.sending_unit_id,
            reach=reach,
            reason=why,
            at=now,
            **actor.signature,
        )
        _tell_sister_cases(locked, LogVerb.BLOCK, actor=actor, now=now, details={"reach": reach})

    return perform(
        case, PRIVACY["block"], actor=actor, now=now, details={"reach": reach}, change=change
    )


def lift_block(case: Case, *, reason: str, actor: Actor, now: datetime) -> Case:
    """Lift the block on this unit's information, when the patient asks for it."""
    why = required_text(reason, field="reason", message=_("Skriv vad patienten har begärt."))

    def change(locked: Case) -> None:
        Block.objects.filter(
            patient_id=locked.patient_id,
            care_unit_id=locked.sending_unit_id,
            lifted_at__isnull=True,
        ).update(
            lifted_at=now,
            lifted_by=actor.user_id,
            lifted_by_name=actor.name,
            lift_reason=why,
        )
        _tell_sister_cases(locked, LogVerb.LIFT_BLOCK, actor=actor, now=now, why=why)

    return perform(case, PRIVACY["lift_block"], actor=actor, now=now, why=why, change=change)


def _tell_sister_cases(
    case: Case,
    verb: LogVerb,
    *,
    actor: Actor,
    now: datetime,
    why: str = "",
    details: dict[str, str] | None = None,
) -> None:
    """The block holds for the patient's other cases from the unit: it stands in their logs too."""
    sisters = Case.objects.filter(
        patient_id=case.patient_id, sending_unit_id=case.sending_unit_id
    ).exclude(pk=case.pk)
    for sister in sisters:
        append_log(
            sister,
            verb=verb,
            from_state=sister.state,
            actor=actor,
            now=now,
            why=why,
            details=details,
        )


@transaction.atomic
@as_product("consent to open a blocked case")
def open_with_consent(
    number: str,
    *,
    how: str,
    given_on: date,
    actor: Actor,
    now: datetime,
    until: date | None = None,
) -> Case:
    """The patient lets this role's people read the blocked case; who took it stands in the row."""
    case = _kept_case(number, actor)
    audience = (
        Consent.Audience.PROVIDER if actor.role == Role.PROVIDER else Consent.Audience.NAVIGATORS
    )
    check_consent(audience=audience, how=how, given_on=given_on, until=until, now=now)
    add_consent(
        case,
        audience=audience,
        care_unit=case.receiving_unit if audience == Consent.Audience.PROVIDER else None,
        given=True,
        how=how,
        given_on=given_on,
        until=until,
        actor=actor,
        now=now,
    )
    _log_opening(case, LogVerb.CONSENT, actor=actor, now=now, details={"how": how})
    emit("case.consent_recorded", now=now, case_number=case.number, payload={"how": how})
    return case


@transaction.atomic
@as_product("emergency opening")
def open_in_emergency(
    number: str, *, reason: str, cannot_consent: bool, actor: Actor, now: datetime
) -> EmergencyOpening:
    """Nödöppning: this person, and nobody else, reads the blocked case for a day.

    It stands in the case's log and the access log under a name of its own, and the region's
    administrator is told. Raises :class:`InvalidInput` without reason or the assurance that the
    law asks for.
    """
    case = _kept_case(number, actor)
    why = required_text(
        reason, field="reason", message=_("Skriv varför uppgifterna måste läsas utan samtycke.")
    )
    if not cannot_consent:
        text = _("Intyga att patienten inte kan tillfrågas och oundgängligen behöver vården.")
        raise InvalidInput(text, fields={"cannot_consent": text})
    opening = EmergencyOpening.objects.create(
        case=case,
        case_number=case.number,
        region_id=case.region_id,
        reason=why,
        ends_at=now + OPENING_LASTS,
        at=now,
        **actor.signature,
    )
    _log_opening(case, LogVerb.EMERGENCY_OPEN, actor=actor, now=now, why=why)
    emit("case.emergency_opened", now=now, case_number=case.number, payload={"opening": opening.pk})
    return opening


def _log_opening(
    case: Case,
    verb: LogVerb,
    *,
    actor: Actor,
    now: datetime,
    why: str = "",
    details: dict[str, str] | None = None,
) -> None:
    append_log(
        case, verb=verb, from_state=case.state, actor=actor, now=now, why=why, details=details
    )


def _kept_case(number: str, actor: Actor) -> Case:
    """The case of the actor's place that the patient has blocked for it, locked."""
    if actor.role not in {Role.NAVIGATOR, Role.PROVIDER} or actor.user_id is None:
        raise NotAllowed(_("Din roll får inte göra detta."), code="wrong_role")
    try:
        wanted = CaseNumber.parse(number).value
    except InvalidCaseNumber as error:
        raise CaseNotFound(_("Ärendet finns inte.")) from error
    case = Case.objects.within_reach_of(actor).filter(number=wanted)
    locked = case.select_for_update(of=("self",)).first()
    if locked is None:
        raise CaseNotFound(_("Ärendet finns inte."))
    if not Case.objects.kept_from(actor).filter(pk=locked.pk).exists():
        raise WrongState(_("Ärendet är inte spärrat för dig."), code="not_blocked")
    return locked


@transaction.atomic
def follow_up_opening(
    opening: EmergencyOpening, *, outcome: str, text: str, actor: Actor, now: datetime
) -> EmergencyOpening:
    """The region's administrator says whether the opening was justified."""
    if outcome not in EmergencyOpening.Outcome.values:
        message = _("Välj hur öppningen bedöms.")
        raise InvalidInput(message, fields={"outcome": message})
    why = required_text(text, field="text", message=_("Skriv vad uppföljningen visade."))
    with as_product("follow-up of an emergency opening"):
        locked = EmergencyOpening.objects.select_for_update().get(pk=opening.pk)
        if actor.role != Role.REGION_ADMIN or actor.region != locked.region_id:
            raise NotAllowed(_("Bara regionens administratör följer upp."))
        if locked.followed_up_at is not None:
            raise WrongState(_("Öppningen är redan uppföljd."), code="followed_up")
        locked.followed_up_at = now
        locked.followed_up_by_id = actor.user_id
        locked.outcome = outcome
        locked.follow_up = why
        locked.save(update_fields=["followed_up_at", "followed_up_by", "outcome", "follow_up"])
        shown = [(locked.case_number, locked.case.patient_id)]
    record_access(actor, what="opening_follow_up", now=now, cases=shown, of_change=True)
    return locked
