"""No published column gives a small number back, nor does a column beside its correction."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from referral.models import ReferralCause
from statistics.open_data.counting import Counted
from statistics.open_data.disclosure import Cell, Column, hidden_counts, hidden_shares
from statistics.open_data.editions import columns_of, key_of
from statistics.open_data.measures import PATIENTS
from statistics.open_data.models import NATION, Border, Status

SMALL = range(1, 5)
AREAS = ("01", "12", "20")
WAIT = ReferralCause.WAITING_TIME.value
MOST = 12
count = st.integers(0, MOST)


def region(patients: dict[tuple[str, str], int], **more: int) -> Counted:
    made = Counted(**more)
    made.patients.update(patients)
    made.waited = [float(30 + n) for n in range(made.treated)]
    made.cost = Decimal(1000 * made.treated)
    made.handling = [1.0] * made.decided
    made.answering = [2.0] * made.answers
    return made


@st.composite
def regions(draw: st.DrawFn) -> dict[str, Counted]:
    found = {}
    for area in AREAS:
        patients = {
            (cause, side): draw(count)
            for cause in (WAIT, "free_choice")
            for side in (Border.WITHIN.value, Border.ACROSS.value)
        }
        treated = patients[WAIT, "within"] + patients[WAIT, "across"]
        decided, answers = draw(count), draw(count)
        found[area] = region(
            patients,
            in_time=draw(st.integers(0, treated)),
            back_referred=draw(st.integers(0, treated)),
            decided=decided,
            rejected=draw(st.integers(0, decided)),
            answers=answers,
            accepted=draw(st.integers(0, answers)),
            digital=draw(st.integers(0, answers)),
        )
    return found


def solutions(column: Column, *, most: int) -> Iterator[tuple[int, ...]]:
    """Every set of counts that one who knows ``column`` must hold for possible."""
    choices = [
        range(most + 1) if column[area].is_hidden else [int(column[area].value or 0)]
        for area in AREAS
    ]
    nation = column[NATION]
    for counts in product(*choices):
        if nation.is_hidden or sum(counts) == nation.value:
            yield counts


def test_a_quarter_does_not_tell_a_month_that_is_hidden_for_the_one_before() -> None:
    """Of a region that had few in the last month of the quarter before."""
    counts = {(WAIT, "within"): 20, (WAIT, "across"): 30}
    counted = {area: region(counts) for area in AREAS}
    assert not columns_of(counted)[PATIENTS, WAIT, "within"][AREAS[0]].is_hidden
    counted[AREAS[0]].after_few = True
    hidden = [
        a for a, cell in columns_of(counted)[PATIENTS, WAIT, "within"].items() if cell.is_hidden
    ]
    assert AREAS[0] in hidden
    assert len(hidden) > 1  # or it would be the nation's less the others'


@settings(max_examples=150, deadline=None)
@given(regions())
def test_no_count_of_an_edition_is_small_or_can_be_worked_out(counted: dict[str, Counted]) -> None:
    for (measure, cause, border), column in columns_of(counted).items():
        if measure != PATIENTS:
            continue
        assert not any(cell.value in SMALL for cell in column.values())
        true = [counted[area].patients.get((cause, border), 0) for area in AREAS]
        found = list(solutions(column, most=2 * MOST))
        assert tuple(true) in found
        for place, real in enumerate(true):
            if real in SMALL:
                possible = {counts[place] for counts in found}
                assert len(possible) > 1
                assert max(possible) > 4, "known to be small"


@settings(max_examples=200, deadline=None)
@given(regions())
def test_no_share_gives_a_small_number_back(counted: dict[str, Counted]) -> None:
    for measure, of in (
        ("within_guarantee", lambda one: (one.in_time, one.treated)),
        ("rejected", lambda one: (one.rejected, one.decided)),
        ("accepted", lambda one: (one.accepted, one.answers)),
    ):
        column = columns_of(counted)[key_of(measure)]
        for cell in column.values():
            if cell.status == Status.SHOWN:
                assert cell.count not in SMALL
                assert (cell.base or 0) - (cell.count or 0) not in SMALL
        hidden = [area for area in AREAS if column[area].is_hidden]
        if hidden and not column[NATION].is_hidden:
            # All that is known of the hidden together: the nation less those shown.
            count = sum(of(counted[area])[0] for area in hidden)
            base = sum(of(counted[area])[1] for area in hidden)
            assert len([area for area in hidden if of(counted[area])[1]]) > 1
            assert count not in SMALL
            assert base - count not in SMALL


@settings(max_examples=200, deadline=None)
@given(regions())
def test_what_is_counted_of_hidden_patients_is_hidden_too(counted: dict[str, Counted]) -> None:
    columns = columns_of(counted)
    for area in (*AREAS, NATION):
        if any(columns[PATIENTS, WAIT, side][area].is_hidden for side in ("within", "across")):
            for measure in ("within_guarantee", "back_referred", "cost_total", "cost_per_patient"):
                assert columns[key_of(measure)][area].is_hidden, measure
            # A median would tell a hidden large number from a small one.
            assert area == NATION or columns[key_of("wait_median")][area].is_hidden


@settings(max_examples=300, deadline=None)
@given(regions(), regions())
def test_a_correction_shows_nothing_that_was_hidden_and_no_small_difference(
    first: dict[str, Counted], second: dict[str, Counted]
) -> None:
    before = columns_of(first)
    after = columns_of(second, before=before)
    for key, column in after.items():
        for area, cell in column.items():
            old = before[key][area]
            if old.is_hidden:
                assert cell.is_hidden
            elif old.status == cell.status == Status.SHOWN and old.base is not None:
                assert cell.base is not None
                assert abs(cell.base - old.base) not in SMALL
                if old.count is not None and cell.count is not None:
                    assert abs(cell.count - old.count) not in SMALL


@settings(max_examples=300, deadline=None)
@given(regions(), regions())
def test_one_who_has_both_versions_works_out_no_small_count(
    first: dict[str, Counted], second: dict[str, Counted]
) -> None:
    """Who takes it that what he saw before and no longer sees is as it was, or as it may be."""
    before = columns_of(first)
    after = columns_of(second, before=before)
    for key, column in after.items():
        if key[0] != PATIENTS or column == before[key]:
            continue
        true = [second[area].patients.get(key[1:], 0) for area in AREAS]
        found = list(solutions(column, most=2 * MOST))
        newly = [a for a in AREAS if column[a].is_hidden and not before[key][a].is_hidden]
        for place, real in enumerate(true):
            if real not in SMALL:
                continue
            possible = {
                counts[place]
                for counts in found
                if all(
                    counts[AREAS.index(a)] == before[key][a].value
                    for a in newly
                    if a != AREAS[place]
                )
            }
            assert len(possible) > 1


def test_a_count_that_becomes_small_takes_the_nation_with_it() -> None:
    before = {area: Cell(Status.SHOWN, Decimal(9), 9, 9) for area in (*AREAS, NATION)}
    assert hidden_counts({"01": 3, "12": 9, "20": 9}, before) == {"01", NATION}


def test_a_correction_by_one_patient_is_not_published() -> None:
    def counted(number: int) -> dict[str, Counted]:
        return {area: region({(WAIT, "across"): number}) for area in AREAS}

    before = columns_of(counted(20))
    assert columns_of(counted(21), before=before) == before
    assert columns_of(counted(25), before=before) != before


def test_a_share_of_one_region_alone_hides_a_second() -> None:
    hidden = hidden_shares(
        {"01": 2, "12": 20, "20": 40}, {"01": 30, "12": 40, "20": 80}, hidden_bases=set()
    )
    assert hidden == {"01", "12"}


@given(count)
def test_one_region_shows_its_nation_only_when_it_shows_itself(number: int) -> None:
    hidden = hidden_counts({"01": number})
    assert ("01" in hidden) == (NATION in hidden)


def test_a_region_whose_quarter_tells_of_a_month_is_hidden_with_another() -> None:
    """Its own pages show twenty of the quarter's 23 by month, and hide the month of three."""
    counts = {"13": 23, "14": 40, "20": 60}
    assert hidden_counts(counts) == set()
    assert hidden_counts(counts, also={"13"}) == {"13", "14"}
    assert hidden_counts({"13": 23}, also={"13"}) == {"13", NATION}
