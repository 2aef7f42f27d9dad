"""The best allocation of a waiting list: what holds always, and that nothing is better."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from subprocess import run
from sys import executable

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.allocation import Limit, Placed, Problem, Waiting, Way, allocate, figures_of
from capacity.allocation.problem import broken, counted

DAY = date(2026, 3, 2)
PRICES = st.sampled_from([Decimal("10000"), Decimal("12500.50"), Decimal("30000"), Decimal("7")])


@st.composite
def problems(draw: st.DrawFn, most_waiting: int = 5, most_lines: int = 4) -> Problem:
    """A small waiting list; the ways of a patient differ in wait and distance."""
    lines = range(draw(st.integers(1, most_lines)))
    waits = {line: draw(st.integers(0, 60)) for line in lines}
    waiting = []
    for number in range(draw(st.integers(0, most_waiting))):
        possible = draw(st.sets(st.sampled_from(lines)))
        ways = [Way(line, waits[line], draw(st.integers(0, 900))) for line in sorted(possible)]
        waiting.append(
            Waiting(
                number=f"{number:03}",
                decided_on=DAY - timedelta(days=draw(st.integers(0, 5))),
                home_days=draw(st.integers(0, 90)),
                guarantee_days=draw(st.none() | st.integers(-20, 60)),
                ways=tuple(ways),
            )
        )
    limits = [
        Limit(
            name=str(number),
            lines=frozenset(draw(st.sets(st.sampled_from(lines), min_size=1))),
            places=draw(st.none() | st.integers(0, 3)),
            sek=draw(st.none() | st.decimals(0, 70_000, places=2)),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    prices = {line: draw(PRICES) for line in lines}
    return Problem(waiting=tuple(waiting), prices=prices, limits=tuple(limits))


def worth(problem: Problem, placed: Placed) -> tuple[int, Decimal]:
    """What is minimised, in the order it is minimised."""
    figures = figures_of(problem, placed)
    return figures.wait_days, figures.cost_sek


def best_by_trying_all(problem: Problem) -> tuple[int, Decimal]:
    choices = [(None, *one.shorter()) for one in problem.waiting]
    tried = (
        {one.number: way for one, way in zip(problem.waiting, ways, strict=True) if way}
        for ways in product(*choices)
    )
    return min(
        worth(problem, placed) for placed in tried if not broken(problem, counted(placed.values()))
    )


@given(problems())
@settings(max_examples=150, deadline=None)
def test_nothing_is_better_than_what_is_found(problem: Problem):
    found = allocate(problem)
    assert worth(problem, found.placed) == best_by_trying_all(problem)
    assert (found.is_best, found.is_cheapest) == (True, True)
    assert found.bound_days == figures_of(problem, found.placed).wait_days


@given(problems(most_waiting=40, most_lines=6))
@settings(max_examples=60, deadline=None)
def test_no_limit_is_passed_nobody_is_sent_where_he_cannot_go_and_first_come_is_never_better(
    problem: Problem,
):
    found = allocate(problem)
    for placed in (found.placed, found.first_come):
        assert not broken(problem, counted(placed.values()))
        for one in problem.waiting:
            way = placed.get(one.number)
            assert way is None or (way in one.ways and way.wait_days < one.home_days)
    best, first = (figures_of(problem, p) for p in (found.placed, found.first_come))
    assert (best.wait_days, best.cost_sek, best.distance_km) <= (
        *(first.wait_days, first.cost_sek, first.distance_km),
    )


@given(problems(most_waiting=20), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_same_list_in_another_order_is_allocated_alike(problem: Problem, chance):
    turned = Problem(
        waiting=tuple(chance.sample(problem.waiting, len(problem.waiting))),
        prices=dict(reversed(list(problem.prices.items()))),
        limits=tuple(reversed(problem.limits)),
    )
    assert allocate(turned).placed == allocate(problem).placed


@given(problems(most_waiting=20))
@settings(max_examples=30, deadline=None)
def test_without_time_first_come_stands_with_an_honest_bound(problem: Problem):
    found = allocate(problem, seconds=0)
    figures = figures_of(problem, found.placed)
    assert not broken(problem, counted(found.placed.values()))
    assert figures.wait_days <= figures_of(problem, found.first_come).wait_days
    assert found.bound_days <= best_by_bound(problem) <= figures.wait_days


def best_by_bound(problem: Problem) -> int:
    return figures_of(problem, allocate(problem).placed).wait_days


def one(number: str, *ways: Way, home: int = 50, decided: int = 0) -> Waiting:
    return Waiting(
        number=number, decided_on=DAY + timedelta(days=decided), home_days=home, ways=ways
    )


def limited(*waiting: Waiting, places: dict[int, int]) -> Problem:
    return Problem(
        waiting=waiting,
        prices=dict.fromkeys(places, Decimal(1)),
        limits=tuple(
            Limit(name=str(line), lines=frozenset({line}), places=n) for line, n in places.items()
        ),
    )


def test_who_has_one_way_out_gets_it_though_another_with_two_came_first():
    first = one("a", Way(1, 10, 5), Way(2, 12, 5))
    second = one("b", Way(1, 10, 5), decided=1)
    found = allocate(limited(first, second, places={1: 1, 2: 1}))
    assert {number: way.line for number, way in found.placed.items()} == {"a": 2, "b": 1}
    assert found.first_come.keys() == {"a"} or found.first_come["a"].line == 1


def test_among_equals_the_place_goes_to_the_first_in_the_queue():
    late, early = one("a", Way(1, 10, 5), decided=1), one("b", Way(1, 10, 5))
    assert allocate(limited(late, early, places={1: 1})).placed.keys() == {"b"}


def test_among_the_same_places_the_ways_are_the_shortest():
    south = one("a", Way(1, 10, 5), Way(2, 10, 900))
    north = one("b", Way(1, 10, 900), Way(2, 10, 5))
    found = allocate(limited(north, south, places={1: 1, 2: 1}))
    assert {number: way.line for number, way in found.placed.items()} == {"a": 1, "b": 2}


def test_figures_count_the_wait_at_home_of_those_without_a_place():
    placed_one = Waiting(
        number="a", decided_on=DAY, home_days=50, ways=(Way(1, 10, 7),), guarantee_days=20
    )
    at_home = Waiting(number="b", decided_on=DAY, home_days=30, ways=(), guarantee_days=20)
    problem = limited(placed_one, at_home, places={1: 1})
    figures = figures_of(problem, allocate(problem).placed)
    assert (figures.placed, figures.wait_days, figures.median_days) == (1, 40, 20.0)
    assert (figures.past_guarantee, figures.distance_km) == (1, 7)
    assert figures_of(problem, {}).past_guarantee == 2


def test_a_list_of_hundreds_is_allocated_to_its_best_under_caps_in_kronor():
    """The benchmark in small: contracts of four lines, with caps on both and in SEK on every other.

    What floor of the kronor no line can use is what makes it hard.
    """
    chance = Random(3)
    waits = {line: chance.randint(5, 120) for line in range(24)}
    prices = {line: Decimal(chance.randint(200, 900) * 100) for line in waits}
    waiting = [
        Waiting(
            number=f"{number:04}",
            decided_on=DAY - timedelta(days=chance.randint(0, 200)),
            home_days=chance.randint(10, 300),
            ways=tuple(
                Way(line, waits[line], chance.randint(5, 900))
                for line in sorted(chance.sample(sorted(waits), chance.randint(0, 6)))
            ),
        )
        for number in range(400)
    ]
    limits = [
        Limit(name=str(line), lines=frozenset({line}), places=chance.randint(1, 15))
        for line in waits
    ]
    for first in range(0, 24, 4):
        over = frozenset(range(first, first + 4))
        sek = Decimal(chance.randint(500_000, 1_500_000)) if first % 8 else None
        limits.append(Limit(name=f"c{first}", lines=over, places=30, sek=sek))
    problem = Problem(waiting=tuple(waiting), prices=prices, limits=tuple(limits))
    found = allocate(problem)
    assert not broken(problem, counted(found.placed.values()))
    best, first_come = (figures_of(problem, p) for p in (found.placed, found.first_come))
    assert best.wait_days < first_come.wait_days
    assert not found.is_best or found.bound_days == best.wait_days


def test_the_solver_says_nothing_on_the_operators_terminal() -> None:
    """HiGHS tells its name once in a process, to the process' own output."""
    solve = """
import highspy
from capacity.allocation.transport import solver_of

solver_of(highspy.HighsLp()).run()
"""
    said = run([executable, "-c", solve], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("", "")
