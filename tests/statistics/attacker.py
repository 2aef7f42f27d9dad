"""One who reads several pages and writes down every count: what follows from all of it together?

Counts are whole and at least nought, some are shown, and sums hold between them. A hidden count
of 1-4 is found out when no solution makes it larger than 4: it is then known to be small.
That is asked of a linear program (HiGHS), which knows nothing of how hiding is done.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import highspy

SMALL = range(1, 5)
LEAST, MOST = SMALL[-1] + 1, 1000
# Measure, group and whatever tells counts apart.
Name = Any


@dataclass
class Attacker:
    """``true``: what every count is; of it the attacker uses only what is ``shown``."""

    true: dict[Name, int] = field(default_factory=dict)
    shown: dict[Name, int] = field(default_factory=dict)
    sums: list[tuple[Name, tuple[Name, ...]]] = field(default_factory=list)
    # Known to be some, where a rule hides no noughts.
    some: set[Name] = field(default_factory=set)
    # Known to be 1-4, where a rule hides nothing else.
    few: set[Name] = field(default_factory=set)

    def read(self, page: Mapping[Name, int | None], truth: Mapping[Name, int]) -> None:
        """A page: each count, ``None`` where it is hidden. ``truth`` is the same unhidden."""
        for name, count in page.items():
            true = truth.get(name, 0)
            if self.true.setdefault(name, true) != true:
                raise AssertionError(f"{name} means different things on two pages")
            if count is not None:
                if count != true:
                    raise AssertionError(f"{name} is shown as {count} and is {true}")
                self.shown[name] = count

    def adds_up(self, total: Name, parts: Iterable[Name], *, rest: Name | None = None) -> None:
        """``total`` is the sum of the ``parts`` and of what they leave out, the ``rest``."""
        parts = tuple(parts)
        left = self.true.get(total, 0) - sum(self.true.get(part, 0) for part in parts)
        if rest is None and left:
            raise AssertionError(f"{total} is not the sum of {parts}")
        if rest is not None:
            if left < 0:
                raise AssertionError(f"{total} is less than the sum of {parts}")
            self.true[rest] = left
            parts = (*parts, rest)
        for name in (total, *parts):
            # What no page names is nought for all, and everybody knows it.
            if name not in self.true:
                self.true[name] = self.shown[name] = 0
        self.sums.append((total, parts))

    def shows_small(self) -> list[Name]:
        return [name for name, count in self.shown.items() if count in SMALL]

    def finds_out(self) -> list[tuple[Name, int]]:
        """Each hidden small count that must be small, with the most that it can be."""
        most_of = self._asking()
        asked = [name for name, n in self.true.items() if n in SMALL and name not in self.shown]
        found = []
        while asked:
            name = asked.pop()
            could_be = most_of(name, 1)
            if could_be[name] < LEAST - 0.001:
                found.append((name, int(could_be[name] + 0.001)))
            # One solution answers for all that it makes large.
            asked = [one for one in asked if could_be[one] < LEAST]
        return found

    def knows(self) -> list[Name]:
        """The hidden small counts that can be nothing else."""
        most_of = self._asking()
        hidden = [name for name, n in self.true.items() if n in SMALL and name not in self.shown]
        return [name for name in hidden if most_of(name, 1)[name] - most_of(name, -1)[name] < 0.001]

    def _asking(self) -> Callable[[Name, int], Mapping[Name, float]]:
        """A function that gives the counts in which one is the largest (or smallest) it can be."""
        names = list(self.true)
        place = {name: number for number, name in enumerate(names)}
        model = highspy.Highs()
        for option, value in (("output_flag", False), ("solver", "simplex")):
            model.setOptionValue(option, value)
        for name in names:
            known = self.shown.get(name)
            least, most = int(name in self.some | self.few), SMALL[-1] if name in self.few else MOST
            model.addVar(least if known is None else known, most if known is None else known)
        for total, parts in self.sums:
            model.addRow(
                0,
                0,
                1 + len(parts),
                [place[total], *(place[part] for part in parts)],
                [1.0, *[-1.0] * len(parts)],
            )
        model.changeObjectiveSense(highspy.ObjSense.kMaximize)

        def most_of(name: Name, sign: int) -> Mapping[Name, float]:
            model.changeColCost(place[name], float(sign))
            model.run()
            if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise AssertionError(f"what is shown does not add up: {model.getModelStatus()}")
            found = dict(zip(names, model.getSolution().col_value, strict=True))
            model.changeColCost(place[name], 0.0)
            return found

        return most_of
