"""The page shows the same from counted months as straight from the cases."""

import copy
from datetime import timedelta

import pytest

from organisations.access import Actor, as_product
from organisations.events import deliver_events
from organisations.models import EventDelivery
from referral import services
from referral.models import Case
from statistics.facts.rollup import count_due
from statistics.facts.upkeep import CONSUMER, refresh_stale
from statistics.kept import counted_months
from statistics.models import MonthState
from statistics.months import Month
from statistics.selectors import Statistics, statistics_for
from tests.factories import clinic_actor, manager_actor, stockholm
from tests.statistics.facts.walk import World

pytestmark = pytest.mark.django_db

LATER = stockholm(2027, 6, 1)
MONTHS = [Month(2026, 2), Month(2026, 3), Month(2026, 4), Month(2027, 1)]


def walked() -> World:
    world = World.make(77, stockholm(2026, 2, 10))
    cases = [world.new_case() for _ in range(20)]
    for _step in range(12):
        for case in cases:
            world.step(case)
    return world


def sweep() -> None:
    with as_product("test"):
        while deliver_events(now=LATER) + refresh_stale(now=LATER) + count_due(now=LATER):
            pass


def everything(world: World, actors: list[Actor]) -> list[Statistics]:
    return [
        copy.deepcopy(statistics_for(actor, month=month, clinic=clinic))
        for actor in actors
        for month in MONTHS
        for clinic in (None, world.clinics[0])
    ]


def test_the_page_shows_the_same_from_counted_months_as_from_the_cases() -> None:
    world = walked()
    region = world.clinics[0].region
    actors = [world.navigator, manager_actor(region), clinic_actor(world.clinics[1])]
    from_cases = everything(world, actors)
    sweep()
    with as_product("test"):
        assert counted_months("13", MONTHS) == MONTHS
    for kept, expected in zip(everything(world, actors), from_cases, strict=True):
        same(kept, expected)
    with as_product("test"):
        # One month due: that one from the cases, the others as they are kept.
        MonthState.objects.filter(month="2026-03-01").update(due_at=LATER)
        assert counted_months("13", MONTHS) == [m for m in MONTHS if m != Month(2026, 3)]
    for mixed, expected in zip(everything(world, actors), from_cases, strict=True):
        same(mixed, expected)


def same(found: Statistics, expected: Statistics) -> None:
    assert found.declines == expected.declines
    pairs = [(found.total, expected.total)]
    pairs += [(f, e) for (_u, f), (_v, e) in zip(found.clinics, expected.clinics, strict=True)]
    pairs += [(f, e) for (_m, f), (_n, e) in zip(found.trend, expected.trend, strict=True)]
    for one, other in pairs:
        for name in ("handling_days", "answer_hours"):
            assert getattr(one, name) == pytest.approx(getattr(other, name))
            setattr(one, name, getattr(other, name))
        assert one == other


def test_what_has_just_happened_is_on_the_page_before_any_sweep() -> None:
    world = walked()
    sweep()
    month = Month(2027, 6)
    before = statistics_for(world.navigator, month=month).total.received
    with as_product("test"):
        case = Case.objects.exclude(state="closed").order_by("-pk").first()
    assert case is not None
    services.note(case, text="Ingenting räknas.", actor=world.navigator, now=LATER)
    with as_product("test"):
        assert counted_months("13", [month]) == [month]
    world.start = LATER - timedelta(days=3)
    world._moment = lambda _after, **_: LATER  # type: ignore[method-assign]
    world.new_case()
    with as_product("test"):
        assert counted_months("13", [month]) == []
        assert EventDelivery.objects.filter(consumer=CONSUMER, done_at__isnull=True).exists()
    assert statistics_for(world.navigator, month=month).total.received == (before or 0) + 1
