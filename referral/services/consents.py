"""Consents: what the patient has said about who may read, and what follows from a yes or a no.

Before the patient's yes to an offer no provider is told anything (design 5.6), so the yes itself
is the consent that hands the referral over (offentlighets- och sekretesslagen 10 kap. 1 §,
patientlagen 4 kap.). A no that stands in the case, a consent that was taken back or one that has
run out keeps new offers from being made; without any word nothing is refused.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import InvalidInput, WrongState
from organisations.models import CareUnit
from referral.machine import perform
from referral.models import AnswerChannel, Case, Consent, Offer
from referral.privacy import PRIVACY
from referral.services.shared import required_text

HOW_ANSWERED = {
    AnswerChannel.INBOX: Consent.How.INBOX,
    AnswerChannel.PHONE: Consent.How.PHONE,
    AnswerChannel.LETTER: Consent.How.WRITTEN,
    AnswerChannel.OWN_PAGE: Consent.How.OWN_PAGE,
}


def record_consent(
    case: Case,
    *,
    audience: str,
    given: bool,
    how: str,
    given_on: date,
    actor: Actor,
    now: datetime,
    until: date | None = None,
) -> Case:
    """Write down what the patient has said: a yes or a no, how, when and until when."""
    check_consent(audience=audience, how=how, given_on=given_on, until=until, now=now)

    def change(locked: Case) -> None:
        add_consent(
            locked,
            audience=audience,
            given=given,
            how=how,
            given_on=given_on,
            until=until,
            actor=actor,
            now=now,
        )

    return perform(
        case,
        PRIVACY["consent"],
        actor=actor,
        now=now,
        details={"audience": audience, "given": given, "how": how},
        change=change,
    )


def check_consent(
    *, audience: str, how: str, given_on: date, until: date | None, now: datetime
) -> None:
    """Raise :class:`InvalidInput` at the field that does not hold."""
    today = timezone.localdate(now)
    if audience not in Consent.Audience.values:
        text = _("Välj vem samtycket gäller.")
        raise InvalidInput(text, fields={"audience": text})
    if how not in Consent.How.values:
        text = _("Välj hur patienten lämnade sitt besked.")
        raise InvalidInput(text, fields={"how": text})
    if given_on > today:
        text = _("Datumet kan inte ligga i framtiden.")
        raise InvalidInput(text, fields={"given_on": text})
    if until is not None and until < max(given_on, today):
        text = _("Slutdatum kan inte ha passerat.")
        raise InvalidInput(text, fields={"until": text})


def add_consent(case: Case, **said: Any) -> Consent:
    """The row of :func:`consent_row`, saved; for services that have checked who asks."""
    row = consent_row(case, **said)
    row.save()
    return row


def consent_row(
    case: Case,
    *,
    audience: str,
    given: bool,
    how: str,
    given_on: date,
    actor: Actor,
    now: datetime,
    until: date | None = None,
    care_unit: CareUnit | None = None,
) -> Consent:
    """The row, not yet saved."""
    return Consent(
        case=case,
        audience=audience,
        care_unit=care_unit,
        given=given,
        how=how,
        given_on=given_on,
        until=until,
        at=now,
        **actor.signature,
    )


def consent_by_yes(case: Case, offer: Offer, *, actor: Actor, now: datetime) -> None:
    """The patient's yes to an offer is a consent for the unit that was offered."""
    add_consent(
        case,
        audience=Consent.Audience.PROVIDER,
        care_unit=offer.care_unit,
        given=True,
        how=HOW_ANSWERED[AnswerChannel(offer.answer_channel)],
        given_on=timezone.localdate(now),
        actor=actor,
        now=now,
    )


def withdraw_consent(case: Case, *, consent_id: int, why: str, actor: Actor, now: datetime) -> Case:
    """The patient takes a consent back; what was read before is not undone."""
    reason = required_text(why, field="why", message=_("Skriv vad patienten har sagt."))

    def change(locked: Case) -> None:
        consent = locked.consents.select_for_update().filter(pk=consent_id).first()
        if consent is None or not consent.given or consent.withdrawn_at is not None:
            raise WrongState(_("Samtycket gäller inte längre."), code="consent_closed")
        consent.withdrawn_at = now
        consent.withdrawn_by_id = actor.user_id
        consent.withdrawn_by_name = actor.name
        consent.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_by_name"])

    return perform(
        case,
        PRIVACY["withdraw_consent"],
        actor=actor,
        now=now,
        why=reason,
        details={"consent": consent_id},
        change=change,
    )


def refuse_without_consent(case: Case, unit: CareUnit, *, today: date) -> None:
    """Raise :class:`WrongState` when the patient's latest word about this unit is a no."""
    said = case.consents.filter(audience=Consent.Audience.PROVIDER).order_by("-pk")
    if says_no(said, unit.pk, today=today):
        raise WrongState(
            _("Patienten samtycker inte till att uppgifter lämnas till vårdgivaren."),
            code="no_consent",
        )


def says_no(said: Iterable[Consent], unit: int, *, today: date) -> bool:
    """Whether the latest word about the unit is a no; ``said`` tells the newest first.

    A consent that was taken back or has run out is a no; no word at all is none.
    """
    latest = next((c for c in said if c.care_unit_id in {None, unit}), None)
    if latest is None:
        return False
    over = latest.until is not None and latest.until < today
    return not latest.given or latest.withdrawn_at is not None or over
