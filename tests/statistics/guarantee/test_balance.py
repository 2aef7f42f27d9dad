"""The waiting of clinics at months' ends gives no hidden flow between them back.

Random months follow each other: what came in, was treated or ended at each clinic, hidden as all
pages hide it, and the waiting at each end as the care guarantee's page tells it. The attacker
(``tests.statistics.attacker``) has all of it, and knows that the waiting is what waited before and
came in, less what was treated or ended.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organisations.suppression import SMALL
from statistics.frozen.hidden import SPLITS
from statistics.frozen.hiding import Hiding, Table
from statistics.guarantee.balance import MonthEnd, clinics_told
from statistics.guarantee.flows import CLOSED_TREATED, ENDED, is_away, month_end
from tests.statistics.attacker import Attacker, Name

REGION = ("region", "13")
CLINICS = range(4)
COLUMNS = ("received", "treated", "closed", CLOSED_TREATED, *ENDED)
counts = st.sampled_from
# Of a clinic: came in, treated, ended (as long as anybody waits), and why.
flows = st.tuples(
    counts([0, 1, 2, 3, 4, 5, 6, 8, 12, 20]),
    counts([0, 0, 1, 2, 3, 4, 6, 9, 15]),
    counts([0, 0, 0, 1, 2, 3, 7]),
    counts(ENDED[:2]),
)
modest = st.tuples(
    counts([0, 1, 2, 3, 4, 6, 8]), counts([0, 1, 2, 3, 4, 6, 9]), counts([0, 0, 1, 2]), flows
).map(lambda one: (*one[:3], one[3][3]))


def in_a_row(month: Any, *, most: int) -> Any:
    return st.lists(
        st.lists(month, min_size=len(CLINICS), max_size=len(CLINICS)), min_size=2, max_size=most
    )


slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def months_of(found: Sequence[Sequence[Any]]) -> tuple[list[Table], list[Hiding], list[MonthEnd]]:
    """The months' counts, what is hidden of them and the waiting at each end."""
    waiting = dict.fromkeys(CLINICS, 0)
    tables: list[Table] = []
    hidings, ends = [], []
    for month in found:
        table: dict[str, dict[tuple[str, str], int]] = {column: {} for column in COLUMNS}
        for clinic, (received, treated, ended, reason) in enumerate(month):
            waits = waiting[clinic] + received
            treated = min(treated, waits)
            ended = min(ended, waits - treated)
            waiting[clinic] = waits - treated - ended
            counts = {
                "received": received,
                "treated": treated,
                CLOSED_TREATED: treated,
                reason: ended,
            }
            for column, count in (counts | {"closed": treated + ended}).items():
                table[column]["clinic", str(clinic)] = count
        for counts in table.values():
            counts[REGION] = sum(counts.values())
        hiding = Hiding([table], SPLITS, groups=[("clinic", str(one)) for one in CLINICS])
        tables.append(table)
        hidings.append(hiding)
        ends.append(month_end(table, hiding, dict(waiting)))
    return tables, hidings, ends


