"""Letters that follow messages nobody has read in 1177, on the region's day for the kind.

Written when the message is sent, and waiting until then; reading it cancels them. An offer is
reminded of and followed by its own letter (notices.consumers), and a campaign is one message a
patient. Digital post does not tell whether it has been read.
"""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from notices.due import due_at
from notices.models import Notice
from organisations.models import Region
from referral.models import CaseState

# Where the region's days for the kind stand.
DAYS = {
    Notice.Kind.BOOKED_TIME: "unread_booked_time_days",
    Notice.Kind.CONFIRMATION: "unread_confirmation_days",
    Notice.Kind.GUARANTEE: "unread_guarantee_days",
}


def write_letters(notices: Iterable[Notice], *, now: datetime) -> None:
    """Write the letters of those of the notices that have just been sent in 1177."""
    sent = [
        notice
        for notice in notices
        if notice.kind in DAYS
        and notice.state == Notice.State.SENT
        and notice.channel == Notice.Channel.INBOX
    ]
    if not sent:
        return
    regions = Region.objects.in_bulk({notice.case.region_id for notice in sent})
    letters = [_letter(notice, regions[notice.case.region_id], now=now) for notice in sent]
    Notice.objects.bulk_create([one for one in letters if one], ignore_conflicts=True)


def _letter(notice: Notice, region: Region, *, now: datetime) -> Notice | None:
    days = getattr(region, DAYS[Notice.Kind(notice.kind)])
    if days is None:
        return None
    return Notice(
        idempotency_key=f"{notice.idempotency_key}/letter",
        unread=notice,
        case=notice.case,
        kind=notice.kind,
        channel=Notice.Channel.LETTER,
        why_channel=Notice.Why.UNREAD,
        sender_id=notice.sender_id,
        subject=notice.subject,
        body=notice.body,
        text_version_id=notice.text_version_id,
        language=notice.language,
        created_at=now,
        due_at=due_at(notice.sent_at or now, days=days, printed=True),
    )


def why_needless(letter: Notice) -> str:
    """Why the letter need not follow its message, in words; empty when it should."""
    if letter.unread is None:
        return ""
    if letter.unread.read_at is not None:
        return _("Patienten har läst meddelandet i 1177.")
    if letter.kind == Notice.Kind.BOOKED_TIME and letter.case.state != CaseState.BOOKED:
        return _("Tiden gäller inte längre.")
    return ""


def cancel_letter(message: Notice, *, why: str) -> None:
    """The letter of a message that is read, or that another has taken the place of.

    One that a sweep holds is left to it, since it asks itself.
    """
    waiting = Notice.objects.filter(unread=message, state=Notice.State.WAITING)
    free = list(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Notice.objects.filter(pk__in=free).update(state=Notice.State.CANCELLED, last_error=why)
