"""Sweeps that send what is due: 1177 notices and e-mails (design 5.3).

One notice, one transaction: claim the row, act under its idempotency key, record the outcome. A
crash in between leaves the row due, and the key makes the second try harmless.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from notices.gateway import (
    GatewayError,
    InboxMessage,
    MessageRefused,
    RecipientNotActive,
    send_message,
)
from notices.models import Notice
from organisations.masking import masked
from organisations.sweeps import claim_due
from organisations.tracing import request_id
from referral.models import DeclineReason, LogVerb, Offer
from referral.services import record_notice

logger = logging.getLogger(__name__)

# Twelve tries with growing pauses reach over a day; then a person has to look.
MAX_ATTEMPTS = 12


def send_inbox_notices(*, now: datetime, limit: int = 200) -> int:
    """Send the 1177 notices that are due; returns how many were handled."""
    return _sweep(Notice.Channel.INBOX, _send_to_inbox, now=now, limit=limit)


def send_emails(*, now: datetime, limit: int = 200) -> int:
    """Send the e-mails that are due; returns how many were handled."""
    return _sweep(Notice.Channel.EMAIL, _send_email, now=now, limit=limit)


def _sweep(
    channel: str, send: Callable[[Notice, datetime], None], *, now: datetime, limit: int
) -> int:
    handled = 0
    while handled < limit and _send_one(channel, send, now=now):
        handled += 1
    return handled


@transaction.atomic
def _send_one(channel: str, send: Callable[[Notice, datetime], None], *, now: datetime) -> bool:
    waiting = Notice.objects.filter(channel=channel, state=Notice.State.WAITING)
    due = claim_due(waiting.select_related("case__patient", "sender", "offer"), now=now, limit=1)
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


def _send_to_inbox(notice: Notice, now: datetime) -> None:
    if notice.offer is not None and notice.offer.state != Offer.State.SENT:
        notice.state = Notice.State.CANCELLED
        return
    answerable = notice.kind == Notice.Kind.OFFER
    message = InboxMessage(
        recipient=notice.case.patient.identity_number,
        sender_hsa_id=notice.sender.hsa_id,
        sender_name=notice.sender.name,
        subject=notice.subject,
        body=notice.body,
        reference=notice.case.number,
        thread=str(notice.pk),
        answerable=answerable,
        decline_reasons=_decline_reasons() if answerable else (),
    )
    try:
        notice.receipt = send_message(message, key=notice.idempotency_key)
    except RecipientNotActive:
        notice.state = Notice.State.FAILED
        notice.last_error = _("Patienten har ingen inkorg i 1177.")
        _hasten_letter(notice, now=now)
    except MessageRefused as error:
        notice.state = Notice.State.FAILED
        notice.last_error = masked(str(error))[:300]
        _hasten_letter(notice, now=now)
    else:
        notice.state = Notice.State.SENT
        notice.sent_at = now
        notice.last_error = ""


def _decline_reasons() -> tuple[tuple[str, str], ...]:
    return tuple((reason.value, str(reason.label)) for reason in DeclineReason)


def _hasten_letter(notice: Notice, *, now: datetime) -> None:
    """An offer that cannot reach the inbox goes as a letter at once, not on day 14."""
    if notice.offer is None:
        return
    Notice.objects.filter(
        offer=notice.offer,
        kind=Notice.Kind.OFFER_LETTER,
        state=Notice.State.WAITING,
        due_at__gt=now,
    ).update(due_at=now)


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
    notice.last_error = masked(f"{type(error).__name__}: {error}")[:300]
    if notice.attempts >= MAX_ATTEMPTS:
        notice.state = Notice.State.FAILED
        logger.error("notice in case %s failed for good", notice.case.number)
        if notice.channel == Notice.Channel.INBOX:
            _hasten_letter(notice, now=now)
        return
    notice.due_at = now + timedelta(minutes=min(360, 2**notice.attempts))
    logger.warning("notice in case %s is tried again later", notice.case.number)
