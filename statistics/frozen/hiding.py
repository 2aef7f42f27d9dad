"""Which counts of a month are hidden from those who see figures only: one decision for all pages.

Counts hang together in two ways. A whole is split into parts: answers into yes and no, the treated
by whose contract. And the region is divided into groups, by one dimension at a time, some of which
are divided again: a medical area into procedures. A count of 1-4 is hidden, and so that it cannot
be worked out:

- a *whole* that is small in the region is hidden everywhere, with all it is split into;
- *parts* of which one is small in the region are hidden there, the small and the smallest larger
  one, and are then hidden in every group, as if they were one part that is known;
- a *group* in which a whole is small is hidden with the smallest larger one of its dimension;
- a group in which only a part is small keeps the whole and hides all parts, noughts too, with the
  same parts of other groups, until what is hidden together is small in no part.

Where there is no larger one, everything of that kind is hidden, noughts too. What is hidden of a
whole is hidden of its parts. So the hidden groups can exchange any number with each other, in every
part by itself, and every hidden small count could be 5 or more.

Each decision looks at one split in one dimension, and at nothing else. Therefore pages that show
some of the counts decide alike by themselves. docs/decisions/0035-one-decision-for-all-pages.md
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

from organisations.suppression import SMALL

REGION = "region"
# A dimension's key; a group.
Group = tuple[str, str]
# A count: which one, and of which group.
Node = tuple[str, str, str]
# Each count by group; what is nought may be left out.
Table = Mapping[str, Mapping[Group, int]]
# The same count in every table.
Numbers = tuple[int, ...]
# What the parts leave out of the whole, never shown.
REST = "rest"
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Split:
    """``counted``: whether the whole stands in the tables. Else it is the sum of its parts, which
    no page shows, but which follows from other figures."""

    whole: str
    parts: tuple[str, ...]
    counted: bool = True


@dataclass(frozen=True)
class Within:
    """A dimension whose groups each lie in one group of another."""

    inner: str
    outer: str
    belongs: Mapping[str, str]


class Hiding:
    """``tables`` are pictures of the same month (versions, corrections): they hide the same. Each
    hides more than those before it: a page that has one more names it last.

    ``before`` are counts that are hidden whatever they are now: they were small between two of
    them, or the month before would follow. ``groups`` are those that a page lists though nothing
    happened in them.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        splits: Sequence[Split],
        *,
        before: Collection[Node] = (),
        within: Iterable[Within] = (),
        groups: Iterable[Group] = (),
    ) -> None:
        self.tables = tables
        self.before = frozenset(before)
        self.everywhere: set[str] = set()
        self._within = {one.inner: one for one in within}
        self._splits: dict[str, list[Split]] = defaultdict(list)
        self._sums = {split.whole: split.parts for split in splits if not split.counted}
        for split in splits:
            self._splits[split.whole].append(split)
        self._whole_of = {part: split.whole for split in splits for part in split.parts}
        self._rows: dict[tuple[str, str], set[str]] = {}
        self._extra = groups
        columns = {column for table in tables for column in table}
        columns |= {column for column, *_group in self.before}
        for column in sorted({self._top(column) for column in columns}):
            self._decide(column)

    def is_hidden(self, column: str, group: Group) -> bool:
        return column in self.everywhere or group[1] in self._rows.get((column, group[0]), ())

    def may_be_some(self, column: str, group: Group) -> bool:
        """Whether a reader can take the count for other than nought."""
        if any(self._numbers(column, group)):
            return True
        whole = self._whole_of.get(column)
        return self.is_hidden(column, group) if whole is None else self.may_be_some(whole, group)

    @cached_property
    def keys(self) -> dict[str, set[str]]:
        """The groups by dimension, those of others before those that lie in them."""
        found: dict[str, set[str]] = defaultdict(set)
        for dimension, key in self._extra:
            found[dimension].add(key)
        for table in self.tables:
            for column in table.values():
                for dimension, key in column:
                    found[dimension].add(key)
        found.pop(REGION, None)
        return dict(sorted(found.items(), key=lambda item: item[0] in self._within))

    @cached_property
    def region(self) -> Group:
        groups = (g for table in self.tables for column in table.values() for g in column)
        return next((group for group in groups if group[0] == REGION), (REGION, ""))

    def _top(self, column: str) -> str:
        whole = self._whole_of.get(column)
        return column if whole is None else self._top(whole)

    def _numbers(self, column: str, group: Group) -> Numbers:
        if column in self._sums:
            return _added([self._numbers(part, group) for part in self._sums[column]])
        return tuple(table.get(column, {}).get(group, 0) for table in self.tables)

    def _was_small(self, column: str, group: Group) -> bool:
        return (column, *group) in self.before

    def _decide(self, column: str) -> None:
        """A whole that is no part of anything."""
        if _any_small(self._numbers(column, self.region)) or self._was_small(column, self.region):
            self._hide_everywhere(column)
            return
        for dimension, sets in self._divided():
            hidden = self._rows[column, dimension] = set()
            for outer, keys in sets:
                if outer and self.is_hidden(column, outer):
                    hidden |= keys
                    continue
                numbers = {key: self._numbers(column, (dimension, key)) for key in keys}
                small = {key for key in keys if self._was_small(column, (dimension, key))}
                hidden |= alone(
                    numbers, small, total=self._numbers(column, outer) if outer else None
                )
        for split in self._splits[column]:
            self._decide_parts(split)

    def _decide_parts(self, split: Split) -> None:
        """The parts of a whole that the region shows."""
        names = (*split.parts, REST)
        totals = dict(zip(names, self._parts(split, self.region), strict=True))
        small = {part for part in split.parts if self._was_small(part, self.region)}
        away = alone(totals, small)
        for part in away - {REST}:
            self._hide_everywhere(part)
        # The hidden ones together are the whole less the others: known in every group.
        known = [[names.index(name) for name in names if name in away]] if away else []
        known += [[place] for place, name in enumerate(names) if name not in away]

        @cache
        def row(group: Group) -> tuple[Numbers, ...]:
            parts = self._parts(split, group)
            return tuple(_added(parts[place] for place in places) for places in known)

        for dimension, sets in self._divided():
            hidden = set(self._rows[split.whole, dimension])
            for outer, keys in sets:
                if outer and outer[1] in self._rows.get((split.parts[0], outer[0]), ()):
                    hidden |= keys
                    continue
                small = {
                    key
                    for key in keys
                    if any(
                        self._was_small(part, (dimension, key))
                        for part in split.parts
                        if part not in away
                    )
                }
                hidden |= together(
                    {key: row((dimension, key)) for key in keys},
                    small | (hidden & keys),
                    totals=row(outer) if outer else None,
                )
            for part in split.parts:
                self._rows[part, dimension] = hidden
        for part in split.parts:
            if part not in self.everywhere:
                for finer in self._splits[part]:
                    self._decide_parts(finer)

    def _parts(self, split: Split, group: Group) -> list[Numbers]:
        """The parts in the group, and what they leave out."""
        parts = [self._numbers(part, group) for part in split.parts]
        whole = self._numbers(split.whole, group)
        return [*parts, tuple(max(0, n - m) for n, m in zip(whole, _added(parts), strict=True))]

    def _divided(self) -> Iterator[tuple[str, list[tuple[Group | None, set[str]]]]]:
        """Each dimension: what is divided, if that is known, and into which keys."""
        for dimension, keys in self.keys.items():
            inside = self._within.get(dimension)
            if inside is None or inside.outer not in self.keys:
                yield dimension, [(self.region, keys)]
                continue
            sets: dict[Group | None, set[str]] = defaultdict(set)
            for key in keys:
                outer = inside.belongs.get(key)
                sets[(inside.outer, outer) if outer else None].add(key)
            yield dimension, list(sets.items())

    def _hide_everywhere(self, column: str) -> None:
        self.everywhere.add(column)
        for split in self._splits[column]:
            for part in split.parts:
                self._hide_everywhere(part)


