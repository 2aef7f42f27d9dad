"""What the receiving provider says and does about an accepted offer."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contracts import services as call_offs
from organisations.access import Actor
from organisations.errors import InvalidInput
from referral.machine import perform
from referral.models import Case, CloseReason, Offer, Referral, RejectionReason
from referral.services.shared import required_text


def confirm(case: Case, *, actor: Actor, now: datetime) -> Case:
    """Remissbekräftelse: the provider's yes, which ends the handling time."""

    def change(locked: Case) -> None:
        referral = _referral(locked)
        referral.confirmed_at = now
        referral.save(update_fields=["confirmed_at"])
        locked.confirmed_at = now

    return perform(case, "confirm", actor=actor, now=now, change=change)


def reject(case: Case, *, reason: str, comment: str, actor: Actor, now: datetime) -> Case:
    """The provider's no, with a coded reason and a comment that navigator and clinic both see.

    The place is released, the certificate revoked and the case goes back to matching.
    """
    if reason not in RejectionReason.values:
        text = _("Välj varför remissen avvisas.")
        raise InvalidInput(text, fields={"reason": text})
    why = required_text(comment, field="comment", message=_("Skriv en kommentar till avsändaren."))
    details: dict[str, Any] = {"reason": reason}

    def change(locked: Case) -> None:
        referral = _referral(locked)
        referral.rejected_at = now
        referral.rejection_reason = reason
        referral.rejection_comment = why
        referral.save(update_fields=["rejected_at", "rejection_reason", "rejection_comment"])
        offer = referral.offer
        offer.state = Offer.State.REJECTED
        offer.save(update_fields=["state"])
        call_offs.release(offer.call_off, now=now)
        offer.certificate.revoked_at = now
        offer.certificate.save(update_fields=["revoked_at"])
        locked.receiving_unit = None
        locked.confirmed_at = None
        details.update(offer=offer.serial, unit=offer.care_unit.name)

    return perform(case, "reject", actor=actor, now=now, why=why, details=details, change=change)


def book(case: Case, *, booked_for: datetime, actor: Actor, now: datetime) -> Case:
    """Book, or move, the patient's time. ``booked_for`` is aware and lies ahead."""
    if booked_for <= now:
        text = _("Den bokade tiden ska ligga framåt i tiden.")
        raise InvalidInput(text, fields={"booked_for": text})

    def change(locked: Case) -> None:
        referral = _referral(locked)
        referral.booked_for = booked_for
        referral.save(update_fields=["booked_for"])

    return perform(
        case, "book", actor=actor, now=now, details={"booked_for": booked_for}, change=change
    )


def treat(case: Case, *, treated_on: date, actor: Actor, now: datetime) -> Case:
    """Report the treatment, which uses the place under the cap and stops the clock."""
    today = timezone.localdate(now)

    def change(locked: Case) -> None:
        referral = _referral(locked)
        accepted_on = timezone.localdate(referral.sent_at)
        if not accepted_on <= treated_on <= today:
            text = _("Behandlingsdatum ligger mellan patientens ja och i dag.")
            raise InvalidInput(text, fields={"treated_on": text})
        referral.treated_on = treated_on
        referral.treatment_reported_at = now
        referral.save(update_fields=["treated_on", "treatment_reported_at"])
        call_offs.use(referral.offer.call_off, now=now, on=treated_on)
        locked.clock_stopped_on = treated_on

    return perform(
        case, "treat", actor=actor, now=now, details={"treated_on": treated_on}, change=change
    )


def close(case: Case, *, back_referral: str, actor: Actor, now: datetime) -> Case:
    """Återremiss: responsibility goes home again and the case closes."""
    text = required_text(
        back_referral, field="back_referral", message=_("Skriv återremissens text.")
    )

    def change(locked: Case) -> None:
        referral = _referral(locked)
        referral.back_referral = text
        referral.back_referred_at = now
        referral.save(update_fields=["back_referral", "back_referred_at"])
        locked.closed_at = now
        locked.close_reason = CloseReason.TREATED

    return perform(case, "close", actor=actor, now=now, why=text, change=change)


def _referral(case: Case) -> Referral:
    return Referral.objects.select_related("offer__call_off", "offer__care_unit").get(
        offer__case=case, offer__state=Offer.State.ACCEPTED
    )
