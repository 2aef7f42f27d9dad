"""Small numbers are hidden and cannot be worked out."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.suppression import SMALL, suppress

LARGEST = 9
columns = st.lists(st.integers(min_value=0, max_value=LARGEST), min_size=1, max_size=4)


@given(columns, st.booleans())
def test_every_small_number_is_hidden(counts: list[int], hide_total: bool) -> None:
    hidden, total_hidden = suppress(counts, hide_total=hide_total)
    assert all(away for count, away in zip(counts, hidden, strict=True) if count in SMALL)
    assert total_hidden or sum(counts) not in SMALL


@given(columns, st.booleans())
def test_zero_is_never_hidden(counts: list[int], hide_total: bool) -> None:
    hidden, _total = suppress(counts, hide_total=hide_total)
    assert not any(away for count, away in zip(counts, hidden, strict=True) if count == 0)


@given(columns)
def test_a_hidden_total_is_not_the_sum_of_what_is_shown(counts: list[int]) -> None:
    hidden, total_hidden = suppress(counts, hide_total=True)
    assert total_hidden == any(hidden) == any(counts)


@given(columns, st.booleans())
def test_no_hidden_number_follows_even_for_one_who_knows_the_rule(
    counts: list[int], hide_total: bool
) -> None:
    """A reader finds two columns that fit what is shown and would be shown the same way."""
    hidden, total_hidden = suppress(counts, hide_total=hide_total)
    places = [place for place, away in enumerate(hidden) if away]
    fitting = []
    for values in product(range(1, LARGEST + 2), repeat=len(places)):
        other = list(counts)
        for place, value in zip(places, values, strict=True):
            other[place] = value
        if not total_hidden and sum(other) != sum(counts):
            continue
        if suppress(other, hide_total=hide_total) == (hidden, total_hidden):
            fitting.append(other)
    for place in places:
        assert len({other[place] for other in fitting}) > 1


@pytest.mark.parametrize("counts", [[1, 1, 10], [4, 4, 5], [5, 4, 4], [1, 1, 1, 1, 20]])
def test_a_hidden_total_beside_a_shown_number_gives_nothing_away(counts: list[int]) -> None:
    hidden, total_hidden = suppress(counts)
    assert all(hidden)
    assert not total_hidden
