"""A waiting list is handed in, checked and read in.

The numbers are drawn as a block before the cases are written: the region's counter is locked for
an instant, not for as long as a large file takes, and what is then not needed stays unused
(docs/decisions/0028-waiting-lists-from-files.md).
"""

import gc
import hashlib
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import wake
from organisations.models import CareUnit, Role
from organisations.sweeps import claim_due
from organisations.uploads import safe_name
from referral.models import WaitingListFile
from referral.numbers import CaseNumber, draw_case_numbers
from referral.services.intake import require_open_sender, sends_for
from referral.services.submitted import (
    ONE_RUNNING,
    Submitted,
    Surroundings,
    new_form,
    store_submitted,
)
from referral.waiting_list_file.rows import ListRow, Outcome, find_running, read_list

logger = logging.getLogger(__name__)

# A file of at most this size is read while the person waits for the page.
AT_ONCE_BYTES = 64 * 1024
# One byte more than is allowed tells that a file is too big.
MOST_BYTES_READ = WaitingListFile.MAX_BYTES + 1
STORED_AT_A_TIME = 1_000
STORE_TRIES = 5
# A sweep that is killed in the middle of a file leaves it to another after this.
LEASE = timedelta(minutes=15)
State = WaitingListFile.State


class _NotAll(Exception):
    """A row did not hold, and all or nothing was asked for."""


class _Overtaken(Exception):
    """Another sweep has read the file meanwhile."""


@transaction.atomic
def hand_in(
    content: bytes,
    *,
    name: str,
    sending_unit: CareUnit,
    to_store: bool,
    good_rows_only: bool = False,
    actor: Actor,
    now: datetime,
) -> WaitingListFile:
    """Check the unit's waiting list and, with ``to_store``, make a case of each new row.

    Nothing is stored unless every row holds, or ``good_rows_only``. A small file is done on
    return, a large one is queued. A file that has been read in changes nothing again. Raises
    :class:`InvalidInput` when the file cannot be read at all.
    """
    require_list_sender(actor, sending_unit)
    _refuse_size(content)
    sha256 = hashlib.sha256(content).hexdigest()
    with as_product("waiting list file"):
        same = WaitingListFile.objects.filter(sending_unit=sending_unit, sha256=sha256)
        if same.exclude(role=actor.role).filter(state=State.DONE).exists():
            raise WrongState(_("Samma fil är redan inläst för enheten."), code="already_read")
        made = same.select_for_update(of=("self",)).filter(role=actor.role).first()
        if made is not None and made.state in {State.DONE, State.QUEUED}:
            return made
        if made is None:
            made = WaitingListFile(sending_unit=sending_unit, sha256=sha256)
        made.region_id = sending_unit.region_id
        made.name = safe_name(name, otherwise=_("fil"))
        made.size = len(content)
        made.handed_in_at = now
        for column, value in actor.signature.items():
            setattr(made, column, value)
        is_put = _put_file(made, content)
        try:
            _queue(made, to_store=to_store, good_rows_only=good_rows_only, now=now)
            if len(content) <= AT_ONCE_BYTES:
                _handle(made, content, now=now)
        except Exception:  # the row goes with the transaction, and its file with it
            if is_put:
                made.file.delete(save=False)
            raise
    return made


@transaction.atomic
def read_in(
    made: WaitingListFile, *, good_rows_only: bool, actor: Actor, now: datetime
) -> WaitingListFile:
    """Make cases of a file that has been checked."""
    require_list_sender(actor, made.sending_unit)
    with as_product("waiting list file"):
        made = WaitingListFile.objects.select_for_update(of=("self",)).get(pk=made.pk)
        if made.state != State.CHECKED or not made.is_kept:
            raise WrongState(_("Filen kan inte läsas in nu."), code="not_checked")
        _queue(made, to_store=True, good_rows_only=good_rows_only, now=now)
        if made.size <= AT_ONCE_BYTES:
            _handle(made, content_of(made), now=now)
    return made


