"""The text of a campaign: written for one case, refused when something it needs is not known."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from notices.campaigns.models import Campaign
from notices.models import Notice
from notices.texts.kinds import TextKind
from notices.texts.values import MissingField
from notices.texts.writing import write
from referral.models import Case


class CannotBeWritten(Exception):
    """A field that the text needs has no value; the words say which."""


def text_for(campaign: Campaign, case: Case, *, now: datetime) -> dict[str, str]:
    """Subject and body of the case's notice, in the patient's language where there is one.

    Raises :class:`CannotBeWritten`, and the patient gets nothing.
    """
    extra: dict[str, Any] = {
        "decision_day": case.decision_date,
        "answer_by": timezone.localdate(now) + timedelta(days=campaign.answer_days),
        "message": campaign.message,
    }
    try:
        written = write(TextKind.CAMPAIGN, case=case, now=now, easy=campaign.easy, extra=extra)
    except MissingField as error:
        raise CannotBeWritten(str(error.message)) from error
    return {"subject": written.subject, "body": written.body}


def as_letter(campaign: Campaign, case: Case, *, now: datetime) -> Notice:
    """The letter the case's patient would get, as a row that is not kept."""
    return Notice(
        case=case,
        kind=Notice.Kind.CAMPAIGN,
        channel=Notice.Channel.LETTER,
        sender=case.sending_unit,
        created_at=now,
        due_at=now,
        **text_for(campaign, case, now=now),
    )


def sample_text(campaign: Campaign, case: Case, *, now: datetime) -> dict[str, str]:
    """As :func:`text_for`; what is missing stands in the text's place."""
    try:
        return text_for(campaign, case, now=now)
    except CannotBeWritten as error:
        return {"subject": _("Meddelandet stoppas"), "body": str(error)}
