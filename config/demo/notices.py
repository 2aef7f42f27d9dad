"""What the demonstration's past would have sent, as it was sent then."""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from notices.letter_files import file_of
from notices.models import LetterBatch, Notice, PrintedLetter
from patients.models import Patient
from referral import services
from referral.models import CaseLog, CaseState, LogVerb, Offer

UNPROTECTED = Patient.Protection.NONE
# Notices of offers younger than this wait for the running worker, so that there is something to
# answer in the simulator at the first start.
FRESH = timedelta(hours=30)


def settle_notices(*, now: datetime) -> None:
    """What fell due in the past was sent in the past; fresh offers wait for the worker."""
    due = Notice.objects.filter(state=Notice.State.WAITING, due_at__lte=now - FRESH)
    _choose_channels(due)
    _one_that_did_not_get_through(due)
    entries = [
        CaseLog(
            case_id=notice.case_id,
            at=notice.due_at,
            verb=LogVerb.LETTER_SENT
            if notice.channel == Notice.Channel.LETTER
            else LogVerb.NOTICE_SENT,
            from_state=notice.case.state,
            to_state=notice.case.state,
            actor_name="Vårdlots",
            role="system",
            details={"channel": notice.channel, "subject": notice.subject},
        )
        for notice in due.select_related("case")
    ]
    CaseLog.objects.bulk_create(entries)
    letters, batch = due.filter(channel=Notice.Channel.LETTER), None
    if letters.exists():
        batch = LetterBatch.objects.create(created_at=now, due_at=now, delivered_at=now)
        letters.update(batch=batch)
    due.update(state=Notice.State.SENT, sent_at=F("due_at"), attempts=1)
    if batch:
        _one_that_came_back(batch, now=now)


def _choose_channels(due: QuerySet[Notice]) -> None:
    """Protected identities had letters, some had digital post, the rest 1177."""
    digital = due.filter(channel=Notice.Channel.INBOX)
    hidden = digital.exclude(case__patient__protection=UNPROTECTED)
    of_offers = hidden.filter(kind__in=Notice.OF_OFFER)
    Notice.objects.filter(
        offer__in=list(of_offers.values_list("offer", flat=True)),
        kind=Notice.Kind.OFFER_LETTER,
        state=Notice.State.WAITING,
    ).update(due_at=F("created_at"), why_channel=Notice.Why.PROTECTED)
    of_offers.update(
        state=Notice.State.CANCELLED,
        why_channel=Notice.Why.PROTECTED,
        last_error="Går som brev i stället.",
    )
    hidden.update(channel=Notice.Channel.LETTER, why_channel=Notice.Why.PROTECTED)
    digital.update(why_channel=Notice.Why.INBOX)
    some = digital.annotate(lot=F("case_id") % 8).filter(lot=0, offer__state=Offer.State.SENT)
    some.update(channel=Notice.Channel.DIGITAL, why_channel=Notice.Why.MAILBOX)


def _one_that_did_not_get_through(due: QuerySet[Notice]) -> None:
    """A booked time that 1177 would not take, for its navigator to decide on."""
    told = due.filter(
        kind=Notice.Kind.BOOKED_TIME,
        channel=Notice.Channel.INBOX,
        case__region_id="20",
        case__state=CaseState.BOOKED,
    )
    notice = told.select_related("case").last()
    if notice is None:
        return
    notice.state, notice.attempts = Notice.State.FAILED, 12
    notice.why_channel = Notice.Why.INBOX
    notice.last_error = "Mottagarens tjänst svarade inte som den skulle (answered 503)."
    notice.save(update_fields=["state", "attempts", "why_channel", "last_error"])
    services.record_notice(
        notice.case,
        LogVerb.NOTICE_FAILED,
        channel=notice.channel,
        subject=notice.subject,
        now=notice.due_at + timedelta(hours=26),
        comment=notice.last_error,
    )


def _one_that_came_back(batch: LetterBatch, *, now: datetime) -> None:
    """A letter whose address nobody lives at any more, for its navigator to look into."""
    mine = batch.letters.filter(case__region_id="20", case__patient__protection=UNPROTECTED)
    letter = mine.exclude(case__state=CaseState.CLOSED).select_related("case").last()
    if letter is None:
        return
    PrintedLetter.objects.create(
        case=letter.case,
        notice=letter,
        batch=batch,
        file=file_of(letter),
        sha256="0" * 64,
        state=PrintedLetter.State.RETURNED,
        reason="Adressaten okänd",
        told_on=timezone.localdate(now),
    )
    letter.state, letter.last_error = Notice.State.RETURNED, "Adressaten okänd"
    letter.save(update_fields=["state", "last_error"])
    batch.told_at = now
    batch.save(update_fields=["told_at"])
    services.record_notice(
        letter.case,
        LogVerb.LETTER_RETURNED,
        channel=letter.channel,
        subject=letter.subject,
        now=now,
        comment=letter.last_error,
    )
