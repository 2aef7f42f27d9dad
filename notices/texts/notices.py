"""Notices whose text is written from the texts: made whole, or kept until the missing is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from notices.models import Notice
from notices.texts.kinds import TextKind
from notices.texts.services import kept
from notices.texts.values import MissingField, as_json, typed
from notices.texts.writing import Written, write
from organisations.errors import WrongState
from referral.models import Case, Offer


@dataclass(frozen=True)
class Telling:
    """Which text a notice tells, with the fields that only its event knew."""

    kind: TextKind
    extra: Mapping[str, date | time | str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "extra": as_json(self.extra)}

    @classmethod
    def of(cls, kept_as: Mapping[str, Any]) -> "Telling":
        kind = TextKind(kept_as["kind"])
        return cls(kind, typed(kind, kept_as["extra"]))


def put_text(
    notice: Notice, telling: Telling, *, case: Case, now: datetime, offer: Offer | None = None
) -> None:
    """Give the notice its text. Where a field is missing nothing is sent: the notice stands as
    failed among the undelivered, says what to fill in, and is written when it is sent again."""
    if telling.kind == TextKind.OFFER and offer is not None and not hasattr(offer, "written"):
        # Sent by the version before this one: its text is all there is.
        notice.subject, notice.body = str(telling.kind.label), offer.text
        return
    try:
        written = write(telling.kind, case=case, now=now, offer=offer, extra=telling.extra)
    except MissingField as error:
        notice.subject, notice.body = str(telling.kind.label), ""
        notice.to_write = telling.as_json()
        notice.state = Notice.State.FAILED
        notice.last_error = str(error.message)[:300]
    else:
        _fill(notice, written, now=now)


def write_anew(notice: Notice, *, now: datetime) -> None:
    """Write what could not be written. Raises :class:`WrongState` while something is missing."""
    if notice.to_write is None:
        return
    telling = Telling.of(notice.to_write)
    try:
        written = write(
            telling.kind, case=notice.case, now=now, offer=notice.offer, extra=telling.extra
        )
    except MissingField as error:
        raise WrongState(error.message, code=error.code) from error
    _fill(notice, written, now=now)


def _fill(notice: Notice, written: Written, *, now: datetime) -> None:
    notice.subject, notice.body = written.subject, written.body
    notice.text_version = kept(written.version, now=now)
    notice.language = written.language
    notice.to_write = None
