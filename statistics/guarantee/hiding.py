"""Small numbers in nested counts that add up over groups: hidden, and not to be worked out.

The table: a row for each group, and in it counts of sets of patients, some of which hold others
(``columns.PAIRS``). Groups add up in families: clinics to their medical area, areas and phases to
the region. What a reader can subtract is thus a count from the one that holds it, and a group from
the sum of its family. A number of 1-4 that comes out of either is not to be known.

A number counts as safe when another table gives the same picture: one patient more in a set of
hidden counts of its row, and one fewer in the same counts of another row of the family, or as many
in the sum's, all hidden too, with no count falling outside those that hold it or that it holds.
Where nothing of the kind exists more is hidden, as little as makes such a table; at last all.
docs/decisions/0030-the-care-guarantees-figures.md
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations

from organisations.suppression import SMALL
from statistics.guarantee.columns import (
    COUNTS,
    LIMITS,
    PAIRS,
    SIZE,
    Basis,
    Column,
    Count,
    Size,
    lies_within,
)

Row = str
Values = Mapping[Row, Mapping[Count, int]]
Family = tuple[Row, tuple[Row, ...]]  # the sum, and what it is the sum of
Block = frozenset[Count]
Hidden = set[tuple[Row, Count]]

_BELOW = {c: tuple(one for one, other in PAIRS if other == c) for c in COUNTS}
_ABOVE = {c: tuple(other for one, other in PAIRS if one == c) for c in COUNTS}
# Which of two counts goes first: the figures that are asked for most stay longest.
_GOES_FIRST = {limit: place for place, limit in enumerate((30, 180, 60, 90))}


def hide(
    values: Values,
    families: Sequence[Family],
    *,
    elsewhere: Mapping[Row, bool] | None = None,
    withheld: Iterable[Row] = (),
) -> Hidden:
    """The cells that are not shown. ``elsewhere``: whether another page hides the row's size.

    What it shows can hide nothing here. Of ``withheld`` rows nothing is shown.
    """
    elsewhere = elsewhere or {}
    table = _Table(values, families, known={row for row, away in elsewhere.items() if not away})
    for row, away in elsewhere.items():
        if away:
            table.hide(row, _block(SIZE))
    for row in withheld:
        table.hide(row, frozenset(COUNTS))
    # What is hidden later takes nothing from what was made safe before.
    for row, one, other in table.small:
        table.make_safe(row, one, other)
    return table.hidden


class _Table:
    def __init__(
        self, values: Values, families: Sequence[Family], *, known: Collection[Row] = ()
    ) -> None:
        self.values = values
        self.known = known
        self.hidden: Hidden = set()
        self.families = families
        # Asked over and over of values that stay the same.
        self.has_room = cache(self._has_room)
        self.of_row = {
            row: [n for n, (total, parts) in enumerate(families) if row in {total, *parts}]
            for row in values
        }
        small = frozenset(SMALL)
        # The count of nothing, ``None``, is held by every count.
        self.small: list[tuple[Row, Count | None, Count]] = [
            (row, one, other)
            for row, counts in values.items()
            for one, other in (*((None, c) for c in COUNTS), *PAIRS)
            if counts[other] - (counts[one] if one else 0) in small
        ]

    def is_safe(self, row: Row, one: Count | None, other: Count) -> bool:
        """Whether the difference could be another number for all that is shown."""
        return any(
            self.moves(row, counts, sign)
            for counts in _telling_apart(one, other)
            for sign in (1, -1)
        )

    def moves(self, row: Row, counts: Block, sign: int, come_from: int | None = None) -> bool:
        """Whether the counts of the row can be one more (or fewer) with nothing shown changed."""
        if any((row, count) not in self.hidden for count in counts) or self._is_known(row, counts):
            return False
        if not self.has_room(row, counts, sign):
            return False
        return all(
            any(
                self.moves(
                    member, counts, sign if (row == total) != (member == total) else -sign, number
                )
                for member in (total, *parts)
                if member != row
            )
            for number in self.of_row[row]
            if number != come_from
            for total, parts in (self.families[number],)
        )

    def _is_known(self, row: Row, counts: Block) -> bool:
        return row in self.known and SIZE in counts

    def _has_room(self, row: Row, counts: Block, sign: int) -> bool:
        values = self.values[row]
        if sign > 0:
            return all(
                values[above] > values[count]
                for count in counts
                for above in _ABOVE[count]
                if above not in counts
            )
        return all(
            values[count] > (max((values[b] for b in _BELOW[count] if b not in counts), default=0))
            for count in counts
        )

    def hide(self, row: Row, block: Block) -> None:
        self.hidden.update((row, count) for count in block)

    def make_safe(self, row: Row, one: Count | None, other: Count) -> None:
        """Hide one of the two counts in the row, and what must go with it, until it is safe."""
        if self.is_safe(row, one, other):
            return
        ends = [count for count in (one, other) if count]
        if not any((row, count) in self.hidden for count in ends):
            ends = [end for end in ends if not self._is_known(row, frozenset({end}))] or ends
            self.hide(row, _block(min(ends, key=lambda count: _rank(count, alone=one is None))))
        kept = [count for count in ends if (row, count) in self.hidden]
        for choices in (_alike(kept), [c for c in _moved_together() if not c.isdisjoint(kept)]):
            ways = [
                way
                for counts in choices
                if (one in counts) != (other in counts)
                for sign in (1, -1)
                if (way := self._cheapest(row, counts, sign)) is not None
            ]
            if ways:
                _cost, cells = min(ways, key=lambda way: way[0])
                self.hidden.update(cells)
                return
        for each in self.values:
            self.hide(each, frozenset(COUNTS))

    def _cheapest(
        self, row: Row, counts: Block, sign: int, come_from: int | None = None
    ) -> tuple[float, Hidden] | None:
        """What to hide for the counts of the row to move, and its cost; ``None`` when they cannot.

        The cost is a count of cells, and by a little more the larger groups.
        """
        if self._is_known(row, counts) or not self.has_room(row, counts, sign):
            return None
        cells = {(row, c) for count in counts for c in _block(count)} - self.hidden
        cost = sum(1 + min(self.values[row][c], 10**6) / 10**7 for _row, c in cells)
        # The sum is what most look at.
        cost *= 3 if any(total == row for total, _parts in self.families) else 1
        for number in self.of_row[row]:
            if number == come_from:
                continue
            total, parts = self.families[number]
            ways = [
                way
                for member in (total, *parts)
                if member != row
                if (
                    way := self._cheapest(
                        member,
                        counts,
                        sign if (row == total) != (member == total) else -sign,
                        number,
                    )
                )
            ]
            if not ways:
                return None
            more, others = min(ways, key=lambda way: way[0])
            cost += more
            cells |= others
        return cost, cells


def _rank(count: Count, *, alone: bool) -> tuple[int, int]:
    """The size of a group goes last; counts with pauses before the guarantee's own."""
    if isinstance(count, Size):
        return (2, 0)
    return (1 if count.basis == Basis.WITHOUT else 0, _GOES_FIRST[count.limit])


