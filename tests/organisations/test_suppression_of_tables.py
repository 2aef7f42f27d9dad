"""A table with its totals gives no small number back, not even to one who knows the rule.

Two attackers that know nothing of how the rule is made: one tries every small table there is and
keeps those that would have been shown alike; one solves the linear equations of large tables.
"""

from collections import defaultdict
from itertools import product

import highspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organisations.suppression import SMALL, HiddenTable, suppress_table

Rows = list[list[int]]
HIDDEN = "hidden"


def with_totals(rows: Rows) -> Rows:
    table = [[*row, sum(row)] for row in rows]
    return [*table, [sum(column) for column in zip(*table, strict=True)]]


def with_marks(hidden: HiddenTable) -> list[list[bool]]:
    rows = [[*row, total] for row, total in zip(hidden.cells, hidden.row_totals, strict=True)]
    return [*rows, [*hidden.column_totals, hidden.total]]


def shown(rows: Rows, *, total_known: bool) -> tuple[object, ...]:
    """All that a reader has."""
    hidden = suppress_table(rows, total_known=total_known)
    if hidden.withheld:
        return (HIDDEN, sum(map(sum, rows)))
    return tuple(
        HIDDEN if away else number
        for numbers, marks in zip(with_totals(rows), with_marks(hidden), strict=True)
        for number, away in zip(numbers, marks, strict=True)
    )


@st.composite
def tables(draw: st.DrawFn, most: int = 6) -> Rows:
    width = draw(st.integers(1, most))
    number = st.one_of(st.just(0), st.integers(1, 5), st.integers(0, 60))
    row = st.lists(number, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=1, max_size=most))


@given(tables(), st.booleans())
def test_every_small_number_and_total_is_hidden(rows: Rows, total_known: bool) -> None:
    hidden = suppress_table(rows, total_known=total_known)
    for numbers, marks in zip(with_totals(rows), with_marks(hidden), strict=True):
        for number, away in zip(numbers, marks, strict=True):
            # A total known from elsewhere has been judged there.
            assert away or number not in SMALL or total_known


@given(tables())
def test_zero_is_shown(rows: Rows) -> None:
    hidden = suppress_table(rows)
    for numbers, marks in zip(with_totals(rows), with_marks(hidden), strict=True):
        assert not any(away for number, away in zip(numbers, marks, strict=True) if number == 0)


@given(tables())
def test_a_table_without_small_numbers_is_shown_whole(rows: Rows) -> None:
    hidden = suppress_table([[number + 4 if number else 0 for number in row] for row in rows])
    assert not any(away for marks in with_marks(hidden) for away in marks)


@pytest.mark.parametrize("total_known", [False, True])
@pytest.mark.parametrize(
    ("height", "width", "largest"), [(1, 4, 9), (2, 2, 12), (2, 3, 6), (3, 2, 6)]
)
def test_among_all_tables_shown_alike_each_hidden_number_has_another_value(
    height: int, width: int, largest: int, total_known: bool
) -> None:
    """Every table with numbers up to ``largest``; judged where no larger ones are lacking."""
    alike: dict[tuple[object, ...], list[list[int]]] = defaultdict(list)
    for numbers in product(range(largest + 1), repeat=height * width):
        rows = [list(numbers[at : at + width]) for at in range(0, len(numbers), width)]
        flat = [number for row in with_totals(rows) for number in row]
        alike[shown(rows, total_known=total_known)].append(flat)
    judged = 0
    for picture, found in alike.items():
        if len(picture) == 2:
            assert len(found) > 1
            continue
        for place, what in enumerate(picture):
            if what == HIDDEN:
                judged += 1
                assert len({numbers[place] for numbers in found}) > 1, (picture, found)
    assert judged > 100


@settings(max_examples=150, deadline=None)
@given(tables(most=7), st.booleans())
def test_linear_equations_pin_no_hidden_number_down(rows: Rows, total_known: bool) -> None:
    """What the sums allow each hidden number to be, by an outside solver: never one value only,
    and more than 1-4 wherever the row's total is shown. Vertices of a table with fixed sums are
    whole numbers, so that bounds that differ are two values."""
    hidden = suppress_table(rows, total_known=total_known)
    if hidden.withheld:
        return
    table, marks = with_totals(rows), with_marks(hidden)
    if total_known:
        assert not marks[-1][-1]
    for i, row in enumerate(marks):
        for j, away in enumerate(row):
            if not away:
                continue
            low, high = bounds(table, marks, (i, j))
            assert high > low, (table, marks, (i, j))
            if i < len(marks) - 1 and j < len(row) - 1 and not row[-1]:
                assert high > SMALL[-1]


def bounds(table: Rows, marks: list[list[bool]], entry: tuple[int, int]) -> tuple[float, float]:
    """The least and the greatest that ``entry`` can be, hidden ones being at least one."""
    height, width = len(table), len(table[0])
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    for i, j in product(range(height), range(width)):
        if marks[i][j]:
            model.addVar(1, highspy.kHighsInf)
        else:
            model.addVar(table[i][j], table[i][j])
    place = [[i * width + j for j in range(width)] for i in range(height)]
    for i in range(height):
        equation(model, place[i])
    for j in range(width):
        equation(model, [row[j] for row in place])
    found = []
    for direction in (1.0, -1.0):
        model.changeColCost(place[entry[0]][entry[1]], direction)
        model.run()
        unbounded = model.getModelStatus() != highspy.HighsModelStatus.kOptimal
        value = float("inf") if unbounded else abs(model.getInfo().objective_function_value)
        found.append(round(value, 6))
    return found[0], found[1]


def equation(model: highspy.Highs, places: list[int]) -> None:
    """The last is the sum of the others."""
    signs = [1.0] * (len(places) - 1) + [-1.0]
    model.addRow(0, 0, len(places), places, signs)
