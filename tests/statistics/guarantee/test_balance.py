"""The waiting at months' ends gives no hidden flow between them back, of clinics or the region.

Random months follow each other: what came in, was treated or ended at each clinic, hidden as all
pages hide it, and the waiting at each end as the care guarantee's page tells it. The attacker
(``tests.statistics.attacker``) has all of it, and knows that the waiting is what waited before and
came in, less what was treated or ended, and that the region's cases in work are what was in work
and came in, less the closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organisations.suppression import SMALL
from statistics.frozen.hidden import CLOSED_TREATED, ENDED, SPLITS
from statistics.frozen.hiding import Hiding, Split, Table
from statistics.guarantee.balance import MonthEnd, Told, told_of
from statistics.guarantee.flows import (
    WHOLES,
    hidden_next,
    hidden_with_few_waiting,
    is_away,
    month_end,
)
from statistics.hiding import nodes_of
from tests.statistics.attacker import Attacker, Name

REGION = ("region", "13")
CLINICS = range(4)
COLUMNS = ("received", "treated", "closed", CLOSED_TREATED, *ENDED)
PARTS_OF_CLOSED = (CLOSED_TREATED, *ENDED, "ended")
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

# Never quite still.
of_a_large_clinic = st.tuples(
    st.integers(0, 15), st.integers(1, 15), counts([0, 0, 1, 2, 6]), flows
).map(lambda one: (*one[:3], one[3][3]))
# Five and more at once, which are not hidden for being few.
in_lots = st.tuples(
    counts([0, 0, 3, 5, 8]), counts([0, 5, 6, 9, 12]), counts([0, 0, 1, 5, 7]), flows
).map(lambda one: (*one[:3], one[3][3]))
by_reason = st.tuples(
    counts([0, 5, 8, 12]), counts([0, 0, 1, 2, 5]), counts([0, 1, 2, 3, 5, 9]), counts(ENDED[:3])
)
few_flows = st.tuples(
    counts([0, 0, 0, 1, 2, 5]), counts([0, 0, 0, 1, 2]), counts([0, 0, 0, 1]), flows
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
    after_few: frozenset[str] = frozenset()
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
        hiding = Hiding(
            [table],
            SPLITS,
            before=[
                *nodes_of(REGION[1], after_few),
                *hidden_with_few_waiting(table, waiting),
            ],
            groups=[("clinic", str(one)) for one in CLINICS],
        )
        after_few = hidden_next(after_few, [table], REGION)
        tables.append(table)
        hidings.append(hiding)
        ends.append(month_end(table, hiding, dict(waiting)))
    return tables, hidings, ends


def reader_of(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> Attacker:
    """One who has every month's flows, and the waiting that is told; of the region, when it is
    told, the waiting and the cases in work."""
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
        _read_region(attacker, number, end)
        attacker.adds_up((number, "waiting", "all"), waiting)
    return attacker


def _read_region(attacker: Attacker, number: int, end: MonthEnd) -> None:
    """What waits and is in work in the region: the treated are in work until they are closed."""
    before = (number - 1, "in work", "all")
    came = [(number, "received", "all"), *([before] if number else [])]
    in_work = sum(attacker.true[one] for one in came) - attacker.true[number, "closed", "all"]
    truth = {
        (number, "waiting", "all"): sum(end.waiting.values()),
        (number, "in work", "all"): in_work,
    }
    attacker.read(truth if end.region_told else dict.fromkeys(truth), truth)
    had: Name = (number, "had", "all")
    attacker.true[had] = sum(attacker.true[one] for one in came)
    attacker.adds_up(had, came)
    attacker.adds_up(had, [(number, "closed", "all"), (number, "in work", "all")])


def _read_flows(attacker: Attacker, number: int, table: Table, hiding: Hiding) -> None:
    away = {"all": hiding.everywhere.intersection(COLUMNS)}
    # How many of the closed were treated follows from what waits, where the closed are known.
    if "closed" not in hiding.everywhere:
        away["all"].discard(CLOSED_TREATED)
    groups = {"all": REGION} | {clinic: ("clinic", str(clinic)) for clinic in CLINICS}
    for place, group in groups.items():
        hidden = (
            away[place]
            if place in away
            else {one for one in COLUMNS if is_away(hiding, one, group)}
        )
        truth = {(number, one, place): table[one].get(group, 0) for one in COLUMNS}
        page = {name: None if name[1] in hidden else count for name, count in truth.items()}
        attacker.read(page, truth)
        attacker.some |= {
            name
            for name, count in truth.items()
            if count and name[1] in hidden and name[1] not in hiding.everywhere
        }
        if place == "all":
            wholes = {(number, one, place) for one in WHOLES}
            attacker.few |= {name for name in wholes if truth[name] in SMALL and page[name] is None}
        ended = (number, "ended", place)
        attacker.true[ended] = sum(truth[number, one, place] for one in ENDED)
        attacker.adds_up(ended, [(number, one, place) for one in ENDED])
        attacker.adds_up((number, "closed", place), [(number, CLOSED_TREATED, place), ended])
    for column in (*COLUMNS, "ended"):
        attacker.adds_up((number, column, "all"), [(number, column, one) for one in CLINICS])


def decided(ends: Sequence[MonthEnd], rule: Any = told_of) -> list[MonthEnd]:
    """One month after the other, each with what was told before it."""
    past: list[MonthEnd] = []
    for end in ends:
        told = rule([*past, end])
        past.append(replace(end, told=told.clinics, region_told=told.region))
    return past


def found_out(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> dict[Name, int]:
    """The small numbers that are told to be small, with the most that each could be.

    What stands on no page, as what came in and waited before together, is left aside, and so are
    cases in work and waiting of a whole region in which they are so few.
    """
    found = reader_of(tables[: len(ends)], hidings[: len(ends)], ends).finds_out()
    return {
        name: most
        for name, most in found
        if name[1] != "had" and name[1:] not in {("in work", "all"), ("waiting", "all")}
        # How many ended follows from what waits, and so how many of the closed were treated.
        if "closed" not in hidings[name[0]].everywhere or name[1] not in PARTS_OF_CLOSED
    }


def but_small_ones(months: Sequence[MonthEnd]) -> Told:
    """What a rule that looks at each month by itself tells."""
    told = (clinic for clinic, count in months[-1].waiting.items() if count not in SMALL)
    return Told(region=True, clinics=frozenset(told))


def regions_own(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> list[Name]:
    """The region's hidden small numbers that are told exactly: that they are small is known to
    whoever knows the rule."""
    known = reader_of(tables[: len(ends)], hidings[: len(ends)], ends).knows()
    return [name for name in known if name[2] == "all" and name[1] in (*WHOLES, *ENDED)]


def waiting_known(
    tables: Sequence[Table], hidings: Sequence[Hiding], ends: Sequence[MonthEnd]
) -> list[Name]:
    """The clinics' waiting of one to four that can be nothing else, with its month."""
    reader = reader_of(tables[: len(ends)], hidings[: len(ends)], ends)
    known = [*reader.knows(), *reader.shows_small()]
    return [name for name in known if name[1] == "waiting" and name[2] != "all"]


