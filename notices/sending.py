"""Sweeps that send what is due: to patients in 1177 or digital post, and e-mails (design 5.3).

The patient's channel is chosen when the notice is sent (notices.channels). A gateway that does not
answer says nothing about the patient: the notice waits, and its letter goes on its own day.

A batch is one transaction: claim the rows, hand them over side by side under their idempotency
keys, record all outcomes. A crash in between leaves the rows due, and the key makes the second try
harmless (docs/decisions/0026-how-notices-are-swept.md).
"""

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from notices import unread
from notices.at_once import NotStarted, at_once
from notices.campaigns.models import choices as campaign_choices
from notices.channels import choose_channels
from notices.due import letter_at_once
from notices.gateways import (
    DigitalLetter,
    GatewayError,
    Held,
    InboxMessage,
    Mail,
    MessageRefused,
    RecipientNotActive,
    may_send,
    send_digital_letter,
    send_mail,
    send_message,
)
from notices.models import Notice
from notices.outgoing import body_of, in_its_language, read_serials
from notices.queue import claim_most_urgent
from notices.recording import Batch, hasten_letters, log, record
from organisations.desks import DESKS, at_desks
from organisations.masking import masked
from organisations.tracing import request_id
from referral.models import DeclineReason, Offer

logger = logging.getLogger(__name__)

# Twelve tries with growing pauses reach over a day; then a person has to look.
MAX_ATTEMPTS = 12
ANSWERABLE = frozenset({Notice.Kind.OFFER, Notice.Kind.OFFER_REMINDER})

BATCH = 200
# Nothing is begun later in a batch; what was not waits for the next one.
BATCH_SECONDS = 15.0


def send_inbox_notices(*, now: datetime, limit: int = 3000) -> int:
    """Send the patients' notices that are due; returns how many were handled.

    Where there is more than a batch, two are sent side by side: while one is claimed or recorded,
    the gateway has the other.
    """
    handled, goes_on = _send_batches(now=now, limit=min(BATCH, limit))
    left = (limit - handled) // DESKS
    if not goes_on or left <= 0:
        return handled
    return handled + at_desks(lambda: _send_batches(now=now, limit=left)[0])


def _send_batches(*, now: datetime, limit: int) -> tuple[int, bool]:
    """One batch after the other; returns how many were handled, and whether it was to the limit.

    Ends early when a batch got nothing through, so that a gateway that is away does not keep the
    other sweeps waiting. What a gateway holds stays due; the others' goes on.
    """
    handled = 0
    takes = _without(Notice.CHOSEN, {name for name in Notice.CHOSEN if not may_send(name)})
    while handled < limit and takes:
        batch = _send_batch(takes, now=now, size=min(BATCH, limit - handled))
        handled += len(batch.handled)
        takes = _without(takes, batch.held.keys())
        if not (batch.got_through or batch.held):
            return handled, False
    return handled, handled >= limit


def _without(takes: Collection[str], held: Collection[str]) -> frozenset[str]:
    """1177 is asked first about every patient: without it nobody is asked."""
    return frozenset() if Notice.Channel.INBOX in held else frozenset(takes) - frozenset(held)


def send_emails(*, now: datetime, limit: int = 200) -> int:
    """Send the e-mails that are due, one in each transaction; returns how many were handled."""
    handled = 0
    while handled < limit and may_send(Notice.Channel.EMAIL) and _send_one_email(now=now):
        handled += 1
    return handled


def _due(channels: Iterable[str], *, now: datetime, limit: int) -> list[Notice]:
    waiting = Notice.objects.filter(state=Notice.State.WAITING).select_related(
        "case__patient", "sender", "offer"
    )
    return claim_most_urgent(waiting, channels, now=now, limit=limit)


@transaction.atomic
def _send_batch(takes: Collection[str], *, now: datetime, size: int) -> Batch:
    batch = Batch()
    due = _due(takes, now=now, limit=size)
    if not due:
        return batch
    _bound_by_time()
    until = time.monotonic() + BATCH_SECONDS
    needed = _needed(batch, due, now=now)
    chosen = _with_channel(batch, needed, until=until, now=now)
    letters = _written(batch, chosen, now=now)
    receipts = at_once(lambda letter: _hand_over(*letter), letters, until=until)
    for (notice, _letter), outcome in zip(letters, receipts, strict=True):
        _settle(batch, notice, outcome, now=now)
    if batch.handled:
        record(batch, now=now)
    for gateway, keys in batch.held.items():
        # Known by the channel it waits for, so that it is not claimed before that takes it.
        Notice.objects.filter(pk__in=keys).update(channel=gateway)
    return batch