@cache
def _block(count: Count) -> Block:
    """What is hidden with a count: never a basis alone, which the others would tell of.

    The guarantee's own reckoning takes the others of the limit with it.
    """
    if isinstance(count, Size):
        return frozenset({count})
    return frozenset(
        Column(basis, count.limit)
        for basis in Basis.values
        if count.basis == Basis.WITHOUT or basis != Basis.WITHOUT
    )


def _alike(counts: Sequence[Count]) -> list[Block]:
    """The fewest counts that move with one of ``counts``: those of its limit."""
    limits = {count.limit for count in counts if isinstance(count, Column)}
    return [
        block
        for block in _moved_together()
        if not block.isdisjoint(counts)
        and (SIZE in block or {c.limit for c in block if isinstance(c, Column)} <= limits)
    ]


@cache
def _moved_together() -> tuple[Block, ...]:
    """The counts that one patient's coming, going or other wait changes."""
    ways = [
        ways
        for size in range(1, len(Basis.values) + 1)
        for ways in combinations(Basis.values, size)
        if _is_one_end(ways)
    ]
    spans = [
        LIMITS[first:last]
        for first in range(len(LIMITS))
        for last in range(first + 1, len(LIMITS) + 1)
    ]
    moved: list[Block] = [
        frozenset(Column(b, limit) for b in basis for limit in span)
        for basis in ways
        for span in spans
    ]
    whole: list[Block] = [
        frozenset({SIZE, *(Column(b, limit) for b in Basis.values for limit in LIMITS[first:])})
        for first in range(len(LIMITS) + 1)
    ]
    return (*sorted(moved, key=len), *whole)


@cache
def _telling_apart(one: Count | None, other: Count) -> tuple[Block, ...]:
    """What changes the difference between the two counts."""
    return tuple(c for c in _moved_together() if (one in c) != (other in c))


def _is_one_end(ways: Sequence[str]) -> bool:
    """Whether the bases are those above, or those below, some place in their order."""
    limit = LIMITS[0]
    others = [b for b in Basis.values if b not in ways]
    up = not any(
        lies_within(Column(b, limit), Column(other, limit)) for b in ways for other in others
    )
    down = not any(
        lies_within(Column(other, limit), Column(b, limit)) for b in ways for other in others
    )
    return up or down
