"""Sweep that hands letters to the print provider's drop folder (design 5.3).

Two steps, each its own transaction. First the due letters are put in a batch whose number names
the folder. Then the folder is written beside its place, moved there in one rename, and the batch
recorded as delivered. A crash anywhere in between writes the same folder once more, never two.
"""

import csv
import hashlib
import io
import logging
import os
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from notices.models import LetterBatch, Notice
from notices.pdf import letter_pdf
from notices.queue import claim_most_urgent
from notices.sending import why_needless
from organisations.spreadsheets import safe
from organisations.sweeps import claim_due
from referral.models import LogVerb, Offer
from referral.services import record_notice

logger = logging.getLogger(__name__)

# A letter with its PDF and the number of pages.
Printed = tuple[Notice, bytes, int]

INDEX_NAME = "index.csv"
INDEX_COLUMNS = ("file", "case_number", "pages", "sha256", "recipient", "delivery")


def deliver_letters(*, now: datetime, limit: int = 200) -> int:
    """Batch the letters that are due and deliver undelivered batches; returns letters handled."""
    batched = _batch_due_letters(now=now, limit=limit)
    _deliver_batches(now=now)
    return batched


@transaction.atomic
def _batch_due_letters(*, now: datetime, limit: int) -> int:
    waiting = Notice.objects.filter(state=Notice.State.WAITING).select_related(
        "offer", "case__patient"
    )
    due = claim_most_urgent(waiting, {Notice.Channel.LETTER}, now=now, limit=limit)
    for letter in due:
        if letter.offer is not None:  # as it stands when nobody can answer it meanwhile
            letter.offer = Offer.objects.select_for_update().get(pk=letter.offer.pk)
    needed = _still_needed(due, now=now)
    if needed:
        batch = LetterBatch.objects.create(created_at=now, due_at=now)
        for letter in needed:
            letter.batch = batch
            letter.state = Notice.State.BATCHED
            letter.save(update_fields=["batch", "state"])
    return len(due)


def _still_needed(letters: list[Notice], *, now: datetime) -> list[Notice]:
    """The letters that still should go; the others are cancelled, with the reason."""
    needed = []
    for letter in letters:
        needless = why_needless(letter, now=now)
        if not needless:
            needed.append(letter)
            continue
        letter.state = Notice.State.CANCELLED
        letter.batch = None
        letter.last_error = needless
        letter.save(update_fields=["state", "batch", "last_error"])
    return needed


def _deliver_batches(*, now: datetime) -> None:
    while True:
        with transaction.atomic():
            due = claim_due(LetterBatch.objects.filter(delivered_at__isnull=True), now=now, limit=1)
            if not due:
                return
            _deliver(due[0], now=now)


def _deliver(batch: LetterBatch, *, now: datetime) -> None:
    """Hand the batch over. A letter that is no longer needed stays out, unless the folder already
    lies there from before a crash: what the printer may have taken has been sent."""
    letters = list(
        batch.letters.select_related(
            "case__patient", "case__region", "case__sending_unit__municipality", "offer"
        )
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    if not (Path(settings.PRINT_DROP) / batch.folder_name).exists():
        letters = _still_needed(letters, now=now)
    printed = _typeset(letters, now=now)
    if printed:
        write_folder(batch, printed, drop=Path(settings.PRINT_DROP))
    batch.delivered_at = now
    batch.save(update_fields=["delivered_at"])
    for letter, _content, _pages in printed:
        letter.state = Notice.State.SENT
        letter.sent_at = now
        letter.attempts += 1
        letter.receipt = batch.folder_name
        letter.save(update_fields=["state", "sent_at", "attempts", "receipt"])
        record_notice(
            letter.case,
            LogVerb.LETTER_SENT,
            channel=letter.channel,
            subject=letter.subject,
            now=now,
        )


def _typeset(letters: list[Notice], *, now: datetime) -> list[Printed]:
    """The letters as PDF. One that cannot be made is marked failed and holds up nobody else."""
    printed: list[Printed] = []
    for letter in letters:
        try:
            printed.append((letter, *letter_pdf(letter)))
        except Exception as error:
            logger.exception("the letter in case %s could not be made", letter.case.number)
            letter.state = Notice.State.FAILED
            letter.batch = None
            letter.attempts += 1
            letter.last_error = f"{type(error).__name__}: {error}"[:300]
            letter.save(update_fields=["state", "batch", "attempts", "last_error"])
            record_notice(
                letter.case,
                LogVerb.NOTICE_FAILED,
                channel=letter.channel,
                subject=letter.subject,
                now=now,
            )
    return printed


def write_folder(batch: LetterBatch, letters: list[Printed], *, drop: Path) -> Path:
    """Write the PDF files and their index; the finished folder appears in one rename."""
    drop.mkdir(parents=True, exist_ok=True)
    target = drop / batch.folder_name
    if target.exists():  # written before the crash that made us come back
        return target
    work = drop / f".{batch.folder_name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    index = io.StringIO()
    rows = csv.writer(index, delimiter=";", lineterminator="\r\n")
    rows.writerow(INDEX_COLUMNS)
    for letter, content, pages in letters:
        name = f"{letter.case.number}_{letter.pk}.pdf"
        _write(work / name, content)
        patient = letter.case.patient
        rows.writerow(
            (
                name,
                letter.case.number,
                pages,
                hashlib.sha256(content).hexdigest(),
                "" if patient.is_protected else safe(patient.full_name),
                # Skatteverket forwards post to people with protected identity.
                "skatteverket" if patient.is_protected else "post",
            )
        )
    _write(work / INDEX_NAME, index.getvalue().encode())
    os.replace(work, target)
    return target


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
