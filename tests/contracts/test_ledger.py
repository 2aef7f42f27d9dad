"""The ledger as it is read: shares, curve, forecast, and alerts that reach those concerned."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from contracts.models import CapAlert
from contracts.selectors import curve, forecast, open_alerts, shares_of
from contracts.services import release, reserve, use
from contracts.services.alerts import level
from notices.caps import send_staff_mail
from notices.models import StaffMail
from organisations.events import deliver_events
from organisations.models import DomainEvent, User
from tests.factories import (
    ContractLineFactory,
    RegionFactory,
    contract_owner_actor,
    make_case,
    navigator_actor,
    provider_actor,
    stockholm,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)  # a Tuesday
TODAY = NOW.date()
PRICE = Decimal(80_000)


def line_with(**caps):
    return ContractLineFactory(
        **{"price_sek": PRICE, "cap_volume": None, "contract__cap_volume": None} | caps
    )


def told(capped):
    """The forecast of the row as it now stands."""
    capped.refresh_from_db()
    return forecast(capped, today=TODAY)


def take(line, n, *, now=NOW, region="13"):
    return reserve(line, case_number=f"13-26-{n:06d}-0", region=RegionFactory(code=region), now=now)


# Shares


def test_the_owner_sees_every_regions_share_and_others_their_own():
    line = line_with()
    use(take(line, 1), now=NOW)
    take(line, 2)
    take(line, 3, region="14")
    take(line, 4, region="01")
    contract = line.contract
    owners = shares_of(contract, actor=contract_owner_actor(contract.owner_region))
    assert [(s.region, s.reserved, s.used) for s in owners] == [
        ("Region Halland", 1, 1),
        ("Region Stockholm", 1, 0),
        ("Västra Götalandsregionen", 1, 0),
    ]
    assert owners[0].is_owner
    theirs = shares_of(contract, actor=navigator_actor(RegionFactory(code="14")))
    assert [(s.region, s.volume, s.is_rest) for s in theirs] == [
        ("Västra Götalandsregionen", 1, False),
        ("", 3, True),
    ]
    assert len(shares_of(contract, actor=provider_actor(contract.provider))) == 3


def test_released_places_are_in_nobodys_share():
    line = line_with()
    release(take(line, 1), now=NOW)
    owner = contract_owner_actor(line.contract.owner_region)
    assert shares_of(line.contract, actor=owner) == []


# Curve


def test_the_curve_ends_with_what_is_taken_today():
    line = line_with()
    for n, weeks in enumerate((5, 5, 2, 0)):
        take(line, n, now=NOW - timedelta(weeks=weeks))
    use(take(line, 10, now=NOW - timedelta(weeks=3)), now=NOW - timedelta(weeks=1))
    release(take(line, 11, now=NOW - timedelta(weeks=4)), now=NOW - timedelta(weeks=2))
    points = curve(line.contract, today=TODAY)
    assert [point.taken for point in points] == [2, 3, 4, 4, 4, 5]
    assert [point.used for point in points] == [0, 0, 0, 0, 1, 1]
    assert points[-1].day == TODAY


def test_the_curve_goes_back_a_year_and_keeps_what_came_before():
    line = line_with()
    take(line, 1, now=NOW - timedelta(weeks=80))
    points = curve(line.contract, today=TODAY)
    assert len(points) == 52
    assert points[0].taken == points[-1].taken == 1


# Forecast


def test_the_cap_is_reached_when_the_pace_has_used_what_is_left():
    line = line_with(cap_volume=24)
    for n in range(16):  # two a week for eight weeks
        take(line, n, now=NOW - timedelta(days=n * 3.5))
    found = told(line)
    assert (found.per_week, found.left) == (2, 8)
    assert found.day == TODAY + timedelta(weeks=4)


def test_call_offs_before_the_eight_weeks_do_not_count_in_the_pace():
    line = line_with(cap_volume=10)
    take(line, 1, now=NOW - timedelta(days=56))
    assert told(line).day is None
    take(line, 2, now=NOW - timedelta(days=55))
    assert told(line).per_week == Decimal("0.1")


def test_released_places_are_no_pace():
    line = line_with(cap_volume=10)
    release(take(line, 1), now=NOW)
    found = told(line)
    assert (found.per_week, found.left, found.day) == (0, 10, None)


def test_a_young_contract_is_counted_over_the_weeks_it_has_had():
    line = line_with(cap_volume=6, contract__valid_from=TODAY - timedelta(days=14))
    for n in range(4):
        take(line, n)
    found = told(line)
    assert (found.weeks, found.per_week) == (2, 2)
    assert found.day == TODAY + timedelta(weeks=1)


def test_a_cap_that_outlives_the_contract_is_not_reached():
    line = line_with(cap_volume=1000, contract__valid_to=TODAY + timedelta(days=100))
    take(line, 1)
    found = told(line)
    assert found.day is None
    assert found.after_end


def test_the_cap_in_sek_counts_when_it_is_nearer():
    line = line_with(cap_volume=100, cap_sek=10 * PRICE)
    for n in range(8):
        take(line, n)
    assert told(line).left == 2


def test_a_full_cap_is_reached_today():
    line = line_with(cap_volume=1)
    take(line, 1)
    assert told(line).day == TODAY


def test_without_a_cap_there_is_nothing_to_reach():
    line = line_with()
    take(line, 1)
    assert told(line).left is None


# Alerts


def kinds() -> list[str]:
    return list(
        DomainEvent.objects.filter(kind__startswith="contract.")
        .order_by("pk")
        .values_list("kind", flat=True)
    )


def test_alerts_come_at_80_90_and_100_per_cent_once_each():
    line = line_with(cap_volume=10)
    for n in range(7):
        take(line, n)
    assert kinds() == []
    for n in range(7, 10):
        take(line, n)
    assert kinds() == ["contract.cap_near", "contract.cap_near", "contract.cap_reached"]
    assert set(CapAlert.objects.values_list("percent", flat=True)) == {80, 90, 100}


def test_the_limits_are_the_contracts_own():
    line = line_with(cap_volume=10, contract__alert_percents=[50])
    for n in range(10):
        take(line, n)
    assert kinds() == ["contract.cap_near"]


def test_limits_passed_in_one_step_are_told_once():
    line = line_with(cap_volume=1)
    take(line, 1)
    assert kinds() == ["contract.cap_reached"]


def test_a_cap_in_sek_is_full_when_no_place_fits():
    line = line_with(cap_sek=PRICE * 2 - 1)
    take(line, 1)
    line.refresh_from_db()
    assert level(line, line.price_sek) == 100
    assert kinds() == ["contract.cap_reached"]


def test_a_place_back_and_forth_at_the_limit_tells_nobody_again():
    line = line_with(cap_volume=100)
    calls = [take(line, n) for n in range(80)]
    release(calls.pop(), now=NOW)
    take(line, 200)
    assert kinds() == ["contract.cap_near"]


def test_an_alert_is_over_when_the_level_has_fallen_and_can_come_again():
    line = line_with(cap_volume=10)
    calls = [take(line, n) for n in range(8)]
    release(calls.pop(), now=NOW)
    assert CapAlert.objects.get().cleared_at == NOW
    take(line, 20)
    assert kinds() == ["contract.cap_near"] * 2


def test_the_owner_and_every_region_with_open_offers_is_told_in_the_product_and_by_mail():
    region = RegionFactory()
    line = line_with(
        cap_volume=2,
        contract__owner_region=RegionFactory(code="14"),
        contract__regions_allowed=[region],
        contract__alert_percents=[100],
    )
    owner = contract_owner_actor(RegionFactory(code="14"))
    elsewhere = navigator_actor(RegionFactory(code="12"))
    made = make_case("offered", region=region, line=line)
    for actor in (owner, elsewhere, made.navigator):
        User.objects.filter(pk=actor.user_id).update(email=f"{actor.user_id}@region.example")
    assert not open_alerts(owner)
    take(line, 99)
    assert open_alerts(owner).get().percent == 100
    assert open_alerts(made.navigator).get().percent == 100
    assert not open_alerts(elsewhere)
    now = timezone.now() + timedelta(minutes=1)
    deliver_events(now=now)
    deliver_events(now=now)
    send_staff_mail(now=now)
    send_staff_mail(now=now)
    told = sorted(message.to[0] for message in mail.outbox)
    assert told == sorted(f"{a.user_id}@region.example" for a in (owner, made.navigator))
    assert "Taket är nått" in mail.outbox[0].subject
    assert made.case.number not in mail.outbox[0].body
    assert not StaffMail.objects.exclude(state="sent").exists()


def test_a_mail_that_cannot_be_sent_is_tried_again(monkeypatch):
    StaffMail.objects.create(
        to="a@b.example", subject="A", body="B", idempotency_key="k", created_at=NOW, due_at=NOW
    )

    def refuse(_message):
        raise OSError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert send_staff_mail(now=NOW) == 1
    waiting = StaffMail.objects.get()
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert waiting.due_at > NOW
    send_staff_mail(now=waiting.due_at)
    assert len(mail.outbox) == 1


def test_at_100_per_cent_the_contract_takes_no_offers_and_takes_them_again_when_a_place_is_back():
    line = line_with(cap_volume=1, contract__alert_percents=[100])
    call_off = take(line, 1)
    line.refresh_from_db()
    assert not line.has_room_for(line.price_sek)
    release(call_off, now=NOW)
    line.refresh_from_db()
    assert line.has_room_for(line.price_sek)
    assert not open_alerts(contract_owner_actor(line.contract.owner_region))
