"""What comes back from the gateway, and what a person does about notices."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from notices import unread
from notices.callbacks.services import ask_for_call, is_number
from notices.campaigns.answers import answer_from_inbox
from notices.due import letter_at_once
from notices.models import GatewayCallback, Notice, StaffMail
from notices.sending import go_as_letter, why_needless
from notices.texts.notices import write_anew
from organisations.access import Actor, as_product
from organisations.errors import DomainError, InvalidInput, WrongState
from organisations.events import wake
from referral.models import AnswerChannel, LogVerb
from referral.services import answer_offer, record_notice

logger = logging.getLogger(__name__)

READ, ANSWERED, CALL = "message.read", "message.answered", "call.requested"


@transaction.atomic
@as_product("word from the gateway")
def receive_callback(payload: dict[str, Any], *, now: datetime) -> GatewayCallback:
    """Take in what the gateway tells, once per delivery id.

    A replay returns the first outcome. An answer to an offer that no longer stands is recorded
    and changes nothing. Raises :class:`InvalidInput` for a payload that cannot be understood and
    :class:`WrongState` for another one under a delivery id that has been used.
    """
    _refuse_what_cannot_be_kept(payload)
    delivery_id, kind = _text(payload, "delivery_id", 80), _text(payload, "type", 40)
    message_id = _text(payload, "message_id", 80)
    callback, created = GatewayCallback.objects.get_or_create(
        delivery_id=delivery_id,
        defaults={"received_at": now, "payload": payload, "outcome": ""},
    )
    if not created:
        if callback.payload != payload:
            raise WrongState(_("Leveransnumret har använts för en annan återkoppling."))
        return callback
    notice = _notice_of(payload, message_id)
    callback.notice = notice
    if notice is None:
        callback.outcome = "unknown message"
    elif kind == READ:
        callback.outcome = _mark_read(notice, now=now)
    elif kind == ANSWERED:
        callback.outcome = _answer(notice, payload.get("answer"), now=now)
    elif kind == CALL:
        callback.outcome = _call_wanted(notice, payload.get("call"), now=now)
    else:
        raise InvalidInput(_("Okänd typ av återkoppling."), fields={"type": _("Okänd typ.")})
    callback.save(update_fields=["outcome", "notice"])
    return callback


def _notice_of(payload: dict[str, Any], message_id: str) -> Notice | None:
    """The notice the message was sent for, locked.

    The thread finds it when the patient is quicker than the sweep: between the gateway's receipt
    and the sweep's commit, or after a crash there, the notice does not know its message yet.
    """
    found = Q(receipt=message_id)
    thread = payload.get("thread")
    if isinstance(thread, str) and thread.isascii() and thread.isdigit() and len(thread) < 19:
        found |= Q(pk=int(thread), case__number=str(payload.get("reference")))
    notice = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("case", "offer__case", "recipient__case")
        .filter(found, channel=Notice.Channel.INBOX)
        .order_by("pk")
        .first()
    )
    if notice is None or notice.receipt not in {"", message_id}:
        return None
    notice.receipt = message_id
    return notice


@transaction.atomic
@as_product("word from the gateway")
def heard_of(
    notice: Notice, *, is_read: bool, answer: dict[str, Any] | None, now: datetime
) -> None:
    """What 1177 tells when it is asked about a message: as if it had called back.

    The notice is locked by the caller. An answer that cannot be understood is left alone.
    """
    if is_read:
        _mark_read(notice, now=now)
    if answer is not None:
        try:
            _refuse_what_cannot_be_kept(answer)
            outcome = _answer(notice, answer, now=now)
        except InvalidInput as error:
            outcome = str(error.message)
        logger.info("learnt of an answer in case %s by asking: %s", notice.case.number, outcome)


def _mark_read(notice: Notice, *, now: datetime) -> str:
    if notice.read_at is None:
        notice.read_at = now
        if notice.state == Notice.State.SENT:
            notice.state = Notice.State.READ
        notice.save(update_fields=["read_at", "state", "receipt"])
        if notice.kind in unread.DAYS:
            unread.cancel_letter(notice, why=_("Patienten har läst meddelandet i 1177."))
        record_notice(
            notice.case,
            LogVerb.NOTICE_READ,
            channel=notice.channel,
            subject=notice.subject,
            now=now,
        )
    return "read"


def _answer(notice: Notice, answer: object, *, now: datetime) -> str:
    if notice.kind == Notice.Kind.CAMPAIGN:
        return _answer_campaign(notice, answer, now=now)
    if not isinstance(answer, dict) or not isinstance(answer.get("accepted"), bool):
        raise InvalidInput(_("Svaret saknas."), fields={"answer": _("Svaret saknas.")})
    if notice.offer is None:
        return "the message has no offer to answer"
    try:
        with transaction.atomic():
            if notice.sent_at is None:  # the answer is the first word that it arrived
                record_notice(
                    notice.case,
                    LogVerb.NOTICE_SENT,
                    channel=notice.channel,
                    subject=notice.subject,
                    now=now,
                )
            answer_offer(
                notice.offer,
                accepted=answer["accepted"],
                channel=AnswerChannel.INBOX,
                actor=Actor.patient("Patienten i 1177"),
                now=now,
                reason=str(answer.get("reason") or ""),
                comment=str(answer.get("comment") or ""),
            )
    except InvalidInput:
        raise
    except DomainError as error:
        return f"not taken: {error.code}"
    notice.state = Notice.State.ANSWERED
    notice.sent_at = notice.sent_at or now
    notice.read_at = notice.read_at or now
    notice.save(update_fields=["state", "sent_at", "read_at", "receipt"])
    return "accepted" if answer["accepted"] else "declined"


def _answer_campaign(notice: Notice, answer: object, *, now: datetime) -> str:
    notice.save(update_fields=["receipt"])
    return answer_from_inbox(notice, answer, now=now)


def _call_wanted(notice: Notice, call: object, *, now: datetime) -> str:
    """The patient asks to be called about a message; the offer stands, and so does the answer."""
    wanted = call if isinstance(call, dict) else {}
    about = str(wanted.get("about") or notice.subject)
    phone = str(wanted.get("phone") or "").strip()
    try:
        with transaction.atomic():
            ask_for_call(
                notice.case,
                about=about[:200],
                phone=phone if is_number(phone) else "",  # else the one in the case
                channel=AnswerChannel.INBOX,
                actor=Actor.patient("Patienten i 1177"),
                now=now,
            )
    except DomainError as error:
        return f"not taken: {error.code}"
    return "call asked for"


@transaction.atomic
@as_product("notice")
def send_again(notice: Notice, *, now: datetime) -> Notice:
    """Have a notice that did not get through tried now, under the same idempotency key.

    One that could not be written is written first; raises :class:`WrongState` while something in
    it is still missing.
    """
    locked = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("case__patient", "offer")
        .get(pk=notice.pk)
    )
    tried = locked.state == Notice.State.WAITING and locked.attempts > 0
    if locked.state == Notice.State.FAILED or tried:
        printed = locked.channel == Notice.Channel.LETTER
        write_anew(locked, now=now)
        locked.state = Notice.State.WAITING
        locked.due_at = letter_at_once(now) if printed else now
        locked.attempts = 0
        locked.save()
        transaction.on_commit(wake)
    return locked


@transaction.atomic
def send_many_again(notices: Sequence[Notice], *, now: datetime) -> int:
    """:func:`send_again` for several, all or none; returns how many are tried now."""
    # In the order of their keys, so that two who do it at once do not wait for each other.
    done = [send_again(notice, now=now) for notice in sorted(notices, key=lambda one: one.pk)]
    return sum(notice.state == Notice.State.WAITING and not notice.attempts for notice in done)


@transaction.atomic
@as_product("staff mail")
def mail_again(mail: StaffMail, *, now: datetime) -> StaffMail:
    """Have a mail to staff that did not get through tried now."""
    locked = StaffMail.objects.select_for_update().get(pk=mail.pk)
    if locked.state != StaffMail.State.SENT:
        locked.state, locked.due_at, locked.attempts = StaffMail.State.WAITING, now, 0
        locked.save(update_fields=["state", "due_at", "attempts"])
        transaction.on_commit(wake)
    return locked


@transaction.atomic
@as_product("notice")
def send_as_letter(notice: Notice, *, now: datetime) -> Notice:
    """Have a notice that does not get through digitally go as a letter at once.

    An offer's own letter goes, today or on the next day letters are handed over. Raises
    :class:`WrongState` for what has gone, goes as a letter already or is needed no more.
    """
    locked = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("case__patient", "offer")
        .get(pk=notice.pk)
    )
    if locked.state not in {Notice.State.FAILED, Notice.State.WAITING}:
        raise WrongState(_("Meddelandet väntar inte på att skickas."))
    if locked.channel not in Notice.CHOSEN:
        raise WrongState(_("Meddelandet kan inte gå som brev i stället."))
    needless = why_needless(locked, now=now)
    if needless:
        raise WrongState(needless)
    write_anew(locked, now=now)
    # A letter that could not be made is tried again with it.
    Notice.objects.filter(
        offer=locked.offer,
        offer__isnull=False,
        kind=Notice.Kind.OFFER_LETTER,
        state=Notice.State.FAILED,
        to_write__isnull=True,
    ).update(state=Notice.State.WAITING, attempts=0)
    locked.state = Notice.State.WAITING
    locked.why_channel = Notice.Why.BY_HAND
    go_as_letter(locked, now=now)
    locked.save()
    transaction.on_commit(wake)
    return locked


def _refuse_what_cannot_be_kept(payload: dict[str, Any]) -> None:
    """JSON can spell what PostgreSQL's text cannot hold: NUL and half of a surrogate pair."""
    spelled = json.dumps(payload, ensure_ascii=False)
    if "\\u0000" in spelled or spelled.encode(errors="replace").decode() != spelled:
        raise InvalidInput(_("Återkopplingen innehåller tecken som inte kan sparas."))


def _text(payload: dict[str, Any], name: str, longest: int) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise InvalidInput(_("Återkopplingen kan inte läsas."), fields={name: _("Saknas.")})
    return value
