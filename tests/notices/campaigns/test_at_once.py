"""One notice a patient: sweeps at once, in threads with connections of their own, and crashes."""

from functools import partial

import pytest
from django.db import IntegrityError

from notices.campaigns import services, sweep
from notices.campaigns.sweep import run_campaigns
from notices.models import Campaign, CampaignRecipient, Notice
from organisations.errors import WrongState
from tests.concurrency import together
from tests.factories import navigator_actor
from tests.notices.campaigns.parts import NOW, approved, clinic, prepared, started, waits

pytestmark = pytest.mark.django_db(transaction=True)
PATIENTS = 12


@pytest.fixture
def unit():
    unit = clinic()
    for _n in range(PATIENTS):
        waits(unit)
    return unit


def assert_one_notice_each(campaign: Campaign) -> None:
    rows = CampaignRecipient.objects.filter(campaign=campaign)
    notices = Notice.objects.filter(recipient__campaign=campaign)
    assert rows.count() == rows.values("patient").distinct().count() == PATIENTS
    assert notices.count() == notices.values("case__patient").distinct().count() == PATIENTS


def sweep_out() -> None:
    while run_campaigns(now=NOW, limit=2):
        pass


def test_sweeps_at_once_tell_each_patient_once(unit):
    campaign = started(navigator_actor(unit.region))
    assert together([sweep_out] * 4) == [None] * 4
    sweep_out()
    assert_one_notice_each(campaign)


def test_a_campaign_is_started_once_by_two_at_once(unit):
    navigator = navigator_actor(unit.region)
    campaign = approved(navigator)
    start = partial(services.start, campaign, actor=navigator, now=NOW)
    outcomes = together([start] * 3)
    assert sum(isinstance(one, WrongState) for one in outcomes) == 2
    sweep_out()
    assert_one_notice_each(campaign)


def test_pauses_and_restarts_amid_sweeps_tell_nobody_twice(unit):
    navigator = navigator_actor(unit.region)
    campaign = started(navigator)

    def unrest() -> None:
        for verb in (services.pause, services.resume, services.stop, services.resume) * 2:
            try:
                verb(campaign, actor=navigator, now=NOW)
            except WrongState:  # the sweep was done first
                return

    outcomes = together([sweep_out, unrest, sweep_out])
    assert outcomes == [None] * 3
    campaign.refresh_from_db()
    if campaign.state != Campaign.State.RUNNING:
        services.resume(campaign, actor=navigator, now=NOW)
    sweep_out()
    assert_one_notice_each(campaign)


def test_a_crash_between_rows_and_notices_leaves_the_batch_to_be_written(unit, monkeypatch):
    campaign = started(navigator_actor(unit.region))
    run_campaigns(now=NOW, limit=5)
    whole = Notice.objects.bulk_create

    def dies(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(Notice.objects), "bulk_create", dies)
    with pytest.raises(KeyboardInterrupt):
        run_campaigns(now=NOW, limit=5)
    monkeypatch.undo()
    assert Notice.objects.bulk_create.__func__ is whole.__func__
    assert CampaignRecipient.objects.filter(state="told").count() == 5
    sweep_out()
    assert_one_notice_each(campaign)


def test_a_change_and_an_approval_at_once_never_leave_the_change_approved(unit):
    navigator, other = navigator_actor(unit.region), navigator_actor(unit.region)
    campaign = prepared(navigator)
    together(
        [
            partial(
                services.change,
                campaign,
                name="Annat",
                criteria={},
                seen_version=1,
                actor=navigator,
                now=NOW,
            ),
            partial(services.approve, campaign, seen_version=1, actor=other, now=NOW),
        ]
    )
    campaign.refresh_from_db()
    assert (campaign.state, campaign.version, campaign.name) == (Campaign.State.DRAFT, 2, "Annat")


def test_a_row_written_by_hand_cannot_be_told_twice(unit):
    started(navigator_actor(unit.region))
    sweep_out()
    CampaignRecipient.objects.update(state="waiting", told_at=None)
    Campaign.objects.update(state="running", due_at=NOW, ended_at=None)
    with pytest.raises(IntegrityError):
        run_campaigns(now=NOW)
    assert Notice.objects.filter(kind="campaign").count() == PATIENTS
    assert sweep.BATCH > PATIENTS