def and_before(past: Sequence[MonthEnd]) -> Iterator[tuple[list[MonthEnd], list[MonthEnd]]]:
    """The months up to each of them, without its waiting and with it."""
    for number, last in enumerate(past):
        nothing = replace(last, told=frozenset(), region_told=False)
        yield [*past[:number], nothing], [*past[:number], last]


@slow
@given(in_a_row(flows, most=4))
def test_a_months_waiting_tells_no_hidden_number_that_was_not_told_without_it(found: Any) -> None:
    """However few wait."""
    tables, hidings, ends = months_of(found)
    for without, told in and_before(decided(ends)):
        known = found_out(tables, hidings, without)
        assert found_out(tables, hidings, told).keys() <= known.keys()


@slow
@given(in_a_row(few_flows, most=4), st.lists(st.integers(60, 90), min_size=4, max_size=4))
def test_no_waiting_tells_how_few_came_and_went_in_the_whole_region(
    found: Any, first: list[int]
) -> None:
    tables, hidings, ends = months_of([[(many, 0, 0, ENDED[0]) for many in first], *found])
    for without, told in and_before(decided(ends)):
        assert set(regions_own(tables, hidings, told)) <= {*regions_own(tables, hidings, without)}


@slow
@given(in_a_row(by_reason, most=4), st.lists(st.integers(60, 90), min_size=4, max_size=4))
def test_what_waits_in_the_region_tells_not_for_which_reason_few_ended(
    found: Any, first: list[int]
) -> None:
    """How many ended of all reasons together it tells (docs/decisions/0037)."""
    tables, hidings, ends = months_of([[(many, 0, 0, ENDED[0]) for many in first], *found, USUAL])
    known = regions_own(tables, hidings, decided(ends))
    assert [name for name in known if name[1] in ENDED] == []


