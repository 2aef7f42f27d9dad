"""What is kept of a delivery, and what a person does about a letter that came back."""

import csv
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from notices.due import letter_at_once
from notices.letter_files import file_of
from notices.models import LetterBatch, Notice, PrintedLetter
from notices.sending import why_needless
from organisations.access import Actor, as_product
from organisations.errors import WrongState
from organisations.events import wake


def record_delivered(batch: LetterBatch, letters: list[Notice], index: bytes) -> None:
    """Keep file and checksum of each letter, as they stand in the index that was delivered."""
    by_file = {file_of(letter): letter for letter in letters}
    rows = csv.DictReader(index.decode().splitlines(), delimiter=";")
    PrintedLetter.objects.bulk_create(
        (
            PrintedLetter(
                case=by_file[row["file"]].case,
                notice=by_file[row["file"]],
                batch=batch,
                file=row["file"],
                sha256=row["sha256"],
            )
            for row in rows
            if row["file"] in by_file
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
@as_product("returned letter")
def send_returned_again(letter: PrintedLetter, *, actor: Actor, now: datetime) -> Notice:
    """The address has been checked: the letter goes once more, with the address as it is now.

    Raises :class:`WrongState` when somebody has handled it, or when the letter is needed no more.
    """
    locked = _handled(letter, actor=actor, now=now)
    notice = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("case__patient", "offer")
        .get(pk=locked.notice_id)
    )
    needless = why_needless(notice, now=now)
    if notice.state != Notice.State.RETURNED or needless:
        raise WrongState(needless or _("Brevet går redan på nytt."))
    notice.state, notice.batch = Notice.State.WAITING, None
    notice.due_at, notice.attempts, notice.last_error = letter_at_once(now), 0, ""
    notice.save(update_fields=["state", "batch", "due_at", "attempts", "last_error"])
    transaction.on_commit(wake)
    return notice


@transaction.atomic
@as_product("returned letter")
def finish_return(letter: PrintedLetter, *, actor: Actor, now: datetime) -> PrintedLetter:
    """The patient has been reached otherwise, or need not be. Raises as above."""
    return _handled(letter, actor=actor, now=now)


def _handled(letter: PrintedLetter, *, actor: Actor, now: datetime) -> PrintedLetter:
    locked = PrintedLetter.objects.select_for_update().get(pk=letter.pk)
    if locked.state != PrintedLetter.State.RETURNED or locked.handled_at is not None:
        raise WrongState(_("Returen är redan omhändertagen."))
    locked.handled_at, locked.handled_by_id = now, actor.user_id
    locked.save(update_fields=["handled_at", "handled_by"])
    return locked