def require_list_sender(actor: Actor, unit: CareUnit) -> None:
    """Who may hand in a unit's list: whoever sends for it, and the region's navigators."""
    navigator = actor.role == Role.NAVIGATOR and actor.region == unit.region_id
    if not (navigator or sends_for(actor, unit)):
        raise NotAllowed(_("Bara kliniken och regionens vårdlotsar lämnar dess väntelista."))
    require_open_sender(unit)


def run_waiting_lists(*, now: datetime, limit: int = 1) -> int:
    """Sweep: read files that are due; one that fails says so. Returns how many."""
    waiting = WaitingListFile.objects.filter(state=State.QUEUED)
    with transaction.atomic():
        due = claim_due(waiting, now=now, limit=limit)
        for made in due:
            made.due_at = now + LEASE
            made.save(update_fields=["due_at"])
    for made in due:
        _read_due(made, now=now)
    return len(due)


def read_now(made: WaitingListFile, *, now: datetime) -> WaitingListFile:
    """Read a file that is queued, without waiting for the sweep."""
    if made.state == State.QUEUED:
        _read_due(made, now=now)
        made.refresh_from_db()
    return made


def _read_due(made: WaitingListFile, *, now: datetime) -> None:
    try:
        _handle(made, content_of(made), now=now)
    except InvalidInput as error:
        _fail(made, str(error.message), now=now)
    except OperationalError:  # a lost connection or a deadlock: tried again by the next sweep
        with transaction.atomic():
            WaitingListFile.objects.filter(pk=made.pk).update(due_at=now)
        raise
    except Exception:  # whatever a file brings must not hold up the others
        logger.exception("waiting list file %s failed", made.pk)
        _fail(made, _("Läsningen misslyckades. Inget är inläst."), now=now)


def _handle(made: WaitingListFile, content: bytes, *, now: datetime) -> None:
    """Check the file and, if that is asked for, store it: all of it in one transaction."""
    unit = CareUnit.objects.select_related("region", "medical_area").get(pk=made.sending_unit_id)
    actor = _actor_of(made)
    rows = read_list(content, unit=unit, actor=actor, today=timezone.localdate(now))
    if not made.to_store or (_faulty(rows) and not made.good_rows_only):
        with transaction.atomic():
            _lock(made)
            _finish(made, State.CHECKED, rows, now=now)
        return
    numbers = _numbers(rows, unit, now=now)
    try:
        with transaction.atomic():
            _lock(made)
            _store(rows, numbers, unit=unit, actor=actor, now=now)
            if _faulty(rows) and not made.good_rows_only:
                raise _NotAll
            _finish(made, State.DONE, rows, now=now)
    except _NotAll:  # somebody else's form came first, and the database said so
        for row in rows:
            row.case_number = "" if row.outcome == Outcome.NEW else row.case_number
        with transaction.atomic():
            _lock(made)
            _finish(made, State.CHECKED, rows, now=now)
    except _Overtaken:
        logger.warning("waiting list file %s was read by another", made.pk)


def _numbers(rows: Sequence[ListRow], unit: CareUnit, *, now: datetime) -> list[CaseNumber]:
    count = sum(row.outcome == Outcome.NEW for row in rows)
    if not count:
        return []
    with transaction.atomic():
        return draw_case_numbers(count, county=unit.region_id, year=timezone.localdate(now).year)


def _store(
    rows: Sequence[ListRow],
    numbers: Sequence[CaseNumber],
    *,
    unit: CareUnit,
    actor: Actor,
    now: datetime,
) -> None:
    surroundings = Surroundings(unit, today=timezone.localdate(now))
    new = [row for row in rows if row.outcome == Outcome.NEW]
    # For a short list the collector's one look at all that is loaded would take the longest.
    with _out_of_collection() if len(new) > STORED_AT_A_TIME else nullcontext():
        for start in range(0, len(new), STORED_AT_A_TIME):
            some = new[start : start + STORED_AT_A_TIME]
            numbered = numbers[start : start + STORED_AT_A_TIME]
            _store_some(some, numbered, surroundings=surroundings, actor=actor, now=now)


