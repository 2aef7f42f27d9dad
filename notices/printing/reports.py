"""Sweep that reads the print provider's acknowledgement files (docs/integrations.md).

A file counts once by name and content. A row that cannot be understood is reported by its number
and stops no other; a file sent again with more rows is another content, and its old rows change
nothing.
"""

import csv
import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notices.gateways import GatewayError
from notices.gateways.printing import MAX_REPORT_BYTES, Printer, printer
from notices.models import LetterBatch, Notice, PrintedLetter, PrintReport
from organisations.masking import masked
from referral.models import LogVerb
from referral.services import record_notice

logger = logging.getLogger(__name__)

State = PrintedLetter.State
COLUMNS = ("file", "sha256", "status", "reason", "date")
MAX_ROWS = 50_000
# Of a file's faults so many are kept, with their rows; the rest are counted.
FAULTS_KEPT = 100
# Read in one sweep.
MAX_FILES = 100
# The way of a letter; what has come further is not told back by a late row.
RANK = {
    State.HANDED_OVER: 0,
    State.ACCEPTED: 1,
    State.PRINTED: 2,
    State.POSTED: 3,
    State.REJECTED: 4,
    State.RETURNED: 5,
}
# What was rejected has not gone out, and the other way about.
GONE = frozenset({State.POSTED, State.RETURNED})
_NAME = re.compile(r"^ack-(brev-[0-9]{8}-([0-9]{8,18}))(?:[-_.][A-Za-z0-9._-]{0,60})?\.csv$")
_TEXT = re.compile(r"[^\w .,:;()/+-]")


class Fault(Exception):
    """What is wrong with a row, in words."""


@dataclass(frozen=True)
class Row:
    file: str
    sha256: str
    state: PrintedLetter.State
    reason: str
    on: date


def read_reports(*, now: datetime) -> int:
    """Sweep: take in the acknowledgement files that have come; returns how many were new."""
    provider, new = printer(), 0
    try:
        for name in provider.reports()[:MAX_FILES]:
            new += _read(provider, name, now=now)
    except GatewayError as error:
        # What was not read waits where it lies.
        logger.warning("acknowledgement files could not be read: %s", error)
    return new


def _read(provider: Printer, name: str, *, now: datetime) -> bool:
    content = provider.report(name)
    known = PrintReport.objects.filter(name=kept_name(name), sha256=_hash(content)).exists()
    if not known:
        take_report(name, content, now=now)
    provider.put_away(name)
    return not known


def kept_name(name: str) -> str:
    """A file's name as it can be stored and shown."""
    return masked(re.sub(r"[^\w.-]", "_", name))[:160]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@transaction.atomic
def take_report(name: str, content: bytes, *, now: datetime) -> PrintReport:
    """Take in a file, once; returns what was kept of it."""
    report, created = PrintReport.objects.get_or_create(
        name=kept_name(name), sha256=_hash(content), defaults={"received_at": now}
    )
    if not created:
        return report
    faults: list[dict[str, object]] = []
    batch = _batch(name)
    if batch is None:
        faults.append({"row": 0, "why": _("Leveransen som filnamnet anger finns inte.")})
    else:
        report.batch = batch
        report.taken = _take_rows(batch, content, faults, now=now)
    report.fault_count, report.faults = len(faults), faults[:FAULTS_KEPT]
    report.save()
    if faults:
        logger.warning("the acknowledgement file %s has %s faults", report.name, len(faults))
    return report


def _batch(name: str) -> LetterBatch | None:
    found = _NAME.match(name)
    if not found:
        return None
    batch = LetterBatch.objects.select_for_update().filter(pk=int(found[2])).first()
    return batch if batch and batch.folder_name == found[1] else None


def _take_rows(
    batch: LetterBatch, content: bytes, faults: list[dict[str, object]], *, now: datetime
) -> int:
    try:
        lines = _lines(content)
    except Fault as fault:
        faults.append({"row": 0, "why": str(fault)})
        return 0
    letters = {
        letter.file: letter
        for letter in batch.printed.select_for_update(of=("self",)).select_related("notice__case")
    }
    taken = 0
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            row = _parsed(line, today=timezone.localdate(now))
            _apply(letters, row, now=now)
        except Fault as fault:
            faults.append({"row": number, "why": str(fault)})
        else:
            taken += 1
    if taken and batch.told_at is None:
        batch.told_at = now
        batch.save(update_fields=["told_at"])
    return taken