@slow
@given(in_a_row(few_flows, most=4), st.lists(st.integers(60, 90), min_size=4, max_size=4))
def test_after_months_of_few_the_first_usual_one_tells_the_region(
    found: Any, first: list[int]
) -> None:
    """A new region has few in its first months, and must not be hidden for ever."""
    waiting = [(many, 0, 0, ENDED[0]) for many in first]
    _tables, _hidings, ends = months_of([waiting, *found, USUAL])
    assert decided(ends)[-1].region_told


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


@slow
@given(
    st.lists(st.integers(6, 30), min_size=2, max_size=2),
    st.lists(st.integers(90, 120), min_size=2, max_size=2),
    st.lists(st.tuples(in_lots, in_lots, *[of_a_large_clinic] * 2), min_size=2, max_size=5),
)
def test_no_waiting_of_few_follows_where_many_wait_at_other_clinics(
    few: list[int], many: list[int], found: Any
) -> None:
    tables, hidings, ends = months_of([[(n, 0, 0, ENDED[0]) for n in (*few, *many)], *found])
    assert waiting_known(tables, hidings, decided(ends)) == []


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


LEFT_THREE = [(0, 27, 0, ENDED[0]), *USUAL[1:]]
ENDED_BUT_THREE = [(0, 0, 27, ENDED[0]), *USUAL[1:]]