def _bound_by_time() -> None:
    """A worker that hangs keeps a batch's rows no longer than its calls may take: two lookups and
    a message, each tried twice."""
    seconds = 60 + 8 * settings.GATEWAY_TIMEOUT_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {seconds * 1000:.0f}")


def _needed(batch: Batch, due: list[Notice], *, now: datetime) -> list[Notice]:
    """The notices that should still go; the others are cancelled."""
    beside, needed = beside_of(due), []
    for notice in due:
        needless = why_needless(notice, now=now, beside=beside)
        if not needless:
            needed.append(notice)
            continue
        notice.attempts += 1
        notice.state = Notice.State.CANCELLED
        notice.last_error = needless
        batch.handled.append(notice)
    return needed


def _with_channel(
    batch: Batch, notices: list[Notice], *, until: float, now: datetime
) -> list[Notice]:
    """The notices that go by the gateway, with their channel; letters go their own way."""
    choices = choose_channels([notice.case.patient for notice in notices], until=until)
    chosen = []
    for notice, choice in zip(notices, choices, strict=True):
        if isinstance(choice, Exception):
            _settle(batch, notice, choice, now=now)
            continue
        notice.why_channel = choice.why
        if choice.channel == Notice.Channel.LETTER:
            notice.attempts += 1
            _becomes_letter(batch, notice, now=now)
            continue
        notice.channel = choice.channel
        chosen.append(notice)
    return chosen


Letter = InboxMessage | DigitalLetter


def _written(batch: Batch, notices: list[Notice], *, now: datetime) -> list[tuple[Notice, Letter]]:
    """The notices with what leaves for each, all that is read from the database in it."""
    letters = []
    read_serials(notices)
    for notice in notices:
        try:
            with request_id(notice.request_id), in_its_language(notice):
                letters.append((notice, _letter(notice)))
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be written holds up nobody else
            _settle(batch, notice, error, now=now)
    return letters


def _settle(batch: Batch, notice: Notice, outcome: str | Exception, *, now: datetime) -> None:
    """What the outcome, a receipt or what was raised, makes of the notice."""
    if isinstance(outcome, NotStarted):
        return
    if isinstance(outcome, Held):
        batch.held[outcome.gateway].append(notice.pk)
        return
    notice.attempts += 1
    if isinstance(outcome, RecipientNotActive):  # since we asked
        notice.why_channel = Notice.Why.NEITHER
        _becomes_letter(batch, notice, now=now)
        return
    batch.handled.append(notice)
    if isinstance(outcome, MessageRefused):
        _is_refused(notice, outcome)
        if notice.offer_id:
            batch.hastened[Notice.Why.REFUSED].append(notice.offer_id)
    elif isinstance(outcome, Exception):
        _put_off(notice, outcome, now=now)
    else:
        _is_sent(notice, receipt=outcome, now=now)


def _put_off(notice: Notice, error: Exception, *, now: datetime) -> None:
    with request_id(notice.request_id):
        if not isinstance(error, GatewayError | OSError):
            logger.error("notice in case %s could not be sent", notice.case.number, exc_info=error)
        _postpone(notice, error, now=now)


def _is_refused(notice: Notice, error: MessageRefused) -> None:
    notice.state = Notice.State.FAILED
    told = _("Mottagarens tjänst avvisade meddelandet (%(error)s).")
    notice.last_error = (told % {"error": masked(str(error))})[:300]


def _is_sent(notice: Notice, *, receipt: str, now: datetime) -> None:
    notice.receipt = receipt
    notice.state = Notice.State.SENT
    notice.sent_at = now
    notice.last_error = ""


def _becomes_letter(batch: Batch, notice: Notice, *, now: datetime) -> None:
    batch.handled.append(notice)
    if _turn_into_letter(notice, now=now):
        batch.hastened[notice.why_channel].append(notice.offer_id or 0)


@transaction.atomic
def _send_one_email(*, now: datetime) -> bool:
    due = _due([Notice.Channel.EMAIL], now=now, limit=1)
    for notice in due:
        notice.attempts += 1
        try:
            with request_id(notice.request_id):
                receipt = _send_email(notice)
        except Held:
            return False
        except MessageRefused as error:
            _is_refused(notice, error)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be sent holds up nobody else
            _put_off(notice, error, now=now)
        else:
            _is_sent(notice, receipt=receipt[:80], now=now)
        notice.save()
    log(due, now=now)
    return bool(due)


def _send_email(notice: Notice) -> str:
    mail = Mail(to=notice.email_to, subject=notice.subject, body=notice.body)
    return send_mail(mail, key=notice.idempotency_key)


