"""What the tests of campaigns share: a region with waiting patients, two navigators, a campaign."""

from datetime import datetime, timedelta
from typing import Any

from notices.campaigns import services
from notices.models import Campaign
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
