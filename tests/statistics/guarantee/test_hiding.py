"""No number of 1-4 can be worked out from what is shown of a table, by any subtraction.

A reader knows every rule: which counts hold which, which groups add up to which, and that counts
are whole numbers. Each difference of 1-4 patients is asked for with an integer program over all
tables that look the same: its smallest and its largest value must differ.
"""

from collections import Counter
from itertools import product
from typing import Any

import highspy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organisations.suppression import SMALL
from statistics.frozen.hiding import alone
from statistics.guarantee.columns import COUNTS, PAIRS, SIZE, WITHIN, Basis, Column, Count
from statistics.guarantee.hiding import Family, Hidden, hide

Values = dict[str, dict[Count, int]]
# Days before and after pauses are taken away: (all, patient's, medical).
patients = st.tuples(
    st.integers(0, 3),  # clinic
    st.sampled_from(["phase:a", "phase:b"]),
    st.sampled_from([10, 45, 75, 120, 200]),
    st.sampled_from([0, 0, 0, 0, 40]),
    st.sampled_from([0, 0, 0, 0, 60]),
    st.sampled_from([1, 1, 2, 5, 6, 7, 11]),  # how many alike
)


def table(rows: list[Any]) -> tuple[Values, list[Family]]:
    """Four clinics, two in an area and two alone in theirs; phases; the total."""
    names = [*(f"clinic:{n}" for n in range(4)), "mvo:x", "mvo:y", "mvo:z"]
    counts: dict[str, Counter[Count]] = {
        name: Counter() for name in (*names, "phase:a", "phase:b", "total")
    }
    area = {0: "mvo:x", 1: "mvo:x", 2: "mvo:y", 3: "mvo:z"}
    for clinic, phase, days, patient, medical, many in rows:
        left = {
            Basis.ALL: days,
            Basis.PATIENT: days - medical,
            Basis.MEDICAL: days - patient,
            Basis.WITHOUT: days - patient - medical,
        }
        for name in (f"clinic:{clinic}", area[clinic], phase, "total"):
            counts[name][SIZE] += many
            for column in WITHIN:
                counts[name][column] += many * (left[Basis(column.basis)] <= column.limit)
    families: list[Family] = [
        ("mvo:x", ("clinic:0", "clinic:1")),
        ("mvo:y", ("clinic:2",)),
        ("mvo:z", ("clinic:3",)),
        ("total", ("mvo:x", "mvo:y", "mvo:z")),
        ("total", ("phase:a", "phase:b")),
    ]
    return {row: {c: found[c] for c in COUNTS} for row, found in counts.items()}, families


def program(values: Values, families: list[Family], hidden: Hidden) -> Any:
    """All tables that look the same as this one does with ``hidden`` away."""
    model = highspy.Highs()
    model.silent()
    cells: dict[tuple[str, Count], Any] = {}
    for row, counts in values.items():
        for count, number in counts.items():
            away = (row, count) in hidden
            cells[row, count] = model.addIntegral(
                lb=0 if away else number, ub=10_000 if away else number
            )
        for one, other in PAIRS:
            model.addConstr(cells[row, one] <= cells[row, other])
    for (whole, parts), count in product(families, COUNTS):
        model.addConstr(cells[whole, count] == sum(cells[str(part), count] for part in parts))
    return model, cells


def could_be_another(
    values: Values,
    families: list[Family],
    hidden: Hidden,
    row: str,
    one: Count | None,
    other: Count,
) -> bool:
    model, cells = program(values, families, hidden)
    difference = cells[row, other] - (cells[row, one] if one else 0)
    true = values[row][other] - (values[row][one] if one else 0)
    model.maximize(difference)
    if round(model.getObjectiveValue()) > true:
        return True
    model, cells = program(values, families, hidden)
    model.minimize(cells[row, other] - (cells[row, one] if one else 0))
    return round(model.getObjectiveValue()) < true


