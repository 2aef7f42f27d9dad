"""Every figure of every dimension equals a plain recount, however the events came."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from organisations.access import as_product
from organisations.models import DomainEvent
from referral.models import Case
from statistics.facts.rollup import count_due, rebuild
from statistics.facts.upkeep import forget, on_event, refresh_stale
from statistics.models import CaseFact, MonthRow, MonthState, OfferFact, StaleCase
from statistics.monthly.dimensions import DIMENSIONS
from statistics.monthly.figures import month_figures, trend
from statistics.monthly.measures import MEASURES
from statistics.months import Month
from tests.factories import stockholm
from tests.statistics.facts.recount import recount
from tests.statistics.facts.walk import World

pytestmark = pytest.mark.django_db

REGION = "13"
# The clocks go forward on 29 March and back on 25 October 2026.
STARTS = [stockholm(2026, 2, 10), stockholm(2026, 9, 20), stockholm(2025, 11, 25)]
LATER = stockholm(2027, 6, 1)
SEEDS = range(6)


def walked(seed: int) -> World:
    """Histories with the upkeep run now and then, on events in any order and doubled."""
    world = World.make(seed, STARTS[seed % len(STARTS)])
    cases = [world.new_case() for _ in range(14)]
    told = 0
    for _round in range(12):
        for case in cases:
            world.step(case)
        if world.random.random() < 0.5:
            told = tell(world, after=told)
            sweep(LATER)
    # Some are told again long after, and the last ones late.
    tell(world, after=0)
    sweep(LATER + timedelta(days=1))
    return world


def tell(world: World, *, after: int) -> int:
    events = list(DomainEvent.objects.filter(pk__gt=after).exclude(case_number=""))
    doubled = events + world.random.sample(events, len(events) // 2)
    world.random.shuffle(doubled)
    with as_product("test"):
        for event in doubled:
            on_event(event, LATER)
    return max((event.pk for event in events), default=after)


def sweep(now: datetime) -> None:
    with as_product("test"):
        while refresh_stale(now=now) + count_due(now=now):
            pass


def months_of_walks() -> list[Month]:
    return [Month(2027, 6).back(back) for back in range(20)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_figure_equals_the_recount_and_a_rebuild_changes_nothing(seed: int) -> None:
    world = walked(seed)
    assert {"offer", "accept", "take"} <= world.done
    with as_product("test"):
        assert not StaleCase.objects.exists()
        same_as_recount()
        kept = everything()
        rebuild(REGION, now=LATER + timedelta(days=2))
        assert everything() == kept
        same_as_recount()
        # What was never counted is counted when it is asked for.
        MonthState.objects.all().delete()
        MonthRow.objects.all().delete()
        same_as_recount()


def same_as_recount() -> None:
    for month in months_of_walks():
        found: dict[Any, dict[str, tuple[Any, ...]]] = defaultdict(dict)
        for f in month_figures(REGION, month):
            numbers = (f.n, f.value, f.median, f.p80, f.low, f.high)
            if f.n or f.dimension != "region":
                found[f.dimension, f.key][f.measure] = numbers
        found.setdefault(("region", REGION), {})
        expected = recount(REGION, month.year, month.month)
        assert found.keys() == expected.keys(), month
        for place, measures in expected.items():
            assert found[place].keys() == measures.keys(), (month, place)
            for measure, numbers in measures.items():
                same(found[place][measure], numbers, (month, place, measure))


def same(found: tuple[Any, ...], expected: tuple[Any, ...], where: Any) -> None:
    assert found[0] == expected[0], where
    for one, other in zip(found[1:], expected[1:], strict=True):
        if other is None:
            assert one is None, where
        else:
            assert float(one) == pytest.approx(float(other), rel=1e-9, abs=0.006), where


def everything() -> list[Any]:
    """All facts and counted months, but for when they were counted."""
    rows: list[Any] = []
    for model in (CaseFact, OfferFact):
        rows += sorted(model.objects.values_list(), key=str)
    states = MonthState.objects.filter(month__lte=months_of_walks()[0].first_day)
    rows += sorted(states.values_list("region_id", "month"))
    kept = MonthRow.objects.values_list("region_id", "month", "dimension", "key", "figures")
    return rows + sorted(kept, key=str)


def test_the_walks_do_everything_that_is_measured() -> None:
    """Else a measure might be right only for want of anything to count."""
    done: set[str] = set()
    seen: set[str] = set()
    for seed in range(40, 44):
        world = World.make(seed, STARTS[seed % len(STARTS)])
        for _case in range(25):
            case = world.new_case()
            for _step in range(18):
                world.step(case)
        done |= world.done
    with as_product("test"):
        rebuild(REGION, now=LATER)
        for month in months_of_walks():
            figures = month_figures(REGION, month)
            seen |= {f.measure for f in figures if f.n}
            assert {f.dimension for f in figures} <= set(DIMENSIONS)
    never = set(MEASURES) - seen - {"funding_central", "funding_clinic"}
    assert not never, (never, done)


def test_a_thinned_case_leaves_its_months() -> None:
    walked(1)
    with as_product("test"):
        case = Case.objects.filter(state="closed").order_by("pk").first()
        assert case is not None
        number, received = case.number, Month.of(case.received_at.date())
        before = region_count(received, "received")
        forget(case)
        CaseFact.objects.filter(number=number).delete()
        sweep(LATER + timedelta(days=400))
        assert region_count(received, "received") == before - 1


def region_count(month: Month, measure: str) -> int:
    return next(f.n for f in month_figures(REGION, month) if f.measure == measure)


def test_a_trend_is_the_months_figures_in_order() -> None:
    walked(2)
    last = Month(2027, 6)
    found = trend(REGION, last, 20)
    assert list(found) == list(reversed(months_of_walks()))
    for month, figures in found.items():
        region = [f for f in month_figures(REGION, month) if f.dimension == "region"]
        assert figures == region
    key = next(f.key for f in month_figures(REGION, last) if f.dimension == "clinic")
    by_clinic = trend(REGION, last, 3, dimension="clinic", key=key)
    assert {f.key for figures in by_clinic.values() for f in figures} == {key}
