"""Sweep that hands letters to the print provider's drop folder (design 5.3).

Two steps, each its own transaction. First the due letters are put in a batch whose number names
the folder. Then the folder is written beside its place, moved there in one rename, and the batch
recorded as delivered. A crash anywhere in between writes the same folder once more, never two.
"""

import logging
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import transaction
from django.db.models import F

from notices.gateways import GatewayError, Held
from notices.gateways.printing import Printer, printer
from notices.letter_files import (
    INDEX_NAME,
    THREADS,
    Printed,
    Setting,
    file_of,
    files_in,
    sync_folder,
    write_index,
    write_letters,
)
from notices.models import LetterBatch, Notice
from notices.outgoing import read_serials
from notices.printing.services import record_delivered
from notices.queue import claim_most_urgent
from notices.sending import why_needless
from organisations.desks import DESKS, at_desks
from organisations.sweeps import claim_due
from organisations.typesetters import Typesetters
from patients.models import Patient
from referral.models import Case, LogVerb, Offer
from referral.services import NoticeOutcome, record_notices

logger = logging.getLogger(__name__)

# Where there are many letters: while one desk records what it has delivered, the other's are set.
# What else is due waits half a minute at most.
BATCHES_A_DESK = 3


@dataclass
class Outcome:
    """What became of a batch's letters."""

    sent: list[Notice] = field(default_factory=list)
    failed: list[Notice] = field(default_factory=list)
    cancelled: list[Notice] = field(default_factory=list)
    # Neither: they go with the next batch.
    left: list[Notice] = field(default_factory=list)


