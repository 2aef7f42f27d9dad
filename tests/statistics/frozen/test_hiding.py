"""Which figures of a frozen month are hidden. The attack: tests/statistics/test_across_pages.py."""

import pytest

from statistics.frozen.hidden import hidden_places
from statistics.frozen.hiding import alone, together
from statistics.frozen.picture import NOUGHT, cell_of, picture_of
from statistics.frozen.source import Figure


def test_a_small_share_hides_its_count_and_the_other_way_round() -> None:
    figures = [
        Figure("region", "13", "", "answered", 20, 20),
        Figure("region", "13", "", "accepted", 18, 18),
        Figure("region", "13", "", "declined", 2, 2),
        Figure("region", "13", "", "accepted_share", 20, 90.0),
    ]
    hidden = {place[2] for place in hidden_places([picture_of(figures)])}
    assert {"accepted", "declined", "accepted_share"} <= hidden
    assert "answered" not in hidden


def test_a_median_of_few_is_hidden_with_its_number() -> None:
    figures = [Figure("region", "13", "", "handling_days", 3, 5.0, 5.0)]
    assert ("region", "13", "handling_days") in hidden_places([picture_of(figures)])


@pytest.mark.parametrize("missing", [0, 3])
def test_what_a_dimension_leaves_out_is_not_told_when_small(missing: int) -> None:
    figures = [
        Figure("region", "13", "", "received", 20 + missing, 20 + missing),
        Figure("clinic", "a", "", "received", 20, 20),
    ]
    hidden = hidden_places([picture_of(figures)])
    assert bool(hidden) == bool(missing)


def test_what_was_small_between_two_versions_is_hidden_in_both() -> None:
    groups = {"a": 9, "b": 8, "c": 30}
    figures = [Figure("region", "13", "", "received", 47, 47)]
    figures += [Figure("clinic", key, "", "received", n, n) for key, n in groups.items()]
    seen = picture_of(figures)
    assert hidden_places([seen]) == frozenset()
    passing = [(("clinic", "a", "received"), cell_of(Figure("clinic", "a", "", "received", 3, 3)))]
    assert ("clinic", "a", "received") in hidden_places([seen], passing=passing)
    assert NOUGHT.n == 0


def test_without_a_larger_one_noughts_are_hidden_too() -> None:
    """Four and one of five, and a third that has none: nobody can tell who has how many."""
    assert alone({"a": (4,), "b": (1,), "c": (0,)}, total=(5,)) == {"a", "b", "c"}


def test_equals_are_hidden_alike() -> None:
    assert alone({"a": (3,), "b": (7,), "c": (7,), "d": (9,)}, total=(26,)) == {"a", "b", "c"}


def test_rows_join_until_no_part_of_the_hidden_is_small() -> None:
    rows = {"a": ((20,), (2,)), "b": ((30,), (1,)), "c": ((40,), (25,)), "d": ((50,), (60,))}
    assert together(rows, (), totals=((140,), (88,))) == {"a", "b", "c"}
