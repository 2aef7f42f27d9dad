"""Sweeps that send what is due: to patients in 1177 or digital post, and e-mails (design 5.3).

The patient's channel is chosen when the notice is sent (notices.channels). A gateway that does not
answer says nothing about the patient: the notice waits, and its letter goes on its own day.

One notice, one transaction: claim the row, act under its idempotency key, record the outcome. A
crash in between leaves the row due, and the key makes the second try harmless.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import DatabaseError, transaction
from django.db.models import Value
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from notices.campaigns.models import choices as campaign_choices
from notices.channels import choose_channel
from notices.due import letter_at_once
from notices.gateway import (
    DigitalLetter,
    GatewayError,
    InboxMessage,
    MessageRefused,
    RecipientNotActive,
    send_digital_letter,
    send_message,
)
from notices.models import Notice
from notices.outgoing import body_of
from notices.queue import claim_most_urgent
from organisations.masking import masked
from organisations.tracing import request_id
from referral.models import DeclineReason, LogVerb, Offer
from referral.services import record_notice

logger = logging.getLogger(__name__)

# Twelve tries with growing pauses reach over a day; then a person has to look.
MAX_ATTEMPTS = 12
ANSWERABLE = frozenset({Notice.Kind.OFFER, Notice.Kind.OFFER_REMINDER})


def send_inbox_notices(*, now: datetime, limit: int = 200) -> int:
    """Send the patients' notices that are due; returns how many were handled."""
    return _sweep(Notice.CHOSEN, _send_to_patient, now=now, limit=limit)


def send_emails(*, now: datetime, limit: int = 200) -> int:
    """Send the e-mails that are due; returns how many were handled."""
    return _sweep({Notice.Channel.EMAIL}, _send_email, now=now, limit=limit)


def _sweep(
    channels: Collection[str],
    send: Callable[[Notice, datetime], None],
    *,
    now: datetime,
    limit: int,
) -> int:
    handled = 0
    while handled < limit and _send_one(channels, send, now=now):
        handled += 1
    return handled


@transaction.atomic
def _send_one(
    channels: Collection[str], send: Callable[[Notice, datetime], None], *, now: datetime
) -> bool:
    waiting = Notice.objects.filter(state=Notice.State.WAITING).select_related(
        "case__patient", "sender", "offer"
    )
    due = claim_most_urgent(waiting, channels, now=now, limit=1)
    if not due:
        return False
    notice = due[0]
    with request_id(notice.request_id):
        _try(notice, send, now=now)
    return True


def _try(notice: Notice, send: Callable[[Notice, datetime], None], *, now: datetime) -> None:
    notice.attempts += 1
    try:
        send(notice, now)
    except (GatewayError, OSError) as error:
        _postpone(notice, error, now=now)
    except DatabaseError:
        raise
    except Exception as error:  # one notice that cannot be sent must not hold up the rest
        logger.exception("notice in case %s could not be sent", notice.case.number)
        _postpone(notice, error, now=now)
    notice.save()
    _log(notice, now=now)


def _log(notice: Notice, *, now: datetime) -> None:
    """What became of the notice goes on the case's timeline; a postponed one is no news."""
    verb = {
        Notice.State.SENT: LogVerb.NOTICE_SENT,
        Notice.State.FAILED: LogVerb.NOTICE_FAILED,
    }.get(Notice.State(notice.state))
    if verb:
        record_notice(
            notice.case,
            verb,
            channel=notice.channel,
            subject=notice.subject,
            now=now,
            comment=notice.last_error,
        )


def _send_to_patient(notice: Notice, now: datetime) -> None:
    needless = why_needless(notice, now=now)
    if needless:
        notice.state = Notice.State.CANCELLED
        notice.last_error = needless
        return
    choice = choose_channel(notice.case.patient)
    notice.why_channel = choice.why
    if choice.channel == Notice.Channel.LETTER:
        go_as_letter(notice, now=now)
        return
    notice.channel = choice.channel
    try:
        notice.receipt = _hand_over(notice)
    except RecipientNotActive:  # since we asked
        notice.why_channel = Notice.Why.NEITHER
        go_as_letter(notice, now=now)
    except MessageRefused as error:
        notice.state = Notice.State.FAILED
        told = _("Mottagarens tjänst avvisade meddelandet (%(error)s).")
        notice.last_error = (told % {"error": masked(str(error))})[:300]
        _hasten_letter(notice, why=Notice.Why.REFUSED, now=now)
    else:
        notice.state = Notice.State.SENT
        notice.sent_at = now
        notice.last_error = ""


