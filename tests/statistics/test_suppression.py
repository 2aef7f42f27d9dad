"""Small numbers are hidden and cannot be worked out."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from statistics.suppression import SMALL, suppress

columns = st.lists(st.integers(min_value=0, max_value=12), min_size=1, max_size=5)


@given(columns)
def test_every_small_number_is_hidden(counts: list[int]) -> None:
    hidden, total_hidden = suppress(counts, sum(counts))
    assert all(away for count, away in zip(counts, hidden, strict=True) if count in SMALL)
    assert total_hidden or sum(counts) not in SMALL


@given(columns)
def test_zero_is_never_hidden(counts: list[int]) -> None:
    hidden, _total = suppress(counts, sum(counts))
    assert not any(away for count, away in zip(counts, hidden, strict=True) if count == 0)


@given(columns)
def test_no_hidden_number_follows_by_subtraction(counts: list[int]) -> None:
    """A reader who sees the rest and the total finds at least two tables that fit."""
    hidden, total_hidden = suppress(counts, sum(counts))
    if total_hidden or not any(hidden):
        return
    covered = sum(count for count, away in zip(counts, hidden, strict=True) if away)
    fitting = [
        table
        for table in product(range(1, covered + 1), repeat=sum(hidden))
        if sum(table) == covered
    ]
    for position in range(sum(hidden)):
        assert len({table[position] for table in fitting}) > 1