def small_differences(values: Values) -> list[tuple[str, Count | None, Count]]:
    return [
        (row, one, other)
        for row, counts in values.items()
        for one, other in (*((None, count) for count in COUNTS), *PAIRS)
        if counts[other] - (counts[one] if one else 0) in SMALL
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(patients, max_size=18), st.data())
def test_no_small_number_is_determined_by_what_is_shown(rows: list[Any], data: st.DataObject):
    values, families = table(rows)
    hidden = hide(values, families)
    small = small_differences(values)
    # Each costs two programs; hypothesis chooses which to try.
    tried = data.draw(st.lists(st.sampled_from(small), max_size=10, unique=True)) if small else []
    for row, one, other in tried:
        assert could_be_another(values, families, hidden, row, one, other), (row, one, other)


@given(st.lists(patients, max_size=25))
def test_what_is_shown_of_a_row_differs_by_no_small_number(rows: list[Any]):
    """The plain subtraction: between columns of a row, whatever else is hidden."""
    values, families = table(rows)
    hidden = hide(values, families)
    for row, one, other in small_differences(values):
        assert (row, other) in hidden or (one is not None and (row, one) in hidden)


@given(st.lists(patients, max_size=25))
def test_no_column_has_one_hidden_row_in_a_family(rows: list[Any]):
    """The plain subtraction between rows, of what holds a small number."""
    values, families = table(rows)
    hidden = hide(values, families)
    for (whole, parts), count in product(families, COUNTS):
        away = [row for row in (whole, *parts) if (row, count) in hidden]
        if len(away) == 1 and len(parts) > 1:
            # Only where no small number hangs on it: a count whose neighbours tell it anyway.
            assert not [
                each
                for each in small_differences(values)
                if each[0] == away[0] and each[2] == count and each[1] is None
            ]


def test_nothing_is_hidden_without_small_numbers():
    rows = [
        (clinic, phase, days, 0, 0, 7)
        for clinic in range(4)
        for phase in ("phase:a", "phase:b")
        for days in (10, 45, 75, 120, 200)
    ]
    assert hide(*table(rows)) == set()


CLINICS = [f"clinic:{n}" for n in range(4)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(patients, max_size=18), st.data())
def test_nor_by_one_who_has_the_sizes_from_another_page(rows: list[Any], data: st.DataObject):
    """The clinics' and the region's sizes stand on the statistics page, but for some."""
    values, families = table(rows)
    total = values["total"][SIZE]
    away = alone({c: (values[c][SIZE],) for c in CLINICS}, total=(total,))
    if total in SMALL:
        away = set(CLINICS)
    elsewhere = {clinic: clinic in away for clinic in CLINICS} | {"total": total in SMALL}
    hidden = hide(values, families, elsewhere=elsewhere)
    assert {(row, SIZE) for row, gone in elsewhere.items() if gone} <= hidden
    known = {(row, SIZE) for row, gone in elsewhere.items() if not gone}
    small = small_differences(values)
    tried = data.draw(st.lists(st.sampled_from(small), max_size=8, unique=True)) if small else []
    for row, one, other in tried:
        assert could_be_another(values, families, hidden - known, row, one, other), (row, one)


@pytest.mark.parametrize("limit", [60, 90])
def test_a_lone_patient_between_two_limits_is_not_told_by_the_columns(limit: int):
    """18 within 30 days and 21 within the next limit would tell of three patients."""
    rows = [
        (n, phase, days, 0, 0, 9)
        for n in range(4)
        for phase in ("phase:a", "phase:b")
        for days in (10, 45, 75, 120)
    ]
    rows.append((0, "phase:a", limit - 1, 0, 0, 3))
    rows = [row for row in rows if not (row[0] == 0 and row[2] == limit - 15)]
    values, families = table(rows)
    hidden = hide(values, families)
    before = Column(Basis.WITHOUT, {60: 30, 90: 60}[limit])
    assert {("clinic:0", before), ("clinic:0", Column(Basis.WITHOUT, limit))} & hidden