def reader_of(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> Attacker:
    """One who has every month's flows, and the waiting that is told. The region's own numbers are
    all known: those that its pages hide follow from its waiting (docs/decisions/0036)."""
    attacker = Attacker()
    for number, (table, hiding, end) in enumerate(zip(tables, hidings, ends, strict=True)):
        _read_flows(attacker, number, table, hiding)
        waiting = {(number, "waiting", clinic): many for clinic, many in end.waiting.items()}
        told = {name: many if name[2] in end.told else None for name, many in waiting.items()}
        attacker.read(told, waiting)
        attacker.some |= {name for name, many in waiting.items() if many and told[name] is None}
        for clinic in CLINICS:
            names = [(number, name, clinic) for name in ("treated", "ended", "waiting")]
            before = [(number - 1, "waiting", clinic)] if number else []
            had: Name = (number, "had", clinic)
            attacker.true[had] = sum(attacker.true[name] for name in names)
            attacker.adds_up(had, names)
            attacker.adds_up(had, [(number, "received", clinic), *before])
        whole = {(number, "waiting", "all"): sum(waiting.values())}
        attacker.read(whole, whole)
        attacker.adds_up((number, "waiting", "all"), waiting)
    return attacker


def _read_flows(attacker: Attacker, number: int, table: Table, hiding: Hiding) -> None:
    groups = {"all": REGION} | {clinic: ("clinic", str(clinic)) for clinic in CLINICS}
    for place, group in groups.items():
        truth = {(number, one, place): table[one].get(group, 0) for one in COLUMNS}
        page = {
            name: None if place != "all" and is_away(hiding, name[1], group) else count
            for name, count in truth.items()
        }
        attacker.read(page, truth)
        attacker.some |= {
            name
            for name, count in truth.items()
            if count and page[name] is None and name[1] not in hiding.everywhere
        }
        ended = (number, "ended", place)
        attacker.true[ended] = sum(truth[number, one, place] for one in ENDED)
        attacker.adds_up(ended, [(number, one, place) for one in ENDED])
        attacker.adds_up((number, "closed", place), [(number, CLOSED_TREATED, place), ended])
    for column in (*COLUMNS, "ended"):
        attacker.adds_up((number, column, "all"), [(number, column, one) for one in CLINICS])


def decided(ends: Sequence[MonthEnd], rule: Any = clinics_told) -> list[MonthEnd]:
    """One month after the other, each with what was told before it."""
    past: list[MonthEnd] = []
    for end in ends:
        past.append(replace(end, told=rule([*past, end])))
    return past


def found_out(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> dict[Name, int]:
    """The small numbers that are told to be small, with the most that each could be.

    What stands on no page, as what came in and waited before together, is left aside.
    """
    found = reader_of(tables[: len(ends)], hidings[: len(ends)], ends).finds_out()
    return {name: most for name, most in found if name[1] != "had"}


def but_small_ones(months: Sequence[MonthEnd]) -> frozenset[int]:
    """What a rule that looks at each month by itself tells."""
    return frozenset(c for c, count in months[-1].waiting.items() if count not in SMALL)


@slow
@given(in_a_row(flows, most=4))
def test_a_months_waiting_tells_no_hidden_number_that_was_not_told_without_it(found: Any) -> None:
    """However few wait."""
    tables, hidings, ends = months_of(found)
    past = decided(ends)
    for number in range(len(past)):
        without = [*past[:number], replace(past[number], told=frozenset())]
        known = found_out(tables, hidings, without)
        assert found_out(tables, hidings, past[: number + 1]).keys() <= known.keys()


@slow
@given(in_a_row(modest, most=5), st.lists(st.integers(60, 90), min_size=4, max_size=4))
def test_where_many_wait_all_waiting_tells_no_more_than_the_flows_alone(
    found: Any, first: list[int]
) -> None:
    before = [(many, 0, 0, ENDED[0]) for many in first]
    tables, hidings, ends = months_of([before, *found])
    flows_alone = [replace(end, told=frozenset()) for end in ends]
    known = found_out(tables, hidings, flows_alone)
    assert found_out(tables, hidings, decided(ends)).keys() <= known.keys()


FIRST = [(30, 0, 0, ENDED[0]), (40, 0, 0, ENDED[0]), (50, 0, 0, ENDED[0]), (60, 0, 0, ENDED[0])]
# Three and six came in to the first two, and are hidden.
FEW_CAME = [(3, 0, 0, ENDED[0]), (6, 0, 0, ENDED[0]), (9, 0, 0, ENDED[0]), (9, 0, 0, ENDED[0])]
FEW_TREATED = [(9, 3, 0, ENDED[0]), (9, 6, 0, ENDED[0]), (9, 9, 0, ENDED[0]), (9, 9, 0, ENDED[0])]
FEW_BOTH = [(3, 3, 0, ENDED[0]), (6, 6, 0, ENDED[0]), (9, 9, 0, ENDED[0]), (9, 9, 0, ENDED[0])]
USUAL = [(9, 9, 0, ENDED[0])] * 4
ONE_ENDED = [(9, 9, 1, ENDED[0]), *USUAL[1:]]


def test_the_attacker_finds_what_each_month_by_itself_tells() -> None:
    tables, hidings, ends = months_of([FIRST, FEW_CAME])
    assert (1, "received", 0) in found_out(tables, hidings, decided(ends, but_small_ones))
    assert (1, "received", 0) not in found_out(tables, hidings, decided(ends))


@pytest.mark.parametrize(
    ("months", "away"),
    [
        pytest.param([USUAL], set(), id="nothing-is-hidden"),
        pytest.param([FEW_CAME], {0, 1}, id="hidden-on-one-side"),
        pytest.param([FEW_BOTH], set(), id="hidden-on-both-sides"),
        pytest.param([FEW_CAME, USUAL], {0, 1}, id="still-told-by-the-sum"),
        pytest.param([FEW_CAME, FEW_TREATED], set(), id="made-up-for-later"),
        pytest.param([FEW_CAME, FEW_CAME], set(), id="large-enough-together"),
        # Whose it was, though the region's waiting tells that it was one.
        pytest.param([ONE_ENDED], {0, 1}, id="one-in-the-region"),
    ],
)
def test_a_clinics_waiting_is_told_again_when_its_flows_could_be_others(
    months: Any, away: set[int]
) -> None:
    _tables, _hidings, ends = months_of([FIRST, *months])
    assert set(CLINICS) - decided(ends)[-1].told == away


def test_a_clinic_where_fewer_than_ten_wait_is_not_told() -> None:
    """In the next month the few could be what is left of them."""
    _tables, _hidings, ends = months_of([[(9, 0, 0, ENDED[0]), *FIRST[1:]]])
    assert decided(ends)[-1].told == {1, 2, 3}