def _lines(content: bytes) -> list[str]:
    if len(content) > MAX_REPORT_BYTES:
        raise Fault(_("Filen är för stor."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault(_("Filen är inte i UTF-8.")) from error
    lines = re.split(r"\r\n|\n|\r", text)
    if len(lines) > MAX_ROWS:
        raise Fault(_("Filen har för många rader."))
    if tuple(heading.strip().lower() for heading in lines[0].split(";")) != COLUMNS:
        raise Fault(_("Rubrikraden ska vara %(columns)s.") % {"columns": ";".join(COLUMNS)})
    return lines


def _parsed(line: str, *, today: date) -> Row:
    """One line of its own, so that a quotation mark that is never closed spoils no other."""
    try:
        [cells] = csv.reader([line], delimiter=";", strict=True)
    except (csv.Error, ValueError) as error:
        raise Fault(_("Raden går inte att läsa.")) from error
    if len(cells) != len(COLUMNS):
        raise Fault(_("Raden ska ha %(n)s fält.") % {"n": len(COLUMNS)})
    file, sha256, status, reason, day = (cell.strip() for cell in cells)
    told = {State.ACCEPTED, State.PRINTED, State.POSTED, State.REJECTED, State.RETURNED}
    if status.lower() not in told:
        raise Fault(_("Okänd status."))
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise Fault(_("Datumet ska skrivas ÅÅÅÅ-MM-DD.")) from error
    if not date(2000, 1, 1) <= on <= today + timedelta(days=1):
        raise Fault(_("Datumet är orimligt."))
    # What is told of a return may quote an envelope.
    reason = masked(_TEXT.sub(" ", reason))[:200].strip()
    return Row(file, sha256.lower(), State(status.lower()), reason, on)


def _apply(letters: dict[str, PrintedLetter], row: Row, *, now: datetime) -> None:
    letter = letters.get(row.file)
    if letter is None:
        raise Fault(_("Filen finns inte i leveransen."))
    if letter.sha256 != row.sha256:
        raise Fault(_("Kontrollsumman är en annan än brevets."))
    before = State(letter.state)
    if State.REJECTED in {before, row.state} and {before, row.state} & GONE:
        raise Fault(_("Brevet har redan meddelats som %(state)s.") % {"state": before.label})
    if RANK[row.state] <= RANK[before]:
        return
    letter.state, letter.reason, letter.told_on = row.state, row.reason, row.on
    letter.save(update_fields=["state", "reason", "told_on"])
    if row.state == State.REJECTED:
        _did_not_go(letter, now=now)
    elif row.state == State.RETURNED:
        _came_back(letter, now=now)


def _did_not_go(letter: PrintedLetter, *, now: datetime) -> None:
    why = _("Tryckeriet avvisade brevet (%(why)s).") % {"why": letter.reason or _("inget skäl")}
    _tell(letter, Notice.State.FAILED, LogVerb.NOTICE_FAILED, why, now=now)


def _came_back(letter: PrintedLetter, *, now: datetime) -> None:
    why = letter.reason or _("inget skäl angivet")
    _tell(letter, Notice.State.RETURNED, LogVerb.LETTER_RETURNED, why, now=now)


def _tell(
    letter: PrintedLetter, state: Notice.State, verb: LogVerb, why: str, *, now: datetime
) -> None:
    """Notice and timeline learn of it, unless the letter has gone once more since."""
    notice = Notice.objects.select_for_update().get(pk=letter.notice_id)
    if notice.batch_id != letter.batch_id or notice.state != Notice.State.SENT:
        return
    notice.state, notice.last_error = state, why[:300]
    notice.save(update_fields=["state", "last_error"])
    record_notice(
        letter.notice.case,
        verb,
        channel=notice.channel,
        subject=notice.subject,
        now=now,
        comment=why,
    )
