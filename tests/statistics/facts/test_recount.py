"""Every figure of every dimension equals a plain recount, however the events came."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from contracts.services.registry import change_contract
from organisations.access import as_product
from organisations.events import deliver_events
from organisations.models import DomainEvent
from referral import services
from referral.models import Case, CaseState
from referral.retention import _thin_cases
from statistics.facts.counting import count_month
from statistics.facts.rollup import count_due, rebuild
from statistics.facts.upkeep import REST, making_alone, mark_stale, on_events, refresh_stale
from statistics.models import CaseFact, MonthRow, MonthState, OfferFact, StaleCase
from statistics.monthly.dimensions import DIMENSIONS
from statistics.monthly.figures import counted_at, month_figures, trend
from statistics.monthly.measures import MEASURES
from statistics.months import Month
from tests.concurrency import together
from tests.factories import ContractLineFactory, contract_owner_actor, make_case, stockholm
from tests.statistics.facts.recount import recount
from tests.statistics.facts.walk import World

pytestmark = pytest.mark.django_db

REGION = "13"
# The clocks go forward on 29 March and back on 25 October 2026.
STARTS = [stockholm(2026, 2, 10), stockholm(2026, 9, 20), stockholm(2025, 11, 25)]
LATER = stockholm(2027, 6, 1)
SEEDS = range(4)


def walked(seed: int) -> World:
    """Histories with the upkeep run now and then, on events in any order and doubled."""
    world = World.make(seed, STARTS[seed % len(STARTS)])
    cases = [world.new_case() for _ in range(10)]
    told = 0
    for _round in range(10):
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
        for some in (doubled[::2], doubled[1::2]):
            on_events(some, LATER)
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
        kept, shown = everything(), [month_figures(REGION, month) for month in months_of_walks()]
        rebuild(REGION, now=LATER + timedelta(days=2))
        assert everything() == kept
        # What was never counted is counted when it is asked for.
        MonthState.objects.all().delete()
        MonthRow.objects.all().delete()
        assert [month_figures(REGION, month) for month in months_of_walks()] == shown


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


def test_every_measure_is_counted_and_equals_the_recount() -> None:
    """Else a measure might be right only for want of anything to count."""
    world = World.make(40, STARTS[0])
    world.everything_once()
    with as_product("test"):
        rebuild(REGION, now=LATER)
        same_as_recount()
        figures = [f for month in months_of_walks() for f in month_figures(REGION, month) if f.n]
    assert {f.dimension for f in figures} == set(DIMENSIONS)
    assert {f.measure for f in figures} == set(MEASURES)


def test_a_thinned_case_leaves_its_months() -> None:
    # The database itself refuses to thin before ten years have passed.
    line = ContractLineFactory(contract__valid_from=date(2010, 1, 1))
    make_case(CaseState.CLOSED, now=stockholm(2014, 3, 31, 23, 30), line=line)
    sweep_all(stockholm(2014, 4, 2))
    march = Month(2014, 3)
    assert (region_count(march, "received"), region_count(march, "treated")) == (1, 1)
    with as_product("test"):
        Case.objects.update(archived_at=LATER)
        assert _thin_cases(LATER, 10) == 1
        assert not CaseFact.objects.exists()
        assert not OfferFact.objects.exists()
        due = MonthState.objects.exclude(due_at=None).values_list("month", flat=True)
        assert list(due) == [march.first_day]
        assert count_month(REGION, march) == {("region", REGION): {}}


def test_another_contract_type_moves_what_was_treated_under_it() -> None:
    made = make_case(CaseState.TREATED, now=stockholm(2026, 3, 31, 23, 30))
    owner = contract_owner_actor(made.unit.region)
    sweep_all(LATER)
    march = Month(2026, 3)
    assert region_count(march, "treated_own") == 1
    change_contract(
        made.line.contract,
        {"contract_type": "free_choice"},
        why="Vårdval från början.",
        actor=owner,
        now=LATER,
    )
    sweep_all(LATER + timedelta(hours=1))
    assert region_count(march, "treated_own") == 0
    assert region_count(march, "treated_free_choice") == 1


def test_what_is_open_is_counted_in_a_month_in_which_nothing_happens() -> None:
    make_case(CaseState.IN_PROGRESS, now=stockholm(2026, 3, 29, 2, 30))
    sweep_all(stockholm(2026, 4, 2))
    sweep_all(stockholm(2026, 7, 1))
    with as_product("test"):
        months = list(MonthState.objects.filter(due_at=None).values_list("month", flat=True))
        assert [month.month for month in months] == [3, 4, 5, 6, 7]
    assert region_count(Month(2026, 6), "in_work") == 1
    ages = [f for f in month_figures(REGION, Month(2026, 6)) if f.measure == "open_age"]
    assert {f.value for f in ages} == {93.0}


def test_a_month_rests_before_it_is_counted_again() -> None:
    made = make_case(CaseState.RECEIVED, now=stockholm(2026, 3, 3))
    now = stockholm(2026, 3, 4)
    sweep_all(now)
    services.take(made.case, actor=made.navigator, now=now + timedelta(minutes=1))
    sweep_all(now + timedelta(minutes=1))
    march = Month(2026, 3)
    assert region_count(march, "take_days") == 0
    assert counted_at(REGION, march) == now
    sweep_all(now + REST)
    assert region_count(march, "take_days") == 1


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_miss_nothing() -> None:
    made = [make_case(CaseState.RECEIVED, now=stockholm(2026, 3, 3)) for _ in range(4)]
    now = stockholm(2026, 3, 4)

    def work(one: Any) -> None:
        services.take(one.case, actor=one.navigator, now=now)
        for _again in range(3):
            sweep_all(now)

    def again() -> None:
        with as_product("test"):
            rebuild(REGION, now=now)

    outcomes = together([*(partial(work, one) for one in made), again])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    sweep_all(now + REST)
    assert region_count(Month(2026, 3), "received") == 4
    assert region_count(Month(2026, 3), "take_days") == 4


@pytest.mark.django_db(transaction=True)
def test_two_that_mark_the_same_cases_in_other_orders_do_not_wait_for_each_other() -> None:
    """As two deliveries do, whose events tell of several cases each."""
    first, second = (make_case(CaseState.RECEIVED, now=stockholm(2026, 3, 3)) for _ in range(2))
    now = stockholm(2026, 3, 4)
    sweep_all(now)
    half_way = Barrier(2, timeout=30)

    def mark(one: Case, other: Case) -> None:
        with as_product("test"), transaction.atomic():
            mark_stale([one.pk], now=now)
            half_way.wait()
            mark_stale([other.pk], now=now)

    orders = [(first.case, second.case), (second.case, first.case)]
    outcomes = together(partial(mark, *order) for order in orders)
    assert outcomes == [None, None]
    with as_product("test"):
        assert refresh_stale(now=now) == 4
        assert not StaleCase.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_facts_are_made_by_one_at_a_time_and_the_others_do_not_wait() -> None:
    made = make_case(CaseState.RECEIVED, now=stockholm(2026, 3, 3))
    now = stockholm(2026, 3, 4)
    sweep_all(now)

    def beside() -> int:
        with as_product("test"):
            return refresh_stale(now=now)

    with as_product("test"):
        mark_stale([made.case.pk], now=now)
        with making_alone():
            assert together([beside]) == [0]
        assert together([beside]) == [1]


def test_the_command_makes_everything_anew(capsys: pytest.CaptureFixture[str]) -> None:
    make_case(CaseState.TREATED, now=stockholm(2026, 3, 3))
    with as_product("test"):
        StaleCase.objects.all().delete()
    call_command("rebuild_statistics", "--dry-run")
    assert not CaseFact.objects.exists()
    call_command("rebuild_statistics", region=REGION)
    assert capsys.readouterr().out.count("1 ärenden") == 2
    with as_product("test"):
        assert CaseFact.objects.count() == OfferFact.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("rebuild_statistics", region="99")


def sweep_all(now: datetime) -> None:
    """Events, facts and months, as the worker does."""
    with as_product("test"):
        while deliver_events(now=now) + refresh_stale(now=now) + count_due(now=now):
            pass


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
