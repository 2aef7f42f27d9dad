"""What the tests of campaigns share: a region with waiting patients, two navigators, a campaign."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from notices.campaigns import services
from notices.models import Campaign, CampaignLog, CampaignRecipient, Notice
from organisations.access import Actor
from organisations.models import CareUnit
from referral.models import CaseState
from tests.factories import (
    CareUnitFactory,
    MadeCase,
    RegionFactory,
    make_case,
    navigator_actor,
    stockholm,
    user_of,
)

NOW = stockholm(2026, 3, 10, 9)
WAITED = {"waited": 60}


def clinic() -> CareUnit:
    return CareUnitFactory.create(region=RegionFactory(navigator_phone="010-1"), sends=True)


def waits(
    unit: CareUnit, days: int = 100, state: CaseState = CaseState.IN_PROGRESS, **form: Any
) -> MadeCase:
    """A patient who has waited so many days since the decision at :data:`NOW`."""
    decided = NOW.date() - timedelta(days=days)
    dates = {"referral_date": decided, "decision_date": decided}
    return make_case(state, now=NOW, unit=unit, **(dates | form))


def prepared(by: Actor, criteria: dict[str, Any] | None = None, **content: Any) -> Campaign:
    return services.prepare(
        name="Vi frågar",
        criteria=WAITED if criteria is None else criteria,
        actor=by,
        now=NOW,
        **content,
    )


def approved(by: Actor, criteria: dict[str, Any] | None = None, **content: Any) -> Campaign:
    """Prepared by one, approved by a colleague."""
    campaign = prepared(by, criteria, **content)
    other = navigator_actor(campaign.region)
    return services.approve(campaign, seen_version=campaign.version, actor=other, now=NOW)


def started(
    by: Actor, criteria: dict[str, Any] | None = None, *, now: datetime = NOW, **content: Any
) -> Campaign:
    return services.start(approved(by, criteria, **content), actor=by, now=now)


def campaign_with(
    made: MadeCase, state: str = Campaign.State.RUNNING, name: str = "Vi frågar"
) -> Campaign:
    """A campaign that has told the case's patient, written by hand, whatever the case's state."""
    now, region = timezone.now(), made.unit.region
    preparer, approver = user_of(navigator_actor(region)), user_of(navigator_actor(region))
    campaign = Campaign.objects.create(
        region=region,
        name=name,
        state=state,
        prepared_at=now,
        prepared_by=preparer,
        changed_by=preparer,
        approved_at=now,
        approved_by=approver,
        patients=1,
        by_letter=0,
        letter_sek=12,
        digital_sek=2,
        started_at=now,
        due_at=now if state == Campaign.State.RUNNING else None,
    )
    CampaignLog.objects.create(
        campaign=campaign, at=now, verb="start", actor_name="Namn", role="navigator"
    )
    row = CampaignRecipient.objects.create(
        campaign=campaign, patient=made.patient, case=made.case, state="told", told_at=now
    )
    Notice.objects.create(
        case=made.case,
        recipient=row,
        kind=Notice.Kind.CAMPAIGN,
        channel=Notice.Channel.INBOX,
        state=Notice.State.SENT,
        sender=made.unit,
        subject="Du som väntar",
        body="Behöver du vården?",
        idempotency_key=f"campaign/{campaign.pk}/{made.case.number}",
        created_at=now,
        due_at=now,
        sent_at=now,
    )
    return campaign
