"""A campaign: a second person approves, one notice a patient, pause, stop and resume."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from notices.campaigns import services
from notices.campaigns.selectors import progress_of
from notices.campaigns.sweep import run_campaigns
from notices.models import Campaign, CampaignLog, CampaignRecipient, Notice
from notices.queue import claim_most_urgent
from notices.sending import send_inbox_notices
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import deliver_events
from organisations.models import Region
from patients.models import Patient
from referral import services as cases
from referral.models import CaseState
from tests.factories import (
    RegionFactory,
    advance,
    clinic_actor,
    manager_actor,
    navigator_actor,
    region_admin_actor,
)
from tests.notices.campaigns.parts import NOW, approved, clinic, prepared, started, waits

pytestmark = pytest.mark.django_db

State, Row = Campaign.State, CampaignRecipient.State


@pytest.fixture
def unit():
    return clinic()


@pytest.fixture
def navigator(unit):
    return navigator_actor(unit.region)


def told(campaign: Campaign) -> list[str]:
    return sorted(
        Notice.objects.filter(recipient__campaign=campaign).values_list("case__number", flat=True)
    )


def by_hand(change: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE notices_campaign SET {change}")


# The second person


def test_the_one_who_prepared_cannot_approve(unit, navigator):
    waits(unit)
    campaign = prepared(navigator)
    with pytest.raises(WrongState, match="förberett eller ändrat"):
        services.approve(campaign, seen_version=1, actor=navigator, now=NOW)


def test_the_one_who_last_changed_it_cannot_approve(unit, navigator):
    waits(unit)
    campaign, other = prepared(navigator), navigator_actor(unit.region)
    services.change(campaign, name="Nytt", criteria={}, seen_version=1, actor=other, now=NOW)
    with pytest.raises(WrongState):
        services.approve(campaign, seen_version=2, actor=other, now=NOW)
    with pytest.raises(WrongState):  # nor, still, the one who prepared it
        services.approve(campaign, seen_version=2, actor=navigator, now=NOW)


@pytest.mark.parametrize("column", ["prepared_by_id", "changed_by_id"])
def test_the_database_refuses_an_approver_who_had_a_hand_in_it(unit, navigator, column):
    waits(unit)
    campaign = approved(navigator)
    with pytest.raises(IntegrityError, match="campaign_approved_by_another"):
        by_hand(f"{column} = approved_by_id")
    assert campaign.state == State.APPROVED


@pytest.mark.parametrize(
    "change",
    [
        "name = 'x'",
        "criteria = '{}'",
        "message = 'x'",
        "answer_days = 3",
        "per_hour = 7",
        "easy = true",
        "version = 9",
    ],
)
@pytest.mark.parametrize("make", [approved, started])
def test_the_database_refuses_a_change_that_leaves_the_approval_standing(
    unit, navigator, make, change
):
    waits(unit)
    make(navigator)
    with pytest.raises(IntegrityError, match="takes the approval away"):
        by_hand(change)


def test_a_region_administrator_may_approve(unit, navigator):
    waits(unit)
    admin = region_admin_actor(unit.region)
    campaign = services.approve(prepared(navigator), seen_version=1, actor=admin, now=NOW)
    assert (campaign.state, campaign.patients) == (State.APPROVED, 1)


def test_nobody_else_may(unit, navigator):
    waits(unit)
    campaign = prepared(navigator)
    elsewhere = RegionFactory(code="14")
    for actor in (
        navigator_actor(elsewhere),
        region_admin_actor(elsewhere),
        manager_actor(unit.region),
        clinic_actor(unit),
    ):
        with pytest.raises(NotAllowed):
            services.approve(campaign, seen_version=1, actor=actor, now=NOW)


def test_a_change_takes_the_approval_away(unit, navigator):
    waits(unit)
    campaign = approved(navigator)
    changed = services.change(
        campaign, name="Nytt", criteria={}, seen_version=1, actor=navigator, now=NOW
    )
    assert (changed.state, changed.approved_by, changed.patients) == (State.DRAFT, None, None)
    with pytest.raises(WrongState):
        services.start(campaign, actor=navigator, now=NOW)


def test_what_has_changed_since_it_was_read_is_not_approved(unit, navigator):
    waits(unit)
    campaign, other = prepared(navigator), navigator_actor(unit.region)
    services.change(campaign, name="N", criteria={}, seen_version=1, actor=navigator, now=NOW)
    with pytest.raises(WrongState) as refused:
        services.approve(campaign, seen_version=1, actor=other, now=NOW)
    assert refused.value.code == "changed_meanwhile"


def test_nothing_that_has_started_is_changed(unit, navigator):
    waits(unit)
    campaign = started(navigator)
    with pytest.raises(WrongState):
        services.change(campaign, name="N", criteria={}, seen_version=1, actor=navigator, now=NOW)


def test_a_waiting_list_that_has_grown_is_approved_anew(unit, navigator):
    for _n in range(3):
        waits(unit)
    campaign = approved(navigator)
    for _n in range(services.MAY_GROW):
        waits(unit)
    services.start(campaign, actor=navigator, now=NOW)  # as many as may be
    again = approved(navigator)
    for _n in range(services.MAY_GROW + 1):
        waits(unit)
    with pytest.raises(WrongState) as refused:
        services.start(again, actor=navigator, now=NOW)
    assert refused.value.code == "grown"


def test_prices_are_those_of_the_approval(unit, navigator):
    waits(unit)
    campaign = approved(navigator)
    Region.objects.filter(pk=unit.region_id).update(letter_sek=99)
    campaign.refresh_from_db()
    assert campaign.letter_sek == 12


# One notice a patient


def test_each_patient_gets_one_notice_about_the_case_that_has_waited_longest(unit, navigator):
    made = waits(unit, 90)
    longer = waits(unit, 200, kva="NFB49", identity_number=made.submission.identity_number)
    campaign = started(navigator)
    while run_campaigns(now=NOW):
        pass
    assert told(campaign) == [longer.case.number]
    notice = Notice.objects.get(recipient__campaign=campaign)
    assert notice.idempotency_key == f"campaign/{campaign.pk}/{longer.case.number}"
    assert longer.case.number in notice.body


def test_the_database_refuses_a_second_notice_to_a_patient(unit, navigator):
    waits(unit)
    started(navigator)
    run_campaigns(now=NOW)
    notice = Notice.objects.get(kind=Notice.Kind.CAMPAIGN)
    notice.pk, notice.idempotency_key = None, "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        notice.save(force_insert=True)
    row = CampaignRecipient.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="campaign_one_row_per_patient"), transaction.atomic():
        row.save(force_insert=True)


def test_only_those_who_still_wait_at_home_are_told(unit, navigator):
    stays, offered, gone = waits(unit), waits(unit), waits(unit)
    moved, blocked = waits(unit), waits(unit)
    campaign = started(navigator)
    advance(offered, CaseState.OFFERED, now=NOW)
    Patient.objects.filter(pk=gone.patient.pk).update(deceased_on=NOW.date())
    cases.end(moved.case, reason="home_clinic", comment="", actor=moved.navigator, now=NOW)
    cases.block(blocked.case, reach="units", asked_by_patient=True, actor=blocked.clinic, now=NOW)
    run_campaigns(now=NOW)
    assert told(campaign) == [stays.case.number]
    skipped = CampaignRecipient.objects.filter(state=Row.SKIPPED)
    assert {row.case.number: row.why for row in skipped} == {
        offered.case.number: "Patienten har fått ett erbjudande.",
        gone.case.number: "Patienten avled 2026-03-10.",
        moved.case.number: "Patienten väntar inte längre hemma: Avslutat.",
        blocked.case.number: "Patienten har spärrat sina uppgifter.",
    }


def test_a_missing_field_stops_that_patients_notice_alone(unit, navigator):
    waits(unit)
    campaign = started(navigator)
    Region.objects.filter(pk=unit.region_id).update(navigator_phone="")
    run_campaigns(now=NOW)
    row = CampaignRecipient.objects.get()
    assert row.state == Row.STOPPED
    assert "vårdlots" in row.why
    assert not Notice.objects.filter(recipient__campaign=campaign).exists()
    run_campaigns(now=NOW)
    campaign.refresh_from_db()
    assert campaign.state == State.DONE
    Region.objects.filter(pk=unit.region_id).update(navigator_phone="010-1")
    services.resume(campaign, actor=navigator, now=NOW)
    run_campaigns(now=NOW)
    assert told(campaign) == [row.case.number]


def test_a_pace_spreads_the_notices(unit, navigator):
    for _n in range(5):
        waits(unit)
    campaign = started(navigator, per_hour=24)
    handled = [run_campaigns(now=NOW) for _n in range(3)]
    assert handled == [2, 0, 0]
    campaign.refresh_from_db()
    assert campaign.due_at == NOW + timedelta(minutes=5)
    assert run_campaigns(now=NOW + timedelta(minutes=5)) == 2
    # A night without a worker is not made up for by a flood.
    assert [run_campaigns(now=NOW + timedelta(hours=9)) for _n in range(2)] == [1, 0]


# Pause, stop, resume


def test_paused_nothing_is_written_and_what_waits_is_held(unit, navigator):
    for _n in range(3):
        waits(unit)
    campaign = started(navigator)
    run_campaigns(now=NOW, limit=2)
    services.pause(campaign, actor=navigator, now=NOW)
    assert run_campaigns(now=NOW) == 0
    assert send_inbox_notices(now=NOW) == 0
    assert progress_of(campaign).held == 2
    services.resume(campaign, actor=navigator, now=NOW)
    while run_campaigns(now=NOW):
        pass
    assert progress_of(campaign).unsent == 3
    assert len(set(told(campaign))) == 3


def test_stopped_it_cancels_what_waits_and_resumed_goes_on_with_the_same_notices(unit, navigator):
    for _n in range(3):
        waits(unit)
    campaign = started(navigator)
    run_campaigns(now=NOW, limit=2)
    before = set(Notice.objects.filter(recipient__campaign=campaign).values_list("pk", flat=True))
    services.stop(campaign, actor=navigator, now=NOW)
    assert (progress_of(campaign).cancelled, run_campaigns(now=NOW)) == (2, 0)
    services.resume(campaign, actor=navigator, now=NOW)
    run_campaigns(now=NOW)
    after = Notice.objects.filter(recipient__campaign=campaign, state=Notice.State.WAITING)
    assert after.count() == 3
    assert before < set(after.values_list("pk", flat=True))


def test_what_was_done_by_whom_is_kept(unit, navigator):
    waits(unit)
    campaign = started(navigator)
    services.pause(campaign, actor=navigator, now=NOW)
    services.stop(campaign, actor=region_admin_actor(unit.region), now=NOW)
    log = CampaignLog.objects.filter(campaign=campaign).values_list("verb", "role")
    assert list(log) == [
        ("prepare", "navigator"),
        ("approve", "navigator"),
        ("start", "navigator"),
        ("pause", "navigator"),
        ("stop", "region_admin"),
    ]


def test_a_filter_that_cannot_be_read_is_refused_at_its_field(unit, navigator):
    for criteria, field in (
        ({"waited": "många"}, "waited"),
        ({"waited": 10**30}, "waited"),
        ({"kva": "%%"}, "kva"),
        ({"clinics": ["SE0"]}, "clinics"),
        ({"phase": "x"}, "phase"),
        ({"homes": "\x00"}, "homes"),
    ):
        with pytest.raises(InvalidInput) as refused:
            prepared(navigator, criteria)
        assert field in refused.value.fields, criteria
    with pytest.raises(InvalidInput):
        prepared(navigator, {"finns_inte": 1})


def test_offers_go_before_a_campaign(unit, navigator):
    waits(unit)
    started(navigator)
    run_campaigns(now=NOW)
    later = waits(unit, 1)
    advance(later, CaseState.OFFERED, now=NOW)
    at = NOW + timedelta(hours=1)
    deliver_events(now=at)
    with transaction.atomic():
        waiting = Notice.objects.filter(state=Notice.State.WAITING)
        claimed = claim_most_urgent(waiting, Notice.CHOSEN, now=at, limit=5)
        kinds = [notice.kind for notice in claimed]
    assert kinds[:1] == ["offer"]
    assert kinds[-1] == "campaign"
    assert later.refresh().state == CaseState.OFFERED
