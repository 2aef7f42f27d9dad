"""What a sweep's batch has come to, and how all of it is recorded at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Least
from psycopg.errors import DeadlockDetected, LockNotAvailable
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from notices import unread
from notices.due import letter_at_once
from notices.models import Notice
from referral.models import LogVerb
from referral.services import NoticeOutcome, record_notices

# Whoever the record waits for may be waiting for the batch: it soon lets go and tries again.
LOCK_MILLISECONDS = 300
RECORD_SECONDS = 20.0

# What a batch changes in its rows. Django's own way takes a third of the batch's time.
RECORD = """
UPDATE notices_notice n SET channel = r.channel, why_channel = r.why, state = r.state,
    due_at = r.due_at, sent_at = r.sent_at, receipt = r.receipt, attempts = r.attempts,
    last_error = r.error
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
    %s::timestamptz[], %s::text[], %s::smallint[], %s::text[])
    AS r (id, channel, why, state, due_at, sent_at, receipt, attempts, error)
WHERE n.id = r.id
"""
LOGGED = {
    Notice.State.SENT: LogVerb.NOTICE_SENT,
    Notice.State.FAILED: LogVerb.NOTICE_FAILED,
}


@dataclass
class Batch:
    """What became of the claimed notices."""

    handled: list[Notice] = field(default_factory=list)
    # Offers whose own letter goes at once, by why it does.
    hastened: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    # What was not called about, by the gateway that takes nothing now: no try is used up.
    held: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def got_through(self) -> bool:
        """Whether anything has come to its end, and is not only put off."""
        return any(
            notice.state != Notice.State.WAITING or notice.channel == Notice.Channel.LETTER
            for notice in self.handled
        )


def record(batch: Batch, *, now: datetime) -> None:
    """Write all outcomes, and what became of the notices on the cases' timelines.

    Tried again while somebody holds a case or a letter that it needs, so that no deadlock with
    whoever waits for a notice of the batch is ever left to PostgreSQL to end.
    """
    tries = Retrying(
        retry=retry_if_exception(_is_held),
        stop=stop_after_delay(RECORD_SECONDS),
        wait=wait_random(0, 0.3),
        reraise=True,
    )
    for attempt in tries:
        with attempt, transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                cursor.execute(RECORD, _columns(batch.handled))
            for why, offers in sorted(batch.hastened.items()):
                hasten_letters(offers, why=why, now=now)
            unread.write_letters(batch.handled, now=now)
            log(batch.handled, now=now)


def _columns(notices: Iterable[Notice]) -> list[list[object]]:
    rows = (
        (
            notice.pk,
            str(notice.channel),
            str(notice.why_channel),
            str(notice.state),
            notice.due_at,
            notice.sent_at,
            notice.receipt[:80],
            notice.attempts,
            notice.last_error,
        )
        for notice in notices
    )
    return [list(column) for column in zip(*rows, strict=True)]


def _is_held(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and isinstance(
        error.__cause__, LockNotAvailable | DeadlockDetected
    )


def log(notices: Sequence[Notice], *, now: datetime) -> None:
    """What became of the notices goes on their cases' timelines; a postponed one is no news."""
    record_notices(
        [
            NoticeOutcome(
                notice.case,
                LOGGED[Notice.State(notice.state)],
                channel=notice.channel,
                subject=notice.subject,
                comment=notice.last_error,
            )
            for notice in notices
            if notice.state in LOGGED
        ],
        now=now,
    )


def hasten_letters(offers: Sequence[int], *, why: str, now: datetime) -> None:
    """Offers that cannot reach the patient digitally go as letters at once, not on day 14."""
    at_once = letter_at_once(now)
    Notice.objects.filter(
        offer__in=offers, kind=Notice.Kind.OFFER_LETTER, state=Notice.State.WAITING
    ).update(due_at=Least("due_at", Value(at_once)), why_channel=why)
