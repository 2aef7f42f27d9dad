"""How many days a number of places on each line is worth: a transportation problem, by HiGHS.

What a place gains is the wait at home less the wait at the line, so for those with the same lines
it does not matter who of them goes where: they are one class, and the longest waits at home go
first. Columns: how many of each wait at home a class sends, how many of it go to each line, and
the places of each line. All corners are whole when the places are, and so are the duals, since
the matrix is a network's.

That a patient is never sent where the wait is longer than at home needs no row: in the best
solution the shortest waits at home can always be paired with the shortest at the lines, or
leaving out a pair would gain days. Pairs that gain nothing are left out when places are handed
out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from capacity.allocation.problem import Waiting

NO_LIMIT = highspy.kHighsInf

# One thread and one seed: the same problem gives the same answer.
OPTIONS: dict[str, Any] = {"output_flag": False, "threads": 1, "random_seed": 0}


@dataclass(frozen=True)
class Class:
    """Those with the same lines and waits there, in the queue's order."""

    waits: Mapping[int, int]  # days by line
    members: tuple[Waiting, ...]

    def sent_first(self) -> list[Waiting]:
        """The longest wait at home first; among equals the queue's order."""
        return sorted(self.members, key=lambda one: -one.home_days)


@dataclass(frozen=True)
class Value:
    """What places are worth: days gained, what one more on each line gains, who sends how many.

    ``gain`` is whole when the places are, but for the floats' last digits.
    """

    gain: float
    worth: dict[int, int]
    sent: tuple[dict[int, int], ...]  # per class: how many to each line


class Block:
    """Classes and the lines that they share with nobody else."""

    def __init__(self, classes: Sequence[Class]) -> None:
        self.classes = tuple(classes)
        self.lines = tuple(sorted({line for one in classes for line in one.waits}))
        self._place = {line: number for number, line in enumerate(self.lines)}
        self._homes = [
            sorted(Counter(one.home_days for one in c.members).items(), reverse=True)
            for c in classes
        ]
        self._n_homes = sum(len(homes) for homes in self._homes)
        self._ways = [
            (number, line) for number, one in enumerate(classes) for line in sorted(one.waits)
        ]
        self._solver = self._pass()

    def most(self) -> dict[int, int]:
        """How many could come to each line, were there no limit."""
        numbers: Counter[int] = Counter()
        for one in self.classes:
            for line in one.waits:
                numbers[line] += len(one.members)
        return dict(numbers)

    def value(self, places: Mapping[int, float]) -> Value:
        """The most days that the places can gain; they need not be whole."""
        first = self._n_homes + len(self._ways)
        columns = np.arange(first, first + len(self.lines), dtype=np.int32)
        numbers = np.array([places[line] for line in self.lines], dtype=float)
        self._solver.changeColsBounds(len(columns), columns, numbers, numbers)
        self._solver.run()
        solution = self._solver.getSolution()
        found = np.array(solution.col_value)
        worth = -np.rint(np.array(solution.col_dual)[first:]).astype(int)
        sent: list[dict[int, int]] = [{} for _class in self.classes]
        flows = np.rint(found[self._n_homes : first]).astype(int)
        for way in np.nonzero(flows)[0]:
            number, line = self._ways[way]
            sent[number][line] = int(flows[way])
        gain = -self._solver.getInfo().objective_function_value
        return Value(gain, dict(zip(self.lines, worth.tolist(), strict=True)), tuple(sent))

    def _pass(self) -> highspy.Highs:
        """Minimise the negative gain: classes' rows first, then the lines'."""
        n_classes, n_lines, n_ways = len(self.classes), len(self.lines), len(self._ways)
        homes = [(number, *h) for number, many in enumerate(self._homes) for h in many]
        columns = self._n_homes + n_ways + n_lines
        of_class = np.array(
            [number for number, _d, _n in homes] + [number for number, _line in self._ways]
        )
        on_line = np.array([n_classes + self._place[line] for _number, line in self._ways])
        ways = np.arange(self._n_homes, self._n_homes + n_ways)
        places = np.arange(self._n_homes + n_ways, columns)
        row = np.concatenate([of_class, on_line, np.arange(n_classes, n_classes + n_lines)])
        column = np.concatenate([np.arange(self._n_homes + n_ways), ways, places])
        value = np.concatenate([-np.ones(self._n_homes), np.ones(2 * n_ways), -np.ones(n_lines)])
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, n_classes + n_lines
        waits = [self.classes[number].waits[line] for number, line in self._ways]
        lp.col_cost_ = np.array(
            [-float(days) for _c, days, _n in homes] + waits + [0.0] * n_lines, dtype=float
        )
        lp.col_lower_ = np.zeros(columns)
        lp.col_upper_ = np.array(
            [float(n) for _c, _d, n in homes] + [NO_LIMIT] * n_ways + [0.0] * n_lines
        )
        # A class sends as many as go to lines; a line takes no more than it has places.
        lp.row_lower_ = np.array([0.0] * n_classes + [-NO_LIMIT] * n_lines)
        lp.row_upper_ = np.zeros(n_classes + n_lines)
        fill_rows(lp, row, column, value)
        return solver_of(lp)


def fill_rows(lp: highspy.HighsLp, row: Any, column: Any, value: Any) -> None:
    """Give the programme its matrix, from the row, column and value of each entry."""
    order = np.lexsort((column, row))
    starts = np.searchsorted(row[order], np.arange(lp.num_row_ + 1))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = column[order].astype(np.int32)
    lp.a_matrix_.value_ = value[order].astype(float)


class QuietHighs(highspy.Highs):
    """Says nothing: HiGHS tells its name at the first call, which its own ``__init__`` makes."""

    def enableCallbacks(self) -> None:
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def solver_of(lp: highspy.HighsLp, **options: Any) -> highspy.Highs:
    solver = QuietHighs()
    for option, setting in (OPTIONS | options).items():
        solver.setOptionValue(option, setting)
    solver.passModel(lp)
    return solver