@pytest.mark.parametrize("month", [LEFT_THREE, ENDED_BUT_THREE], ids=["treated", "ended"])
def test_the_few_who_wait_follow_from_what_is_shown_unless_what_left_is_hidden(
    month: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty waited at a clinic, 27 left: both are shown."""
    tables, hidings, ends = months_of([FIRST, month, USUAL])
    assert waiting_known(tables, hidings, decided(ends)) == []
    monkeypatch.setattr(f"{__name__}.hidden_with_few_waiting", lambda *_: frozenset())
    tables, hidings, ends = months_of([FIRST, month, USUAL])
    assert (1, "waiting", 0) in waiting_known(tables, hidings, decided(ends))


def flows_hidden(waiting: dict[int, int], **flows: dict[int, int]) -> dict[str, set[int]]:
    """The clinics of which a month hides each kind of flow since few wait."""
    table = {
        kind: {("clinic", str(clinic)): many for clinic, many in counts.items()}
        for kind, counts in flows.items()
    }
    found: dict[str, set[int]] = {}
    for kind, dimension, clinic in hidden_with_few_waiting(table, waiting):
        assert dimension == "clinic"
        found.setdefault(kind, set()).add(int(clinic))
    return found


def test_what_left_where_few_wait_is_hidden_with_the_least_of_where_many_do() -> None:
    treated, waiting = {0: 27, 1: 9, 2: 12, 3: 5}, {0: 4, 1: 10, 2: 50, 3: 9}
    assert flows_hidden(waiting, treated=treated) == {"treated": {0, 1}}
    assert flows_hidden(waiting | {0: 5}, treated=treated) == {}
    # None who wait follows too, and so would the others' few.
    assert flows_hidden(waiting | {0: 0}, closed=treated) == {"closed": {0, 1}}


def test_what_came_where_few_wait_is_hidden_when_it_is_few() -> None:
    waiting = {0: 3, 1: 10, 2: 50}
    assert flows_hidden(waiting, received={0: 3, 1: 9, 2: 7}) == {"received": {0, 2}}
    assert flows_hidden(waiting, received={0: 30, 1: 9, 2: 7}) == {}


def test_where_nobody_left_from_where_many_wait_that_is_hidden_of_all() -> None:
    """Those of whom nobody left too, or the only one that did would follow."""
    waiting = {0: 3, 1: 10, 2: 50, 3: 0}
    assert flows_hidden(waiting, treated={0: 27}) == {"treated": {0, 1, 2, 3}}


NOTHING = [(0, 0, 0, ENDED[0])] * 4


def region_of(*, came: int = 9, treated: int = 9, ended: int = 0) -> list[Any]:
    """A month of so many in the whole region, all at one clinic."""
    return [(came, treated, ended, ENDED[0]), *NOTHING[1:]]


@pytest.mark.parametrize(
    ("months", "told"),
    [
        pytest.param([USUAL], True, id="nothing-is-hidden"),
        pytest.param([region_of(came=3)], False, id="few-came"),
        pytest.param([region_of(treated=3, ended=9)], False, id="few-treated"),
        pytest.param([region_of(treated=3)], False, id="few-treated-and-closed"),
        pytest.param([region_of(came=3), USUAL], True, id="hidden-with-the-next"),
        pytest.param([region_of(came=3), USUAL, USUAL], True, id="and-from-then-on"),
        pytest.param([region_of(came=3), region_of(came=3)], True, id="which-month-is-not-told"),
        pytest.param([region_of(came=1), region_of(came=1)], False, id="one-in-each-is-told"),
        pytest.param([region_of(came=4), region_of(came=4)], False, id="four-in-each-is-told"),
        pytest.param([region_of(came=1), region_of(came=2)], True, id="one-or-two"),
        pytest.param([region_of(came=3), NOTHING], True, id="one-could-have-come-later"),
        pytest.param([region_of(came=1), NOTHING], False, id="nothing-to-exchange-with"),
        pytest.param([region_of(came=1), NOTHING, USUAL], True, id="hidden-with-the-one-after"),
        pytest.param([region_of(came=1), region_of(came=1), USUAL], True, id="and-with-two"),
        pytest.param([region_of(came=3, treated=2), USUAL], True, id="more-kinds-at-once"),
        # How many ended follows where the closed are shown (docs/decisions/0037).
        pytest.param([region_of(ended=3)], True, id="few-ended"),
    ],
)
def test_the_regions_own_is_told_when_no_month_of_few_follows(months: Any, told: bool) -> None:
    """Its waiting and cases in work, of months in which fewer than five came or were treated."""
    _tables, _hidings, ends = months_of([FIRST, *months])
    assert decided(ends)[-1].region_told == told


def test_the_attacker_finds_a_reason_that_is_hidden_beside_the_closed_as_treated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five were closed as treated; three ended for one reason, nine for another."""
    month = [(9, 5, 3, ENDED[0]), (9, 0, 9, ENDED[1]), *NOTHING[2:]]
    tables, hidings, ends = months_of([FIRST, month])
    assert regions_own(tables, hidings, decided(ends)) == []
    parts = Split("closed", (CLOSED_TREATED, *ENDED))
    others = [one for one in SPLITS if one.whole not in {"closed", "ended"}]
    monkeypatch.setattr(f"{__name__}.SPLITS", (parts, *others))
    tables, hidings, ends = months_of([FIRST, month])
    assert regions_own(tables, hidings, decided(ends)) == [(1, ENDED[0], "all")]


def test_the_attacker_finds_a_month_of_few_in_what_waits_in_the_region() -> None:
    tables, hidings, ends = months_of([FIRST, region_of(came=3)])
    assert regions_own(tables, hidings, decided(ends, but_small_ones)) == [(1, "received", "all")]
    assert regions_own(tables, hidings, decided(ends)) == []


def test_a_clinic_where_fewer_than_ten_wait_is_not_told() -> None:
    """In the next month the few could be what is left of them."""
    _tables, _hidings, ends = months_of([[(9, 0, 0, ENDED[0]), *FIRST[1:]]])
    assert decided(ends)[-1].told == {1, 2, 3}
