"""The pages show the same from counted months and facts as straight from the cases."""

import copy
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from organisations.access import Actor, as_product
from organisations.events import deliver_events
from organisations.models import CareUnit, EventDelivery
from referral import services
from referral.models import Case, CaseState
from statistics import kept as kept_now
from statistics.dashboards.flows import Flows, flows_of
from statistics.dashboards.forms import Choice
from statistics.dashboards.funnel import Funnel, funnel_of
from statistics.dashboards.gaps import Gaps, gaps_of
from statistics.facts.rollup import count_due
from statistics.facts.upkeep import CONSUMER, refresh_stale
from statistics.guarantee.selectors import Guarantee, guarantee_for
from statistics.kept import counted_months
from statistics.models import CaseFact, MonthState
from statistics.months import Month
from statistics.selectors import Statistics, statistics_for
from tests.factories import clinic_actor, manager_actor, stockholm
from tests.shared_world import shared
from tests.statistics.facts.walk import World

pytestmark = pytest.mark.django_db

LATER = stockholm(2027, 6, 1)
MONTHS = [Month(2026, 2), Month(2026, 3), Month(2026, 4), Month(2027, 1)]


@pytest.fixture(scope="class")
def walked(django_db_setup: None, django_db_blocker: object) -> Iterator[World]:
    with shared(django_db_blocker):
        world = World.make(77, stockholm(2026, 2, 10))
        cases = [world.new_case() for _ in range(20)]
        for _step in range(12):
            for case in cases:
                world.step(case)
        yield world


@pytest.fixture
def world(walked: World) -> World:
    """With its own chance and clocks: what one test does in it no other sees."""
    return copy.deepcopy(walked)


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


class TestAfterManySteps:
    def test_the_page_shows_the_same_from_counted_months_as_from_the_cases(
        self, world: World
    ) -> None:
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

    def test_what_has_just_happened_is_on_the_page_before_any_sweep(self, world: World) -> None:
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
            # The months in which nothing of it happened are as they were counted.
            assert counted_months("13", [Month(2026, 3), month]) == [Month(2026, 3)]
        assert statistics_for(world.navigator, month=month).total.received == (before or 0) + 1

    def test_whatever_happens_to_some_cases_the_page_is_as_the_cases_say(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Each with the thirteen months up to it.
        months = [Month(2026, 12), Month(2027, 6)]
        sweep()
        with as_product("test"):
            cases = list(Case.objects.all())

        def pages() -> list[Statistics]:
            return [statistics_for(world.navigator, month=month) for month in months]

        def from_cases() -> list[Statistics]:
            with monkeypatch.context() as patch:
                patch.setattr(kept_now, "MOST_CHANGED", -1)
                return pages()

        some_kept = 0
        for turn, case in enumerate(cases):
            world.step(case)
            if turn % 3 == 0:
                with as_product("test"):
                    deliver_events(now=LATER)
            if turn % 4 == 0:
                for kept, expected in zip(pages(), from_cases(), strict=True):
                    same(kept, expected)
                with as_product("test"):
                    some_kept += bool(counted_months("13", MONTHS))
        assert some_kept


def of_the_year(
    actors: list[Actor], clinic: CareUnit
) -> list[tuple[Funnel, Flows, Gaps, Guarantee]]:
    today = date(2026, 6, 20)
    return [
        (
            funnel_of(actor, choice),
            flows_of(actor, choice),
            gaps_of(actor, choice, today=today),
            guarantee_for(actor, month=choice.month, today=today, clinic=choice.clinic),
        )
        for actor in actors
        for choice in (
            Choice(Month(2026, 6)),
            Choice(Month(2026, 3), clinic, procedure="NGB"),
        )
    ]


def test_the_dashboard_and_the_guarantee_are_the_same_from_facts_as_from_the_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World.make(79, stockholm(2026, 2, 10))
    world.everything_once()
    world.follow("take", "offer", "accept", "confirm", "book", "reject")
    # More than any line takes.
    lacking = world.new_case(kva="NGB49", asa=4)
    clinic = world.clinics[0]
    actors = [world.navigator, manager_actor(clinic.region), clinic_actor(world.clinics[1])]

    def from_cases() -> list[tuple[Funnel, Flows, Gaps, Guarantee]]:
        with monkeypatch.context() as patch:
            patch.setattr(kept_now, "MOST_CHANGED", -1)
            return of_the_year(actors, clinic)

    def changed() -> int:
        with as_product("test"):
            found = kept_now.changed_cases("13")
        assert found is not None
        return len(found)

    expected = from_cases()
    assert any(row.clinic == lacking.sending_unit for row in expected[0][2].rows)
    with as_product("test"):
        cases = list(Case.objects.all())
    # No fact is made yet: all are counted from the cases, one by one.
    assert changed() == len(cases)
    assert of_the_year(actors, clinic) == expected
    sweep()
    assert changed() == 0
    assert of_the_year(actors, clinic) == expected
    for case in cases:
        world.step(case)
    world.new_case()
    assert 0 < changed() < len(cases)
    assert from_cases() != expected
    assert of_the_year(actors, clinic) == from_cases()
    with as_product("test"):
        # Delivered, but not in the facts.
        deliver_events(now=LATER)
    assert of_the_year(actors, clinic) == from_cases()


def test_a_time_that_was_booked_before_the_provider_said_no_is_still_the_furthest() -> None:
    world = World.make(78, stockholm(2026, 2, 10))
    world.follow("take", "offer", "accept", "confirm", "book", "reject")
    sweep()
    with as_product("test"):
        fact = CaseFact.objects.get()
    assert (fact.furthest, fact.booked_for, fact.state) == (
        "booked",
        None,
        CaseState.IN_PROGRESS,
    )