@dataclass(frozen=True)
class Beside:
    """What else has been sent, or will be, about the offers of some notices."""

    told: frozenset[int]
    gone_as_letter: frozenset[int]
    letter_due: dict[int, datetime]


def beside_of(notices: Iterable[Notice]) -> Beside:
    """Asked once for many notices."""
    offers = {notice.offer_id for notice in notices if notice.kind in Notice.OF_OFFER}
    rows = (
        Notice.objects.filter(offer__in=offers - {None}, kind__in=Notice.OF_OFFER)
        .order_by()
        .values_list("offer", "kind", "state", "sent_at", "due_at")
        if offers - {None}
        else ()
    )
    told, gone, letter_due = set(), set(), {}
    for offer, kind, state, sent_at, due_at in rows:
        if kind == Notice.Kind.OFFER and sent_at is not None:
            told.add(offer)
        if kind == Notice.Kind.OFFER_LETTER:
            if state in {Notice.State.BATCHED, Notice.State.SENT}:
                gone.add(offer)
            if state == Notice.State.WAITING:
                letter_due[offer] = due_at
    return Beside(frozenset(told), frozenset(gone), letter_due)


def why_needless(notice: Notice, *, now: datetime, beside: Beside | None = None) -> str:
    """Why the notice should not go after all, in words; empty when it should.

    Asked at the last moment, whether or not the event that would have cancelled it has arrived.
    ``beside`` saves asking for each notice of many.
    """
    if notice.case.patient.has_departed:
        return notice.case.patient.departure
    if notice.kind == Notice.Kind.CAMPAIGN and not notice.case.is_open:
        return _("Ärendet är avslutat.")
    if notice.unread_id is not None:
        return unread.why_needless(notice)
    offer = notice.offer
    if offer is None or notice.kind not in Notice.OF_OFFER:
        return ""
    if offer.state != Offer.State.SENT:
        return _("Erbjudandet väntar inte längre på svar.")
    if now >= offer.due_at:
        return _("Tiden att svara har gått ut.")
    if notice.channel == Notice.Channel.LETTER:
        return ""
    beside = beside or beside_of([notice])
    if offer.pk in beside.gone_as_letter:
        return _("Erbjudandet har gått som brev.")
    if notice.kind == Notice.Kind.OFFER_REMINDER:
        return _why_no_reminder(offer, beside, now=now)
    return ""


def _why_no_reminder(offer: Offer, beside: Beside, *, now: datetime) -> str:
    """A reminder follows an offer that went out, and comes before the letter."""
    if offer.pk not in beside.told:
        return _("Erbjudandet har inte gått ut digitalt.")
    if offer.pk in beside.letter_due and beside.letter_due[offer.pk] <= now:
        return _("Erbjudandet går som brev.")
    return ""


def _letter(notice: Notice) -> Letter:
    recipient, sender = notice.case.patient.identity_number, notice.sender
    if notice.channel == Notice.Channel.DIGITAL:
        return DigitalLetter(
            recipient=recipient,
            sender_hsa_id=sender.hsa_id,
            sender_name=sender.name,
            subject=notice.subject,
            body=body_of(notice),
            reference=notice.case.number,
        )
    answerable = notice.kind in ANSWERABLE
    choices = campaign_choices() if notice.kind == Notice.Kind.CAMPAIGN else ()
    return InboxMessage(
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


def _hand_over(notice: Notice, letter: Letter) -> str:
    """The gateway's receipt. Runs in a thread of its own, without the database."""
    with request_id(notice.request_id):
        if isinstance(letter, DigitalLetter):
            return send_digital_letter(letter, key=notice.idempotency_key)
        return send_message(letter, key=notice.idempotency_key)


def _decline_reasons() -> tuple[tuple[str, str], ...]:
    return tuple((reason.value, str(reason.label)) for reason in DeclineReason)


def go_as_letter(notice: Notice, *, now: datetime) -> None:
    """The patient is reached by letter only: an offer's own letter goes at once, other notices
    become letters themselves. A reminder beside a letter that goes now is none."""
    if _turn_into_letter(notice, now=now):
        hasten_letters([notice.offer_id or 0], why=notice.why_channel, now=now)


def _turn_into_letter(notice: Notice, *, now: datetime) -> bool:
    """Change the notice as :func:`go_as_letter`; returns whether its offer's letter must go now."""
    if notice.kind in Notice.OF_OFFER:
        notice.state = Notice.State.CANCELLED
        notice.last_error = _("Går som brev i stället.")
        return True
    notice.channel = Notice.Channel.LETTER
    notice.due_at = letter_at_once(now)
    notice.attempts = 0
    notice.last_error = ""
    return False


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
