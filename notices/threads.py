"""Sweep that asks 1177 what became of messages nobody has called back about.

A callback that never comes must not lose what the patient read or answered. Each message is asked
about a few times, at growing intervals; what the callback would have done is done then.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from notices.gateways import Held, may_send
from notices.gateways.inbox import INBOX
from notices.gateways.interface import GatewayError
from notices.models import Notice
from notices.services import heard_of
from organisations.tracing import request_id

logger = logging.getLogger(__name__)

# When a message is asked about, counted from when it was sent.
ASKED_AFTER = tuple(timedelta(days=days) for days in (1, 3, 7, 14, 27))
# Far past every answer: what was sent before this is left alone.
LONGEST = timedelta(days=40)


def ask_about_threads(*, now: datetime, limit: int = 200) -> int:
    """Ask about the messages it is time to ask about; returns how many were asked about."""
    asked = 0
    while asked < limit and may_send(INBOX.name) and _ask_about_one(now=now):
        asked += 1
    return asked


def _unheard(*, now: datetime) -> Q:
    """Read or answered is what there is to learn: nothing more of what cannot be answered."""
    due = Q()
    for number, after in enumerate(ASKED_AFTER):
        due |= Q(asked=number, sent_at__lte=now - after)
    answerable = Q(kind__in=[Notice.Kind.OFFER, Notice.Kind.OFFER_REMINDER], offer__state="sent")
    answerable |= Q(kind=Notice.Kind.CAMPAIGN, recipient__answer="")
    unread = Q(state=Notice.State.SENT)
    return (
        due
        & Q(channel=Notice.Channel.INBOX, sent_at__gt=now - LONGEST)
        & Q(state__in=[Notice.State.SENT, Notice.State.READ])
        & (unread | answerable)
    )


@transaction.atomic
def _ask_about_one(*, now: datetime) -> bool:
    notice = (
        Notice.objects.filter(_unheard(now=now))
        .exclude(receipt="")
        .select_related("case", "offer__case", "recipient__case")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("asked", "sent_at", "pk")
        .first()
    )
    if notice is None:
        return False
    try:
        with request_id(notice.request_id):
            status = INBOX.thread_status(notice.receipt)
    except Held:
        return False
    except GatewayError as error:
        logger.info("nothing was learnt of a message in case %s: %s", notice.case.number, error)
        status = None
    # Counted from the time it should have been asked: a sweep that was away asks once, not thrice.
    age = now - (notice.sent_at or now)
    notice.asked = max(notice.asked + 1, sum(age >= after for after in ASKED_AFTER))
    notice.save(update_fields=["asked"])
    if status is not None:
        heard_of(notice, is_read=status.is_read, answer=status.answer, now=now)
    return True
