"""Subscribers get one mail for each month and version: a link, and neither figures nor patients."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notices.caps import send_staff_mail
from notices.models import StaffMail
from organisations.access import Actor, actor_for
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Assignment, Region, Role, User
from statistics.frozen import services
from statistics.frozen.models import Subscription
from statistics.frozen.subscribing import own_subscription, subscribe, unsubscribe
from tests.factories import (
    LONG_AGO,
    CareUnitFactory,
    RegionFactory,
    clinic_actor,
    manager_actor,
    navigator_actor,
    operator_actor,
    provider_actor,
    region_admin_actor,
    stockholm,
    user_of,
)
from tests.statistics.frozen.parts import FREEZES, MARCH, Counted, number, region_since

pytestmark = pytest.mark.django_db
BEFORE = stockholm(2026, 3, 10, 12)


def with_address(actor: Actor, address: str) -> Actor:
    User.objects.filter(pk=actor.user_id).update(email=address)
    return actor


def subscriber(actor: Actor, address: str) -> Actor:
    subscribe(actor=with_address(actor, address), now=BEFORE)
    return actor


@pytest.fixture
def region(db: None) -> Region:
    return region_since(BEFORE)


def freeze(*, now: Any = FREEZES, figures: int = 7654) -> list[str]:
    services.run_months(now=now, count=Counted(number(figures)))
    return sorted(StaffMail.objects.values_list("to", flat=True))


def test_each_kind_of_subscriber_gets_one_mail_in_the_queue(region: Region) -> None:
    unit = CareUnitFactory(region=region, sends=True)
    subscriber(manager_actor(region), "chef@r.example")
    subscriber(region_admin_actor(region), "admin@r.example")
    subscriber(navigator_actor(region), "lots@r.example")
    subscriber(clinic_actor(unit), "klinik@r.example")
    with_address(manager_actor(region), "vill-inte@r.example")
    assert freeze() == [f"{who}@r.example" for who in ("admin", "chef", "klinik", "lots")]


def test_the_mail_holds_a_link_and_no_figures(region: Region, mailoutbox: Any) -> None:
    subscriber(manager_actor(region), "chef@r.example")
    freeze()
    send_staff_mail(now=FREEZES)
    (mail,) = mailoutbox
    assert mail.subject == "Månadsstatistik mars 2026: Region Halland"
    assert "/statistics/months/2026-03/" in mail.body
    assert "/statistics/subscription/" in mail.body
    assert "7654" not in mail.body + mail.subject
    text = re.sub(r"https?://\S+|2026", "", mail.body)
    assert not re.search(r"\d", text)


def test_however_often_the_sweep_runs_there_is_one_mail_for_each_month(region: Region) -> None:
    subscriber(manager_actor(region), "chef@r.example")
    for hours in (0, 1, 24, 48):
        freeze(now=FREEZES + timedelta(hours=hours), figures=7 + hours)
    assert StaffMail.objects.count() == 1


def test_a_new_version_is_told_once_more(region: Region) -> None:
    manager = subscriber(manager_actor(region), "chef@r.example")
    freeze()
    services.publish_version(
        MARCH, reason="Sena svar.", actor=manager, now=FREEZES, count=Counted(number(8))
    )
    first, second = StaffMail.objects.order_by("pk")
    assert (first.to, second.to) == ("chef@r.example", "chef@r.example")
    assert "version 2" in second.subject
    assert "Sena svar" not in second.body


def test_a_month_made_up_for_is_told_too(region: Region) -> None:
    subscriber(manager_actor(region), "chef@r.example")
    freeze(now=stockholm(2026, 6, 20, 9))
    assert StaffMail.objects.count() == 3


def test_nobody_gets_a_mail_whose_account_is_closed(region: Region) -> None:
    actor = subscriber(manager_actor(region), "chef@r.example")
    User.objects.filter(pk=actor.user_id).update(is_active=False)
    assert freeze() == []


def test_nor_whose_assignment_has_ended(region: Region) -> None:
    actor = subscriber(manager_actor(region), "chef@r.example")
    Assignment.objects.filter(user=actor.user_id).update(ends_at=FREEZES)
    assert freeze() == []


def test_nor_who_has_another_role_or_another_clinic_now(region: Region) -> None:
    unit, other = (CareUnitFactory(region=region, sends=True) for _n in range(2))
    manager = subscriber(manager_actor(region), "chef@r.example")
    clinic = subscriber(clinic_actor(unit), "klinik@r.example")
    Assignment.objects.filter(user=manager.user_id).update(role=Role.CLINIC, care_unit=unit)
    Assignment.objects.filter(user=clinic.user_id).update(care_unit=other)
    assert freeze() == []


def test_nor_a_manager_of_another_region_now(region: Region) -> None:
    actor = subscriber(manager_actor(region), "chef@r.example")
    Assignment.objects.filter(user=actor.user_id).update(region=RegionFactory(code="14"))
    assert freeze() == []


def test_who_leaves_gets_none_and_may_come_back(region: Region) -> None:
    actor = subscriber(manager_actor(region), "chef@r.example")
    assert unsubscribe(actor=actor, now=FREEZES) == 1
    assert unsubscribe(actor=actor, now=FREEZES) == 0
    assert freeze() == []
    subscribe(actor=actor, now=FREEZES)
    assert freeze(now=stockholm(2026, 5, 6, 6)) == ["chef@r.example"]
    assert Subscription.objects.count() == 2


def test_subscribing_twice_is_one_subscription(region: Region) -> None:
    actor = subscriber(manager_actor(region), "chef@r.example")
    subscribe(actor=actor, now=FREEZES)
    assert Subscription.objects.count() == 1
    assert freeze() == ["chef@r.example"]


def test_an_address_shared_by_two_gets_one_mail(region: Region) -> None:
    for _n in range(2):
        subscriber(manager_actor(region), "funktion@r.example")
    assert freeze() == ["funktion@r.example"]


def test_an_account_without_an_address_cannot_subscribe(region: Region) -> None:
    with pytest.raises(InvalidInput):
        subscribe(actor=with_address(manager_actor(region), ""), now=BEFORE)


def test_roles_without_statistics_cannot_subscribe(region: Region) -> None:
    unit = CareUnitFactory(region=region)
    for actor in (operator_actor(), provider_actor(unit)):
        with pytest.raises(NotAllowed):
            subscribe(actor=with_address(actor, "a@r.example"), now=BEFORE)


def test_each_assignment_has_its_own_subscription(region: Region) -> None:
    """Whoever is both a manager and at a clinic chooses for each."""
    unit = CareUnitFactory(region=region, sends=True)
    manager = subscriber(manager_actor(region), "chef@r.example")
    second = Assignment.objects.create(
        user=user_of(manager), role=Role.CLINIC, region=region, care_unit=unit, starts_at=LONG_AGO
    )
    clinic = actor_for(user_of(manager), now=timezone.now(), chosen=second.pk)
    assert own_subscription(clinic) is None
    subscribe(actor=clinic, now=BEFORE)
    unsubscribe(actor=manager, now=BEFORE)
    assert own_subscription(clinic) is not None
    assert freeze() == ["chef@r.example"]