def why_needless(notice: Notice, *, now: datetime) -> str:
    """Why the notice should not go after all, in words; empty when it should.

    Asked at the last moment, whether or not the event that would have cancelled it has arrived.
    """
    if notice.case.patient.has_departed:
        return notice.case.patient.departure
    if notice.kind == Notice.Kind.CAMPAIGN and not notice.case.is_open:
        return _("Ärendet är avslutat.")
    offer = notice.offer
    if offer is None or notice.kind not in Notice.OF_OFFER:
        return ""
    if offer.state != Offer.State.SENT:
        return _("Erbjudandet väntar inte längre på svar.")
    if now >= offer.due_at:
        return _("Tiden att svara har gått ut.")
    if notice.channel == Notice.Channel.LETTER:
        return ""
    letters = Notice.objects.filter(offer=offer, kind=Notice.Kind.OFFER_LETTER)
    if letters.filter(state__in=[Notice.State.BATCHED, Notice.State.SENT]).exists():
        return _("Erbjudandet har gått som brev.")
    if notice.kind == Notice.Kind.OFFER_REMINDER:
        return _why_no_reminder(offer, now=now)
    return ""


def _why_no_reminder(offer: Offer, *, now: datetime) -> str:
    """A reminder follows an offer that went out, and comes before the letter."""
    told = Notice.objects.filter(offer=offer, kind=Notice.Kind.OFFER, sent_at__isnull=False)
    if not told.exists():
        return _("Erbjudandet har inte gått ut digitalt.")
    letters = Notice.objects.filter(offer=offer, kind=Notice.Kind.OFFER_LETTER)
    if letters.filter(state=Notice.State.WAITING, due_at__lte=now).exists():
        return _("Erbjudandet går som brev.")
    return ""


def _hand_over(notice: Notice) -> str:
    recipient, sender = notice.case.patient.identity_number, notice.sender
    if notice.channel == Notice.Channel.DIGITAL:
        letter = DigitalLetter(
            recipient=recipient,
            sender_hsa_id=sender.hsa_id,
            sender_name=sender.name,
            subject=notice.subject,
            body=body_of(notice),
            reference=notice.case.number,
        )
        return send_digital_letter(letter, key=notice.idempotency_key)
    answerable = notice.kind in ANSWERABLE
    choices = campaign_choices() if notice.kind == Notice.Kind.CAMPAIGN else ()
    message = InboxMessage(
        recipient=recipient,
        sender_hsa_id=sender.hsa_id,
        sender_name=sender.name,
        subject=notice.subject,
        body=body_of(notice),
        reference=notice.case.number,
        thread=str(notice.pk),
        answerable=answerable or bool(choices),
        language=notice.language,
        decline_reasons=_decline_reasons() if answerable else (),
        choices=choices,
    )
    return send_message(message, key=notice.idempotency_key)


def _decline_reasons() -> tuple[tuple[str, str], ...]:
    return tuple((reason.value, str(reason.label)) for reason in DeclineReason)


def go_as_letter(notice: Notice, *, now: datetime) -> None:
    """The patient is reached by letter only: an offer's own letter goes at once, other notices
    become letters themselves. A reminder beside a letter that goes now is none."""
    if notice.kind in Notice.OF_OFFER:
        _hasten_letter(notice, why=notice.why_channel, now=now)
        notice.state = Notice.State.CANCELLED
        notice.last_error = _("Går som brev i stället.")
        return
    notice.channel = Notice.Channel.LETTER
    notice.due_at = letter_at_once(now)
    notice.attempts = 0
    notice.last_error = ""


def _hasten_letter(notice: Notice, *, why: str, now: datetime) -> None:
    """An offer that cannot reach the patient digitally goes as a letter at once, not on day 14."""
    if notice.offer is None:
        return
    at_once = letter_at_once(now)
    Notice.objects.filter(
        offer=notice.offer, kind=Notice.Kind.OFFER_LETTER, state=Notice.State.WAITING
    ).update(due_at=Least("due_at", Value(at_once)), why_channel=why)


def _send_email(notice: Notice, now: datetime) -> None:
    EmailMessage(
        subject=notice.subject,
        body=notice.body,
        to=[notice.email_to],
        headers={"Message-ID": f"<{notice.idempotency_key.replace('/', '.')}@vardlots>"},
    ).send()
    notice.state = Notice.State.SENT
    notice.sent_at = now
    notice.last_error = ""


def _postpone(notice: Notice, error: Exception, *, now: datetime) -> None:
    """Try again later, with growing pauses.

    What has a letter of its own is tried until that goes; the rest until a person has to look.
    """
    told = masked(f"{type(error).__name__}: {error}")
    if isinstance(error, GatewayError):
        told = _("Mottagarens tjänst svarade inte som den skulle (%(error)s).") % {
            "error": masked(str(error))
        }
    notice.last_error = told[:300]
    if notice.attempts == MAX_ATTEMPTS:
        logger.error("notice in case %s does not get through", notice.case.number)
    if notice.attempts >= MAX_ATTEMPTS and notice.kind not in Notice.OF_OFFER:
        notice.state = Notice.State.FAILED
        return
    notice.due_at = now + timedelta(minutes=min(360, 2 ** min(notice.attempts, MAX_ATTEMPTS)))
    logger.warning("notice in case %s is tried again later", notice.case.number)