def alone(
    numbers: Mapping[Key, Numbers], small: Iterable[Key] = (), *, total: Numbers | None = None
) -> set[Key]:
    """The keys of one column of counts to hide: the small, and a larger one with its equals.

    ``total``: their known sum; what they lack of it is a hidden one more.
    """
    hidden = set(small)
    for place in range(len(next(iter(numbers.values()), ()))):
        column = {key: counts[place] for key, counts in numbers.items()}
        hidden |= {key for key, n in column.items() if n in SMALL}
        rest = 0 if total is None else total[place] - sum(column.values())
        if rest < 0:  # some are counted twice: no sum to subtract from
            continue
        while True:
            away = [n for n in (*(column[key] for key in hidden), rest) if n]
            if not _any_small(away) or (len(away) > 1 and max(away) not in SMALL):
                break
            larger = [n for key, n in column.items() if n and key not in hidden]
            if not larger:
                return set(numbers)
            hidden |= {key for key, n in column.items() if n == min(larger)}
    return hidden


def together(
    rows: Mapping[Key, Sequence[Numbers]],
    hidden: Iterable[Key],
    *,
    totals: Sequence[Numbers] | None,
) -> set[Key]:
    """The rows of parts to hide: those with a small one, until no sum of the hidden is small."""
    away = set(hidden)
    inside = [_added(parts) for parts in zip(*rows.values(), strict=True)]
    left = [
        tuple(whole - n for whole, n in zip(total, found, strict=True))
        for total, found in zip(totals or inside, inside, strict=True)
    ]
    for place in range(len(next(iter(inside), ()))):
        away |= {key for key, row in rows.items() if _any_small(part[place] for part in row)}
        # Where some are counted twice there is no sum to subtract from.
        sums = [part for part, rest in enumerate(left) if rest[place] >= 0]
        while True:
            lacking = [
                part
                for part in sums
                if sum(rows[key][part][place] for key in away) + left[part][place] in SMALL
            ]
            more: list[Any] = [
                (sum(n[place] for n in row), number, key)
                for part in lacking[:1]
                for number, (key, row) in enumerate(rows.items())
                if key not in away and row[part][place]
            ]
            if not lacking:
                break
            if not more:
                return set(rows)
            away.add(min(more)[2])
    return away


def _any_small(counts: Iterable[int]) -> bool:
    return any(count in SMALL for count in counts)


def _added(numbers: Iterable[Numbers]) -> Numbers:
    return tuple(map(sum, zip(*numbers, strict=True)))