def deliver_letters(*, now: datetime, limit: int | None = None) -> int:
    """Batch the letters that are due and deliver undelivered batches; returns letters handled."""
    most = limit or printer().most_letters
    batched = _batch_due_letters(now=now, limit=most)
    with Typesetters() as typesetters:
        if batched < most:
            _deliver_batches(now=now, setting=Setting(typesetters, threads=THREADS))
            return batched
        setting = Setting(typesetters, threads=THREADS // DESKS)
        return batched + at_desks(partial(_deliver_at_a_desk, now=now, most=most, setting=setting))


def _deliver_at_a_desk(*, now: datetime, most: int, setting: Setting) -> int:
    """Deliver what is batched and a few batches more; returns how many letters those have."""
    handled = 0
    for _turn in range(BATCHES_A_DESK):
        _deliver_batches(now=now, setting=setting)
        batched = _batch_due_letters(now=now, limit=most)
        handled += batched
        if not batched:
            break
    _deliver_batches(now=now, setting=setting)
    return handled


@transaction.atomic
def _batch_due_letters(*, now: datetime, limit: int) -> int:
    """Which of them are still needed is asked when they are written, and again after."""
    waiting = Notice.objects.filter(state=Notice.State.WAITING).only("pk")
    due = claim_most_urgent(waiting, {Notice.Channel.LETTER}, now=now, limit=limit)
    if due:
        batch = LetterBatch.objects.create(created_at=now, due_at=now)
        Notice.objects.filter(pk__in=[letter.pk for letter in due]).update(
            batch=batch, state=Notice.State.BATCHED
        )
    return len(due)


def _read_offers(letters: list[Notice]) -> None:
    """Give the letters their offers as they stand."""
    wanted = {letter.offer_id for letter in letters} - {None}
    found = Offer.objects.in_bulk(wanted)
    for letter in letters:
        if letter.offer_id is not None:
            letter.offer = found[letter.offer_id]


def _still_needed(letters: list[Notice], *, now: datetime) -> tuple[list[Notice], list[Notice]]:
    """The letters that still should go, and the others, cancelled with the reason."""
    needed, needless = [], []
    for letter in letters:
        reason = why_needless(letter, now=now)
        if not reason:
            needed.append(letter)
            continue
        letter.state = Notice.State.CANCELLED
        letter.batch = None
        letter.last_error = reason
        needless.append(letter)
    return needed, needless


def _deliver_batches(*, now: datetime, setting: Setting) -> None:
    while True:
        with transaction.atomic():
            due = claim_due(LetterBatch.objects.filter(delivered_at__isnull=True), now=now, limit=1)
            if not due:
                return
            batch = due[0]
            try:
                with transaction.atomic():
                    _deliver(batch, now=now, setting=setting)
            except Held:
                return
            except GatewayError as error:
                _try_later(batch, error, now=now)


def _try_later(batch: LetterBatch, error: GatewayError, *, now: datetime) -> None:
    """The print provider cannot be reached: the letters stay in their batch, which waits."""
    logger.warning("%s is delivered later: %s", batch.folder_name, error)
    batch.attempts = min(batch.attempts + 1, 1000)
    batch.due_at = now + timedelta(minutes=min(60, 2 ** min(batch.attempts, 6)))
    batch.save(update_fields=["attempts", "due_at"])


def _deliver(batch: LetterBatch, *, now: datetime, setting: Setting) -> None:
    """Hand the batch over. A letter that is no longer needed stays out, unless the delivery already
    lies there from before a crash: what the printer may have taken has been sent."""
    provider = printer()
    letters = list(
        batch.letters.filter(state=Notice.State.BATCHED)
        .select_related("case__patient", "offer", "unread")
        # Shared by many of them.
        .prefetch_related("case__region", "case__sending_unit")
        .order_by("pk")
    )
    if provider.has(batch.folder_name):
        outcome = _delivered_before(letters, provider.index(batch.folder_name, INDEX_NAME))
    else:
        outcome = _deliver_now(batch, letters, provider=provider, setting=setting, now=now)
    if outcome.sent:
        # As it lies there: after a crash that is what was written before it.
        index = provider.index(batch.folder_name, INDEX_NAME)
        record_delivered(batch, outcome.sent, index)
    _record(batch, outcome, now=now)


def _delivered_before(letters: list[Notice], index: bytes) -> Outcome:
    """What the index says that was delivered before the crash that made us come back."""
    there = files_in(index)
    outcome = Outcome()
    for letter in letters:
        (outcome.sent if file_of(letter) in there else outcome.left).append(letter)
    return outcome


def _deliver_now(
    batch: LetterBatch,
    letters: list[Notice],
    *,
    provider: Printer,
    setting: Setting,
    now: datetime,
) -> Outcome:
    """Write the letters, and take out those that became needless while they were written.

    Only then are the cases locked, so that nobody waits for the typesetting.
    """
    work = provider.workshop / f".{batch.folder_name}"
    for leftover in (work, provider.workshop / batch.folder_name):  # of a delivery that broke off
        shutil.rmtree(leftover, ignore_errors=True)
    work.mkdir(parents=True)
    needed, needless = _still_needed(letters, now=now)
    read_serials(needed)
    printed, failed = write_letters(needed, folder=work, setting=setting)
    _lock_cases(letters)
    written = [made.letter for made in printed]
    _read_offers(written)
    _read_patients(written)
    _read_unread(written)
    sent, late = _still_needed(written, now=now)
    for letter in late:
        (work / file_of(letter)).unlink()
    go = {letter.pk for letter in sent}
    if sent:
        folder = write_folder(
            batch, [made for made in printed if made.letter.pk in go], drop=provider.workshop
        )
        provider.send(folder, key=batch.folder_name)
    else:
        shutil.rmtree(work)
    return Outcome(sent=sent, failed=failed, cancelled=needless + late)


def _read_patients(letters: list[Notice]) -> None:
    """Give the letters their patients as they are now: who has died meanwhile gets no letter."""
    found = Patient.objects.in_bulk({letter.case.patient_id for letter in letters})
    for letter in letters:
        letter.case.patient = found[letter.case.patient_id]


def _read_unread(letters: list[Notice]) -> None:
    """And what they follow, which may have been read, and their cases, which may have moved on."""
    following = [letter for letter in letters if letter.unread_id is not None]
    messages = Notice.objects.select_related("case").in_bulk([n.unread_id for n in following])
    for letter in following:
        letter.unread = messages[letter.unread_id]
        letter.case.state = letter.unread.case.state


def _lock_cases(letters: list[Notice]) -> None:
    """In the order in which all that lock several cases do."""
    cases = Case.objects.filter(pk__in={letter.case_id for letter in letters}).order_by("pk")
    list(cases.select_for_update(no_key=True).values_list("pk"))


def write_folder(batch: LetterBatch, letters: list[Printed], *, drop: Path) -> Path:
    """Write the index of the letters already written; the folder appears in one rename.

    All is on the disk before the rename is, so that a power cut leaves a whole folder or none.
    """
    work, target = drop / f".{batch.folder_name}", drop / batch.folder_name
    write_index(work, letters)
    os.replace(work, target)
    sync_folder(drop)
    return target


def _record(batch: LetterBatch, outcome: Outcome, *, now: datetime) -> None:
    batch.delivered_at = now
    batch.save(update_fields=["delivered_at"])
    Notice.objects.filter(pk__in=[letter.pk for letter in outcome.sent]).update(
        state=Notice.State.SENT,
        sent_at=now,
        attempts=F("attempts") + 1,
        receipt=batch.folder_name,
        last_error="",
    )
    Notice.objects.filter(pk__in=[letter.pk for letter in outcome.left]).update(
        state=Notice.State.WAITING, batch=None
    )
    _save(outcome.cancelled, "state", "batch", "last_error")
    _save(outcome.failed, "state", "batch", "last_error", "attempts")
    told = [_told(letter, LogVerb.LETTER_SENT) for letter in outcome.sent]
    told += [_told(letter, LogVerb.NOTICE_FAILED) for letter in outcome.failed]
    record_notices(told, now=now)


def _told(letter: Notice, verb: LogVerb) -> NoticeOutcome:
    comment = letter.last_error if verb == LogVerb.NOTICE_FAILED else ""
    return NoticeOutcome(letter.case, verb, letter.channel, letter.subject, comment)


def _save(letters: list[Notice], *fields: str) -> None:
    Notice.objects.bulk_update(letters, fields, batch_size=500)