@contextmanager
def _out_of_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through all the rows for each thousand stored."""
    frozen = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if frozen:  # what was loaded stays out of the way, as in each web process (config.wsgi)
            gc.collect()
            gc.freeze()


def _store_some(
    rows: Sequence[ListRow],
    numbers: Sequence[CaseNumber],
    *,
    surroundings: Surroundings,
    actor: Actor,
    now: datetime,
) -> None:
    """Make the rows' cases; those that somebody else made meanwhile are found and left out."""
    unit = surroundings.unit
    for tried in range(1, STORE_TRIES + 1):
        new = [row for row in rows if row.outcome == Outcome.NEW]
        try:
            with transaction.atomic():
                cases = store_submitted(
                    [
                        Submitted(row.submission, new_form(unit, actor=actor, now=now))
                        for row in new
                        if row.submission
                    ],
                    numbers=numbers[: len(new)],
                    surroundings=surroundings,
                    actor=actor,
                    now=now,
                )
        except IntegrityError as error:
            if ONE_RUNNING not in str(error) or tried == STORE_TRIES:
                raise
            find_running(new, unit=unit, actor=actor)
        else:
            for row, case in zip(new, cases, strict=True):
                row.case_number = case.number
            return


def _faulty(rows: Sequence[ListRow]) -> int:
    return sum(row.outcome == Outcome.FAULT for row in rows)


def _finish(made: WaitingListFile, state: str, rows: Sequence[ListRow], *, now: datetime) -> None:
    made.state, made.done_at, made.refusal = state, now, ""
    made.rows = len(rows)
    made.faulty = _faulty(rows)
    made.known = sum(row.outcome == Outcome.KNOWN for row in rows)
    made.new = made.rows - made.faulty - made.known
    made.stored = made.new if state == State.DONE else 0
    made.report = {"rows": [[row.number, row.outcome, row.case_number, row.faults] for row in rows]}
    made.save()


def _fail(made: WaitingListFile, text: str, *, now: datetime) -> None:
    with transaction.atomic():
        WaitingListFile.objects.filter(pk=made.pk, state=State.QUEUED).update(
            state=State.FAILED, done_at=now, refusal=text[:300]
        )


def _lock(made: WaitingListFile) -> None:
    """Hold the file's row; whoever comes second finds that it is done."""
    locked = WaitingListFile.objects.select_for_update(of=("self",)).defer("report")
    if locked.get(pk=made.pk).state != State.QUEUED:
        raise _Overtaken


def _queue(made: WaitingListFile, *, to_store: bool, good_rows_only: bool, now: datetime) -> None:
    made.state, made.to_store, made.good_rows_only = State.QUEUED, to_store, good_rows_only
    made.due_at, made.done_at = now, None
    made.save()
    if made.size > AT_ONCE_BYTES:
        transaction.on_commit(wake)


def _put_file(made: WaitingListFile, content: bytes) -> bool:
    """Keep the file, unless it is kept since before; whether it was put there."""
    if made.is_kept:
        return False
    made.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    return True


def content_of(made: WaitingListFile) -> bytes:
    """The file as it was handed in."""
    with made.file.open("rb") as file:
        return bytes(file.read())


def _actor_of(made: WaitingListFile) -> Actor:
    """Whoever handed the file in, for the log and for what may be told."""
    own = made.role in {Role.CLINIC, Role.INTEGRATION}
    return Actor(
        role=made.role,
        name=made.actor_name,
        user_id=made.user_id,
        region=made.region_id,
        care_unit_id=made.sending_unit_id if own else None,
        place=made.place,
    )


def _refuse_size(content: bytes) -> None:
    text = ""
    if not content:
        text = _("Filen är tom.")
    elif len(content) > WaitingListFile.MAX_BYTES:
        text = _("Filen är större än 20 MB.")
    if text:
        raise InvalidInput(text, fields={"file": text})
