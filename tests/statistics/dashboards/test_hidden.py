"""What those who see figures only get of funnel, flows and gaps gives no small number back."""

from collections import Counter
from typing import Any

import highspy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.models import Contract
from organisations.suppression import SMALL
from referral.models import CloseReason
from statistics.dashboards.flows import FlowRow, flows_of, year_tells
from statistics.dashboards.forms import Choice, Period, Span
from statistics.dashboards.funnel import ORDER, Funnel, _counted, funnel_of, hidden
from statistics.dashboards.gaps import gaps_of
from statistics.open_data.selectors import Published
from tests.factories import RegionFactory, clinic_actor, manager_actor, navigator_actor
from tests.statistics.dashboards.parts import MONTH, NOW, TODAY, busy_region
from tests.statistics.facts.sweep import put_in_facts

REASONS = [reason for reason in CloseReason.values if reason != CloseReason.TREATED][:3]
small_or_more = st.one_of(st.just(0), st.integers(1, 5), st.integers(0, 30))
stage = st.tuples(small_or_more, st.lists(small_or_more, min_size=3, max_size=3))


def funnel_from(stages: list[tuple[int, list[int]]], treated: int) -> Funnel:
    """Still there, and left by three reasons, at each stage; then the treated."""
    rows: list[dict[str, Any]] = [{"furthest": "treated", "state": "treated", "n": treated}]
    for key, (still, left) in zip(ORDER, stages, strict=False):
        rows.append({"furthest": key, "state": "received", "n": still})
        rows += [
            {"furthest": key, "state": "closed", "close_reason": reason, "n": many}
            for reason, many in zip(REASONS, left, strict=True)
        ]
    return _counted(Period.of_year(2026), rows)


@settings(max_examples=150, deadline=None)
@given(st.lists(stage, min_size=6, max_size=6), small_or_more, st.booleans())
def test_the_funnel_pins_no_hidden_number_down(
    stages: list[tuple[int, list[int]]], treated: int, total_known: bool
) -> None:
    """By an outside solver: what the shown sums allow each hidden end and reason to be."""
    whole = funnel_from(stages, treated)
    shown = hidden(whole, total_known=total_known)
    for one in shown.stages:
        assert not {one.reached, one.still, one.left} & set(SMALL)
    assert not {shown.left, *(one.count for one in shown.reasons)} & set(SMALL)
    if shown.withheld:
        return
    total = whole.stages[0].reached if total_known else None
    ends = [n for one in shown.stages for n in (one.left, one.still)]
    # Variables: the ends, then the reasons.
    values = [*ends, *(one.count for one in shown.reasons)]
    if shown.reasons_withheld:
        values = ends
    sums: list[tuple[list[int], int]] = [
        (list(range(2 * at, len(ends))), one.reached)
        for at, one in enumerate(shown.stages)
        if one.reached is not None
    ]
    if total is not None:
        sums.append((list(range(len(ends))), total))
    lefts = list(range(0, len(ends), 2))
    if shown.left is not None:
        sums.append((lefts, shown.left))
    for place, value in enumerate(values):
        if value is None:
            low, high = bounds(values, sums, (lefts, list(range(len(ends), len(values)))), place)
            assert high > low


def bounds(
    values: list[int | None],
    sums: list[tuple[list[int], int]],
    alike: tuple[list[int], list[int]],
    place: int,
) -> tuple[float, float]:
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    for value in values:
        model.addVar(1 if value is None else value, highspy.kHighsInf if value is None else value)
    for places, number in sums:
        model.addRow(number, number, len(places), places, [1.0] * len(places))
    if alike[1]:
        both = [*alike[0], *alike[1]]
        signs = [1.0] * len(alike[0]) + [-1.0] * len(alike[1])
        model.addRow(0, 0, len(both), both, signs)
    found = []
    for direction in (1.0, -1.0):
        model.changeColCost(place, direction)
        model.run()
        optimal = model.getModelStatus() == highspy.HighsModelStatus.kOptimal
        reached = abs(model.getInfo().objective_function_value) if optimal else float("inf")
        found.append(round(reached, 6))
    return found[0], found[1]


@given(st.lists(stage, min_size=6, max_size=6), small_or_more)
def test_the_funnel_narrows_and_adds_up(stages: list[tuple[int, list[int]]], treated: int) -> None:
    funnel = funnel_from(stages, treated)
    for one, following in zip(funnel.stages, funnel.stages[1:], strict=False):
        assert one.reached is not None
        assert one.left is not None
        assert one.still is not None
        assert one.reached == one.left + one.still + (following.reached or 0)
    assert sum(one.count or 0 for one in funnel.reasons) == funnel.left


