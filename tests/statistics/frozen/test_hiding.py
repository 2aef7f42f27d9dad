"""Nothing small of a frozen month is shown, in any version, dimension or measure.

The attack is independent of the rule: all that is shown, and all sums that hold, make a system of
linear equations over what is hidden. No small count may be the only solution.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statistics.frozen.hidden import ADD_UP, columns_of, hidden_places, rests_on
from statistics.frozen.picture import Picture, picture_of
from statistics.frozen.source import Figure

KEYS = {"clinic": "abc", "sex": "mk"}
count = st.integers(0, 9)


def figures_of(people: list[dict[str, str]]) -> Iterable[Figure]:
    """Answers of persons: yes or no, from a clinic, of a sex."""
    groups = [("region", "13")]
    groups += [(dimension, key) for dimension, keys in KEYS.items() for key in keys]
    for dimension, key in groups:
        found = [one for one in people if dimension == "region" or one[dimension] == key]
        yes = sum(one["answer"] == "yes" for one in found)
        n = len(found)
        values = {"answered": n, "accepted": yes, "declined": n - yes}
        values |= {
            f"declined_{reason}": sum(one["answer"] == reason for one in found)
            for reason in ("travel", "other")
        }
        for measure, number in values.items():
            yield Figure(dimension, key, key, measure, number, number)
        share = 100 * yes / n if n else None
        yield Figure(dimension, key, key, "accepted_share", n, share)
        yield Figure(dimension, key, key, "answer_hours", n, 5.0 if n else None, 5.0)


person = st.fixed_dictionaries(
    {
        "clinic": st.sampled_from(KEYS["clinic"]),
        "sex": st.sampled_from(KEYS["sex"]),
        "answer": st.sampled_from(["yes", "yes", "yes", "travel", "other"]),
    }
)
people = st.lists(person, max_size=60)


def shown_columns(picture: Picture, hidden: frozenset[Any]) -> set[tuple[str, str, str]]:
    """The counts that can be read off what is shown."""
    found = set()
    for place, _cell in picture.items():
        if place not in hidden:
            found |= {(name, place[0], place[1]) for name in rests_on(place[2])}
    return found


# The same count under two names.
SAME = {
    "accepted_share.yes": "accepted",
    "accepted_share.of": "answered",
    "accepted_share.no": "declined",
    "answer_hours.n": "answered",
}
GROUPS = [("region", "13"), *((one, key) for one, keys in KEYS.items() for key in keys)]


def found_out(pictures: list[Picture], hidden: frozenset[Any]) -> set[Any]:
    """Small counts that are the only solution of all that is shown and all sums that hold."""
    return {node for picture in pictures for node in _solved(picture, hidden)}


def _solved(picture: Picture, hidden: frozenset[Any]) -> set[Any]:
    shown = {(SAME.get(name, name), *place) for name, *place in shown_columns(picture, hidden)}
    known = {
        (SAME.get(name, name), *place): value
        for name, column in columns_of(picture).items()
        for place, value in column.items()
    }
    # A figure that is left out is nought, and whoever reads the page knows it.
    unknown = {node: index for index, node in enumerate(sorted(set(known) - shown))}
    if not unknown:
        return set()
    sums = [
        ((name, "region", "13"), [(name, dimension, key) for key in keys])
        for name in {name for name, *_place in known}
        for dimension, keys in KEYS.items()
    ]
    sums += [
        ((SAME.get(whole, whole), *group), [(SAME.get(part, part), *group) for part in parts])
        for whole, parts in ADD_UP
        for group in GROUPS
    ]
    rows = []
    for total, parts in sums:
        if known.get(total, 0) != sum(known.get(part, 0) for part in parts):
            continue  # the parts leave something out
        row = np.zeros(len(unknown))
        for node, sign in [(total, 1), *((part, -1) for part in parts)]:
            if node in unknown:
                row[unknown[node]] += sign
        if row.any():
            rows.append(row)
    if not rows:
        return set()
    # A count is determined when no solution of the homogeneous system moves it.
    matrix = np.array(rows)
    sizes, vectors = np.linalg.eigh(matrix.T @ matrix)
    free = vectors[:, sizes < 1e-9]
    return {
        node
        for node, index in unknown.items()
        if known[node] in {1, 2, 3, 4} and not (np.abs(free[index]) > 1e-6).any()
    }


def small_shown(picture: Picture, hidden: frozenset[Any]) -> set[Any]:
    columns = columns_of(picture)
    return {
        node
        for node in shown_columns(picture, hidden)
        if columns.get(node[0], {}).get(node[1:], 0) in {1, 2, 3, 4}
    }


@settings(max_examples=150)
@given(people)
def test_nothing_small_is_shown_or_follows(crowd: list[Any]) -> None:
    picture = picture_of(figures_of(crowd))
    hidden = hidden_places([picture])
    assert not small_shown(picture, hidden)
    assert not found_out([picture], hidden)


@settings(max_examples=150)
@given(people, st.lists(person, max_size=6), st.integers(0, 10))
def test_nor_by_reading_two_versions_side_by_side(
    crowd: list[Any], later: list[Any], gone: int
) -> None:
    """Some came late and some were taken away; both pictures hide the same."""
    pictures = [picture_of(figures_of(crowd)), picture_of(figures_of([*crowd[gone:], *later]))]
    hidden = hidden_places(pictures)
    for picture in pictures:
        assert not small_shown(picture, hidden)
    assert not found_out(pictures, hidden)


def test_the_attack_finds_what_only_the_small_ones_hide() -> None:
    crowd = [{"clinic": "a", "sex": "m", "answer": "yes"}] * 9
    crowd += [{"clinic": "b", "sex": "m", "answer": "yes"}] * 3
    picture = picture_of(figures_of(crowd))
    small = frozenset(place for place, cell in picture.items() if cell.n in {1, 2, 3, 4})
    assert ("answered", "clinic", "b") in found_out([picture], small)


def test_a_month_without_small_numbers_hides_nothing() -> None:
    crowd = [
        {"clinic": clinic, "sex": sex, "answer": answer}
        for clinic in "abc"
        for sex in "mk"
        for answer in ("yes", "travel", "other")
        for _n in range(5)
    ]
    picture = picture_of(figures_of(crowd))
    assert hidden_places([picture]) == frozenset()


def test_a_small_share_hides_its_count_and_the_other_way_round() -> None:
    figures = [
        Figure("region", "13", "", "answered", 20, 20),
        Figure("region", "13", "", "accepted", 18, 18),
        Figure("region", "13", "", "declined", 2, 2),
        Figure("region", "13", "", "accepted_share", 20, 90.0),
    ]
    hidden = {place[2] for place in hidden_places([picture_of(figures)])}
    assert hidden == {"accepted", "declined", "accepted_share"}


def test_a_median_of_few_is_hidden_with_its_number() -> None:
    figures = [Figure("region", "13", "", "handling_days", 3, 5.0, 5.0)]
    assert hidden_places([picture_of(figures)]) == {("region", "13", "handling_days")}


@pytest.mark.parametrize("missing", [0, 3])
def test_what_a_dimension_leaves_out_is_not_told_when_small(missing: int) -> None:
    figures = [
        Figure("region", "13", "", "received", 20 + missing, 20 + missing),
        Figure("clinic", "a", "", "received", 20, 20),
    ]
    hidden = hidden_places([picture_of(figures)])
    assert bool(hidden) == bool(missing)
