"""The sweep that writes the notices of running campaigns, some hundred at a time (design 5.3).

The campaign's row is claimed for the batch, its recipients with it, and rows and notices are
written in one transaction: a crash leaves the batch to be written, and the row that each notice
names is there once, so that no second can be.
"""

import logging
import math
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from notices.campaigns.filters import AT_HOME
from notices.campaigns.models import Campaign, CampaignRecipient
from notices.campaigns.services import finish
from notices.campaigns.texts import CannotBeWritten, Texts, text_for, texts_of
from notices.models import Notice
from organisations.sweeps import claim_due
from referral.models import CaseState
from referral.models.cases import BlockReach

logger = logging.getLogger(__name__)

Row = CampaignRecipient
BATCH = 500
# A slow campaign is spread evenly: as many at a time as five minutes hold.
PIECES_AN_HOUR = 12
# How often a campaign whose last notices wait to be sent is looked at.
PATIENCE = timedelta(minutes=1)


def run_campaigns(*, now: datetime, limit: int = BATCH) -> int:
    """Sweep: write the next notices of a campaign that is due; returns how many were handled."""
    with transaction.atomic():
        due = claim_due(Campaign.objects.filter(state=Campaign.State.RUNNING), now=now, limit=1)
        return _next_batch(due[0], now=now, limit=limit) if due else 0


def _next_batch(campaign: Campaign, *, now: datetime, limit: int) -> int:
    rows = _waiting(campaign, limit=_at_a_time(campaign, limit))
    texts = texts_of(campaign)
    notices = [notice for row in rows if (notice := _told(row, campaign, texts, now=now))]
    _record(rows, now=now)
    Notice.objects.bulk_create(notices)
    _set_next(campaign, handled=len(rows), told=len(notices), now=now)
    return len(rows)


def _record(rows: list[Row], *, now: datetime) -> None:
    told = [row.pk for row in rows if row.state == Row.State.TOLD]
    Row.objects.filter(pk__in=told).update(state=Row.State.TOLD, told_at=now)
    for row in rows:
        if row.state != Row.State.TOLD:
            row.save(update_fields=["state", "why"])


def _waiting(campaign: Campaign, *, limit: int) -> list[Row]:
    return list(
        campaign.recipients.filter(state=Row.State.WAITING)
        .select_related(
            *("case__patient", "case__region", "case__sending_unit__municipality", "case__form")
        )
        .order_by("pk")
        .select_for_update(of=("self",), skip_locked=True)[:limit]
    )


def _at_a_time(campaign: Campaign, limit: int) -> int:
    if campaign.per_hour is None:
        return limit
    return min(limit, math.ceil(campaign.per_hour / PIECES_AN_HOUR))


def _told(row: Row, campaign: Campaign, texts: Texts, *, now: datetime) -> Notice | None:
    """The recipient's notice; none when it is needless now, or the text lacks something."""
    needless = _why_needless(row, campaign)
    if needless:
        row.state, row.why = Row.State.SKIPPED, needless[:200]
        return None
    try:
        written = text_for(campaign, row.case, texts, now=now)
    except CannotBeWritten as error:
        row.state, row.why = Row.State.STOPPED, str(error)[:200]
        return None
    except DatabaseError:
        raise
    except Exception:  # one text that cannot be written must not hold up the rest
        logger.exception("the campaign's text in case %s could not be written", row.case.number)
        row.state, row.why = Row.State.STOPPED, _("Texten kunde inte skrivas.")
        return None
    row.state, row.told_at = Row.State.TOLD, now
    return Notice(
        idempotency_key=f"campaign/{campaign.pk}/{row.case.number}",
        case=row.case,
        recipient=row,
        kind=Notice.Kind.CAMPAIGN,
        channel=Notice.Channel.INBOX,
        priority=Notice.Priority.AFTER_OFFERS,
        sender=row.case.sending_unit,
        created_at=now,
        due_at=now,
        **written,
    )


def _why_needless(row: Row, campaign: Campaign) -> str:
    """What has happened since the recipients were fixed, in words; empty when nothing has."""
    case = row.case
    if case.patient.has_departed:
        return case.patient.departure
    if case.patient_id != row.patient_id:
        return _("Ärendet har flyttats till en annan patient.")
    if case.blocked == BlockReach.UNITS:
        return _("Patienten har spärrat sina uppgifter.")
    if case.state == CaseState.OFFERED and not campaign.criteria.get("offered"):
        return _("Patienten har fått ett erbjudande.")
    if case.state not in {*AT_HOME, CaseState.OFFERED}:
        return _("Patienten väntar inte längre hemma: %(state)s.") % {"state": case.state_label}
    return ""


def _set_next(campaign: Campaign, *, handled: int, told: int, now: datetime) -> None:
    """When the next are due by the campaign's pace, or that it is done."""
    if not handled and not campaign.recipients.filter(state=Row.State.WAITING).exists():
        unsent = Notice.objects.filter(
            recipient__campaign=campaign,
            state__in=[Notice.State.WAITING, Notice.State.BATCHED],
        )
        if not unsent.exists():
            finish(campaign, now=now)
            return
        campaign.due_at = now + PATIENCE
    elif campaign.per_hour and told:
        campaign.due_at = now + timedelta(hours=told / campaign.per_hour)
    else:
        campaign.due_at = now
    campaign.save(update_fields=["due_at"])
