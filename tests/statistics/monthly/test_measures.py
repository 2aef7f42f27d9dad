"""The measures' words, the same in docs/statistics.md as on the pages."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statistics.facts.counting import wilson
from statistics.monthly.dimensions import DIMENSIONS
from statistics.monthly.measures import MEASURES, SHARES

DOCUMENT = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text()


@pytest.mark.parametrize("name", MEASURES)
def test_each_measure_stands_in_the_document(name: str) -> None:
    measure = MEASURES[name]
    unit = measure.unit or "antal"
    row = f"| `{name}` | {measure.label} | {unit} | {measure.kind} | {measure.definition} |"
    assert row in DOCUMENT.splitlines()


def test_each_dimension_stands_in_the_document() -> None:
    for name, label in DIMENSIONS.items():
        assert f"`{name}` ({label})" in DOCUMENT


def test_the_document_has_no_other_measures() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows if "| kind |" not in row] == list(MEASURES)


def test_every_share_says_of_what() -> None:
    assert {name for name, m in MEASURES.items() if m.kind == "share"} == set(SHARES)


@given(st.integers(1, 10_000), st.data())
def test_wilsons_interval_holds_the_share_and_stays_within_0_and_100(
    n: int, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n)
    assert 0 <= low <= 100 * k / n + 1e-9
    assert 100 * k / n - 1e-9 <= high <= 100
    if k < n:
        again = wilson(n - k, n)
        assert low == pytest.approx(100 - again[1], abs=1e-9)


def test_wilsons_interval_holds_the_truth_19_times_of_20() -> None:
    random = Random(5)
    held = 0
    for _try in range(2000):
        k = sum(random.random() < 0.3 for _ in range(80))
        low, high = wilson(k, 80)
        held += low <= 30 <= high
    assert 0.93 < held / 2000 < 0.97
