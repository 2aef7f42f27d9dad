"""Offers: send, answer, withdraw, expire; the certificate that a yes brings."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.models import FreeCapacity
from capacity.slots.services import take_place
from contracts import services as call_offs
from contracts.models import ContractLine
from contracts.selectors import procedure_name
from organisations.access import PATIENT, Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import Region
from organisations.sweeps import claim_due
from referral.machine import perform
from referral.models import (
    PATIENTS_OWN,
    AnswerChannel,
    Case,
    Certificate,
    CloseReason,
    DeclineReason,
    Offer,
    Referral,
)
from referral.selectors.matching import placed, refuse_unless_slot_fits
from referral.services.consents import consent_by_yes, refuse_without_consent
from referral.services.handling import shut
from referral.services.shared import required_text
from referral.texts import OfferFacts, Wishes, write_offer

# How long the receiving provider may rely on the payment commitment.
CERTIFICATE_VALID_DAYS = 365


def send_offer(
    case: Case,
    *,
    line: ContractLine,
    actor: Actor,
    now: datetime,
    wishes: Wishes | None = None,
    slot: FreeCapacity | None = None,
    chance: Random | None = None,
) -> Offer:
    """Offer the line's unit to the patient and reserve one place under the cap.

    With ``slot`` one of the provider's free places is taken too, for as long as the reservation
    lives. ``chance`` draws among the variants of the text.

    Raises :class:`InvalidInput` when something the patient must be told is missing,
    :class:`CapReached` when there is no room, :class:`WrongState` when the line does not match
    the case (contract over, region not allowed, ASA, age), the clinic has not said that the
    patient can be transferred, or the patient has said no to it.
    """
    made: dict[str, Any] = {}
    wanted = wishes or Wishes()

    def change(locked: Case) -> None:
        today = timezone.localdate(now)
        _refuse_unless_offerable(locked, line, today=today)
        details["matching"] = placed(locked, line, today=today)
        if slot is not None:
            refuse_unless_slot_fits(locked, line, slot, today=today)
        facts = OfferFacts.gather(locked, line.care_unit, today=today, wishes=wanted, slot=slot)
        draft = write_offer(facts, wishes=wanted, now=now, chance=chance)
        offer = _make_offer(locked, line, facts, draft.text, actor=actor, now=now, slot=slot)
        draft.keep(offer)
        made["offer"] = offer
        details.update(
            offer=offer.serial, unit=offer.care_unit.name, contract=offer.contract_number
        )
        if slot is not None:
            details["weeks"] = slot.weeks

    details: dict[str, Any] = {}
    perform(case, "offer", actor=actor, now=now, details=details, change=change)
    return made["offer"]


def _refuse_unless_offerable(case: Case, line: ContractLine, *, today: date) -> None:
    """Raise :class:`WrongState` where clinic or patient has said no, or there is no patient."""
    if not case.form.transferable:
        raise WrongState(
            _("Kliniken har bedömt att patienten inte kan förmedlas."), code="not_transferable"
        )
    if case.patient.has_departed:
        raise WrongState(case.patient.departure, code="patient_departed")
    refuse_without_consent(case, line.care_unit, today=today)


def _make_offer(
    case: Case,
    line: ContractLine,
    facts: OfferFacts,
    text: str,
    *,
    actor: Actor,
    now: datetime,
    slot: FreeCapacity | None,
) -> Offer:
    today = timezone.localdate(now)
    call_off = call_offs.reserve(line, case_number=case.number, region=case.region, now=now)
    if slot is not None:
        take_place(slot, call_off=call_off, today=today)
    return Offer.objects.create(
        case=case,
        serial=case.offers.count() + 1,
        line=line,
        care_unit=line.care_unit,
        call_off=call_off,
        contract_number=line.contract.number,
        price_sek=line.price_sek,
        included=line.included,
        expected_wait_days=facts.wait_days,
        home_wait_days=facts.home_wait_days,
        funding=case.region.funding,
        text=text,
        sent_by_id=actor.user_id,
        sent_at=now,
        due_at=_stands_until(case.region, today=today),
    )


def _stands_until(region: Region, *, today: date) -> datetime:
    """The end of the last day the offer stands, Europe/Stockholm."""
    after = today + timedelta(days=region.offer_stands_days + 1)
    return timezone.make_aware(datetime.combine(after, time.min))


def answer_offer(
    offer: Offer,
    *,
    accepted: bool,
    channel: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
    comment: str = "",
) -> Offer:
    """Record the patient's answer, whichever way it came, as long as the offer stands.

    A yes issues the certificate and hands the case to the provider; a no releases the place and
    needs a reason. Raises :class:`WrongState` (code ``offer_closed``) when the offer no longer
    stands.
    """
    if channel not in AnswerChannel.values:
        text = _("Välj hur svaret kom: 1177, telefon eller brev.")
        raise InvalidInput(text, fields={"channel": text})
    if not accepted and reason not in DeclineReason.values:
        text = _("Välj varför patienten tackar nej.")
        raise InvalidInput(text, fields={"reason": text})
    if channel in PATIENTS_OWN and actor.role != PATIENT:
        raise NotAllowed(_("Svar i 1177 och på egna sidan lämnar patienten själv."))
    details: dict[str, Any] = {"channel": channel}

    def change(case: Case) -> None:
        locked = _standing(offer, now=now)
        locked.answered_at = now
        locked.answer_channel = channel
        locked.answer_comment = comment.strip()[:2000]
        details["offer"] = locked.serial
        details["unit"] = locked.care_unit.name
        if accepted:
            _accept(case, locked, actor=actor, now=now, details=details)
        else:
            _decline(locked, reason=reason, now=now, details=details)

    with transaction.atomic():
        _standing(offer, now=now)
        perform(
            offer.case,
            "accept" if accepted else "decline",
            actor=actor,
            now=now,
            why=comment.strip()[:2000],
            details=details,
            change=change,
        )
    offer.refresh_from_db()
    return offer


def _standing(offer: Offer, *, now: datetime | None = None) -> Offer:
    """The offer, which must still stand; at ``now``, when given, its time must not be up."""
    found = Offer.objects.select_related("care_unit__provider", "line__contract", "call_off").get(
        pk=offer.pk
    )
    if found.state != Offer.State.SENT:
        raise WrongState(
            _("Erbjudandet står inte längre: %(state)s.")
            % {"state": found.get_state_display().lower()},
            code="offer_closed",
        )
    if now is not None and now >= found.due_at:
        raise WrongState(_("Tiden att svara har gått ut."), code="offer_closed")
    return found


def _accept(
    case: Case, offer: Offer, *, actor: Actor, now: datetime, details: dict[str, Any]
) -> None:
    offer.state = Offer.State.ACCEPTED
    offer.save()
    consent_by_yes(case, offer, actor=actor, now=now)
    case.receiving_unit = offer.care_unit
    Referral.objects.create(offer=offer, sent_at=now)
    certificate = _issue_certificate(case, offer, now=now)
    details["certificate"] = certificate.number


def _decline(offer: Offer, *, reason: str, now: datetime, details: dict[str, Any]) -> None:
    offer.state = Offer.State.DECLINED
    offer.decline_reason = reason
    offer.save()
    call_offs.release(offer.call_off, now=now)
    details["reason"] = reason


def _issue_certificate(case: Case, offer: Offer, *, now: datetime) -> Certificate:
    """Certify what was agreed; the PDF is made from ``content`` whenever it is asked for."""
    serial = case.certificates.count() + 1
    today = timezone.localdate(now)
    patient, unit = case.patient, offer.care_unit
    return Certificate.objects.create(
        case=case,
        offer=offer,
        serial=serial,
        number=f"{case.number}/{serial}",
        issued_at=now,
        valid_to=today + timedelta(days=CERTIFICATE_VALID_DAYS),
        content={
            "case_number": case.number,
            "region": case.region.name,
            "region_code": case.region_id,
            "navigator_unit": case.region.navigator_unit_name,
            "navigator_phone": case.region.navigator_phone,
            "patient_name": patient.full_name,
            "identity_number": patient.identity_formatted,
            "protected": patient.is_protected,
            "kva": case.kva,
            "procedure": procedure_name(case.kva),
            "icd10": case.icd10,
            "phase": case.get_phase_display(),
            "sending_unit": case.sending_unit.name,
            "sending_unit_hsa_id": case.sending_unit.hsa_id,
            "provider": unit.provider.name,
            "organisation_number": unit.provider.organisation_number,
            "care_unit": unit.name,
            "care_unit_hsa_id": unit.hsa_id,
            "contract": offer.contract_number,
            "reimbursement": offer.line.contract.reimbursement,
            "price_sek": str(offer.price_sek),
            "included": offer.included,
        },
    )


def withdraw_offer(offer: Offer, *, why: str, actor: Actor, now: datetime) -> Offer:
    """Take an unanswered offer back, with the reason; the place is released."""
    reason = required_text(why, field="why", message=_("Skriv varför erbjudandet återtas."))
    _close(offer, "withdraw_offer", Offer.State.WITHDRAWN, actor=actor, now=now, why=reason)
    offer.refresh_from_db()
    return offer


def leave_list(case: Case, *, channel: str, actor: Actor, now: datetime, comment: str = "") -> Case:
    """The patient no longer needs the care: close the case and free what an offer held.

    ``channel`` is how the patient said so. Raises :class:`WrongState` once a provider has taken
    the case. A closed case is not opened again: a mistake is mended by a new form.
    """
    if channel not in AnswerChannel.values:
        text = _("Välj hur svaret kom: 1177, telefon eller brev.")
        raise InvalidInput(text, fields={"channel": text})
    if channel in PATIENTS_OWN and actor.role != PATIENT:
        raise NotAllowed(_("Svar i 1177 och på egna sidan lämnar patienten själv."))

    def change(locked: Case) -> None:
        offer = locked.offers.filter(state=Offer.State.SENT).first()
        if offer is not None:
            closed = _end_standing(offer, Offer.State.WITHDRAWN, now=now)
            emit("offer.withdrawn", now=now, case_number=locked.number, payload=closed)
        shut(locked, reason=CloseReason.NO_LONGER_NEEDED, actor=actor, now=now)

    return perform(
        case,
        "leave_list",
        actor=actor,
        now=now,
        why=comment.strip()[:2000],
        details={"channel": channel, "reason": CloseReason.NO_LONGER_NEEDED},
        change=change,
    )


def expire_offers(*, now: datetime, limit: int = 100) -> int:
    """Sweep: offers whose last day has passed without answer; returns how many.

    The place is released and the case goes back to its navigator, in view (never out of sight).
    """
    with transaction.atomic():
        due = claim_due(Offer.objects.filter(state=Offer.State.SENT), now=now, limit=limit)
    expired = 0
    for offer in due:
        try:
            _close(
                offer,
                "expire_offer",
                Offer.State.EXPIRED,
                actor=Actor.system(_("Svarstiden gick ut")),
                now=now,
            )
        except WrongState:  # answered in between
            continue
        expired += 1
    return expired


@transaction.atomic
def _close(
    offer: Offer, verb: str, state: Offer.State, *, actor: Actor, now: datetime, why: str = ""
) -> None:
    details: dict[str, Any] = {}

    def change(_case: Case) -> None:
        details.update(_end_standing(offer, state, now=now))

    perform(offer.case, verb, actor=actor, now=now, why=why, details=details, change=change)


def _end_standing(offer: Offer, state: Offer.State, *, now: datetime) -> dict[str, Any]:
    """Close the offer unanswered and free its place; what log and event tell of it."""
    locked = _standing(offer)
    locked.state = state
    locked.save(update_fields=["state"])
    call_offs.release(locked.call_off, now=now)
    return {"offer": locked.serial, "unit": locked.care_unit.name}