@given(st.lists(stage, min_size=6, max_size=6), small_or_more)
def test_a_funnel_without_small_numbers_is_shown_whole(
    stages: list[tuple[int, list[int]]], treated: int
) -> None:
    larger = [
        (still + 4 if still else 0, [n + 4 if n else 0 for n in left]) for still, left in stages
    ]
    funnel = funnel_from(larger, treated + 5)
    assume(funnel.left)
    assert hidden(funnel, total_known=True) == funnel


@pytest.fixture
def region(db: None) -> Any:
    return RegionFactory()


def test_other_regions_see_no_small_number_of_ours_and_we_see_our_own(region: Any) -> None:
    """Nine treated here in 2026, the closed ones too; one region's provider took them all."""
    busy_region(region)
    other = RegionFactory(code="20", name="Region Dalarna", short_name="Dalarna")

    def row_of(actor: Any) -> FlowRow:
        rows = flows_of(actor, Choice(MONTH)).rows
        return next(row for row in rows if row.region == region)

    own = row_of(navigator_actor(region))
    assert own.exact
    assert own.total == sum(count or 0 for count in own.counts) == 9
    for actor in (navigator_actor(other), manager_actor(other), manager_actor(region)):
        row = row_of(actor)
        assert not row.exact
        assert not {*row.counts, row.total} & set(SMALL)


def test_a_year_tells_no_quarter_that_the_open_data_hide() -> None:
    """Thirty across the border in a year, and three quarters with 27 that anybody can read."""
    nation = {("13", "13"): 40, ("13", "14"): 20, ("13", "01"): 10, ("14", "13"): 9}
    assert year_tells(nation, "13", {("13", "across"): Published(shown=27, hidden=1)})
    assert not year_tells(nation, "13", {("13", "across"): Published(shown=12, hidden=1)})
    assert not year_tells(nation, "13", {("13", "across"): Published(shown=30)})
    assert not year_tells(nation, "13", {("14", "across"): Published(shown=8, hidden=1)})


def test_a_year_with_a_hidden_month_has_no_total(region: Any) -> None:
    """Eight treated in March and one in January, whose month is hidden: nine would tell."""
    busy_region(region)
    row = next(r for r in flows_of(manager_actor(region), Choice(MONTH)).rows if r.own)
    assert row.total is None
    assert None in row.counts


def test_those_who_see_figures_only_get_calendar_years_whatever_period_is_asked_for(
    region: Any,
) -> None:
    """Twelve months to February and to March would differ by March less March of last year."""
    busy_region(region)
    manager = manager_actor(region)
    plain, asked = Choice(MONTH), Choice(MONTH, span=Span.TWELVE)
    assert funnel_of(manager, asked) == funnel_of(manager, plain)
    assert flows_of(manager, asked) == flows_of(manager, plain)


def test_nobody_gets_other_regions_flows_of_periods_that_overlap(region: Any) -> None:
    busy_region(region)
    other = RegionFactory(code="20", name="Region Dalarna", short_name="Dalarna")
    asked = Choice(MONTH, span=Span.TWELVE)
    own = flows_of(navigator_actor(region), asked)
    assert [(row.region, row.total) for row in own.rows] == [(region, 9)]
    assert own.only_own
    assert flows_of(navigator_actor(other), asked).rows == ()


@pytest.mark.parametrize("counted", ["cases", "facts"])
def test_the_gaps_are_those_that_no_line_takes(region: Any, counted: str) -> None:
    """Only the ASA 4 patient lacks a line; with the line stopped all who wait do."""
    made = busy_region(region)
    if counted == "facts":
        put_in_facts(now=NOW)
    navigator = navigator_actor(region)
    gaps = gaps_of(navigator, Choice(MONTH), today=TODAY)
    assert [(row.clinic, row.total) for row in gaps.rows] == [(made[-1].unit, 1)]
    assert gaps.columns[0].has_line
    Contract.objects.filter(pk=made[0].line.contract_id).update(is_stopped=True)
    gaps = gaps_of(navigator, Choice(MONTH), today=TODAY)
    waiting = Counter(
        one.unit.pk for one in made if one.refresh().state in {"received", "in_progress", "offered"}
    )
    assert {row.clinic.pk: row.total for row in gaps.rows} == dict(waiting)
    assert not gaps.columns[0].has_line
    own = gaps_of(clinic_actor(made[0].unit), Choice(MONTH), today=TODAY)
    assert own.total == waiting[made[0].unit.pk]
    figures_only = gaps_of(manager_actor(region), Choice(MONTH), today=TODAY)
    assert {cell.count for row in figures_only.rows for cell in row.cells} <= {None, 0}
