"""The numbers of places to use on each line: the most days gained, then the least cost.

The numbers are whole and few, those who wait are many. So the programme is cut in two (Benders):
a small one chooses the numbers within all limits, where each block's gain is only known by what
its transportation problem has told so far: that near such numbers, one place more or less is
worth so much. What it chooses is tried, what that tells is added, until what is promised is held.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import highspy
import numpy as np

from capacity.allocation.problem import Limit
from capacity.allocation.transport import NO_LIMIT, Block, Value, fill_rows, solver_of

# The aims are whole numbers, so a gap below one is none.
WHOLE = 0.99
SLACK = 0.5

Numbers = dict[int, int]


@dataclass(frozen=True)
class Clock:
    """When the time is up, by ``time.monotonic``."""

    ends: float

    @property
    def left(self) -> float:
        return max(0.0, self.ends - time.monotonic())


@dataclass(frozen=True)
class Part:
    """Blocks that limits tie together, with the price of each line."""

    blocks: tuple[Block, ...]
    prices: Mapping[int, Decimal]
    limits: tuple[Limit, ...]

    @property
    def lines(self) -> list[int]:
        return [line for block in self.blocks for line in block.lines]


@dataclass(frozen=True)
class Found:
    """Who sends whom per block; ``gain_bound`` is the most that anybody could gain, in days."""

    values: tuple[Value, ...]
    gain_bound: int
    is_best: bool
    is_cheapest: bool


def search(part: Part, *, start: Numbers, clock: Clock) -> Found:
    """The best numbers, from those of ``start`` on; when time is up, the best found so far."""
    chooser = _Chooser(part)
    best, bound = _most_gained(part, chooser, start, clock)
    gained = _gain(best)
    if bound > gained:
        return Found(best, bound, is_best=False, is_cheapest=False)
    cheapest, is_cheapest = _least_cost(part, chooser, best, gained, clock)
    return Found(cheapest, gained, is_best=True, is_cheapest=is_cheapest)


def _most_gained(
    part: Part, chooser: "_Chooser", start: Numbers, clock: Clock
) -> tuple[tuple[Value, ...], int]:
    """The best values and the most that can be gained, which are equal when time allows."""
    best = _tried(part, start)
    chooser.learn(start, best)
    bound = math.inf
    while clock.left:
        relaxed, promised = chooser.relaxed(clock)
        values = _tried(part, relaxed)
        bound = min(bound, promised)
        held = chooser.learn(relaxed, values)
        if held or promised - sum(value.gain for value in values) < WHOLE / 2:
            break
    while clock.left and bound - _gain(best) >= WHOLE:
        numbers, promised = chooser.choose(clock)
        bound = min(bound, promised)
        if numbers is None:
            break
        values = _tried(part, numbers)
        if _gain(values) > _gain(best):
            best = values
        if chooser.learn(numbers, values):
            break
    everything = sum(
        one.home_days for block in part.blocks for c in block.classes for one in c.members
    )
    return best, max(_gain(best), math.floor(min(bound, everything) + 1e-6))


def _gain(values: Sequence[Value]) -> int:
    return round(sum(value.gain for value in values))


def _least_cost(
    part: Part, chooser: "_Chooser", best: tuple[Value, ...], gained: int, clock: Clock
) -> tuple[tuple[Value, ...], bool]:
    """The cheapest numbers that gain as much; false when time did not allow to find them."""
    chooser.keep(gained)
    while clock.left:
        numbers, _cost = chooser.choose(clock)
        if numbers is None:
            break
        values = _tried(part, numbers)
        if _gain(values) >= gained:
            return values, True
        chooser.learn(numbers, values)
    return best, False


def _tried(part: Part, numbers: Mapping[int, float]) -> tuple[Value, ...]:
    return tuple(
        block.value({line: numbers.get(line, 0) for line in block.lines}) for block in part.blocks
    )


# So few columns are not worth presolving: without it the search takes two thirds of the time.
_OPTIONS: dict[str, Any] = {
    "mip_rel_gap": 0.0,
    "mip_abs_gap": WHOLE,
    "mip_feasibility_tolerance": 1e-9,
    "presolve": "off",
}


class _Chooser:
    """The small programme: columns are the numbers of the lines, then each block's gain."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._lines = part.lines
        self._place = {line: number for number, line in enumerate(self._lines)}
        self._told: set[Any] = set()
        most = self._most()
        rows = [row for limit in part.limits for row in self._rows(limit)]
        lp = highspy.HighsLp()
        n_lines, n_blocks = len(self._lines), len(part.blocks)
        lp.num_col_, lp.num_row_ = n_lines + n_blocks, len(rows)
        lp.col_cost_ = np.array([0.0] * n_lines + [-1.0] * n_blocks)
        lp.col_lower_ = np.zeros(n_lines + n_blocks)
        lp.col_upper_ = np.array([float(n) for n in most] + [NO_LIMIT] * n_blocks)
        lp.row_lower_ = np.array([-NO_LIMIT] * len(rows))
        lp.row_upper_ = np.array([most for _entries, most in rows], dtype=float)
        entries = [(r, c, v) for r, (row, _most) in enumerate(rows) for c, v in row]
        row, column, value = np.array(entries).T if entries else np.zeros((3, 0))
        fill_rows(lp, row, column, value)
        self._solver = solver_of(lp, **_OPTIONS)

    def _most(self) -> list[int]:
        """What each line can take by itself: those who could come, and the limits it has alone."""
        most = {line: n for block in self._part.blocks for line, n in block.most().items()}
        for limit in self._part.limits:
            for line in limit.lines & most.keys():
                if limit.places is not None:
                    most[line] = min(most[line], max(0, limit.places))
                if limit.sek is not None:
                    room = max(0, int(limit.sek // self._part.prices[line]))
                    most[line] = min(most[line], room)
        return [most[line] for line in self._lines]

    def _rows(self, limit: Limit) -> list[tuple[list[tuple[int, float]], float]]:
        """A limit that several lines share; what one line has alone is its column's bound."""
        lines = sorted(self._place[line] for line in limit.lines if line in self._place)
        if len(lines) < 2:
            return []
        rows = []
        if limit.places is not None:
            rows.append(([(line, 1.0) for line in lines], float(max(0, limit.places))))
        if limit.sek is not None:
            prices = [self._part.prices[self._lines[line]] for line in lines]
            unit = _common_unit(prices)
            weights = [float(price / unit) for price in prices]
            most = float(max(Decimal(0), limit.sek // unit))
            rows.append((list(zip(lines, weights, strict=True)), most))
        return rows

    def learn(self, numbers: Mapping[int, float], values: Sequence[Value]) -> bool:
        """Add what the blocks have told; true when all of it was known."""
        known = True
        for number, value in enumerate(values):
            at_none = value.gain - sum(
                worth * numbers.get(line, 0) for line, worth in value.worth.items()
            )
            # Duals and data are whole, so what is told of no places is whole too.
            told = (number, round(at_none), tuple(sorted(value.worth.items())))
            if told in self._told:
                continue
            self._told.add(told)
            known = False
            used = [(self._place[line], -float(worth)) for line, worth in told[2] if worth]
            index = np.array([c for c, _v in used] + [len(self._lines) + number], dtype=np.int32)
            weights = np.array([v for _c, v in used] + [1.0])
            self._solver.addRow(-NO_LIMIT, float(told[1]), len(index), index, weights)
        return known

    def keep(self, gained: int) -> None:
        """From now on seek the least cost that gains as much."""
        n_lines, n_blocks = len(self._lines), len(self._part.blocks)
        gains = np.arange(n_lines, n_lines + n_blocks, dtype=np.int32)
        self._solver.addRow(gained - SLACK, NO_LIMIT, n_blocks, gains, np.ones(n_blocks))
        unit = _common_unit([self._part.prices[line] for line in self._lines])
        costs = [float(self._part.prices[line] / unit) for line in self._lines]
        columns = np.arange(n_lines + n_blocks, dtype=np.int32)
        self._solver.changeColsCost(
            len(columns), columns, np.array(costs + [0.0] * n_blocks, dtype=float)
        )

    def relaxed(self, clock: Clock) -> tuple[dict[int, float], float]:
        """The best numbers by what is known, whole or not, and the gain that they promise."""
        self._set_kind(highspy.HighsVarType.kContinuous)
        values = self._run(clock)
        promised = -self._solver.getInfo().objective_function_value
        return dict(zip(self._lines, values[: len(self._lines)].tolist(), strict=True)), promised

    def choose(self, clock: Clock) -> tuple[Numbers | None, float]:
        """The best whole numbers by what is known; the bound is what they can promise at most.

        ``None`` when time was up before any were found.
        """
        self._set_kind(highspy.HighsVarType.kInteger)
        values = self._run(clock)
        info = self._solver.getInfo()
        bound = -info.mip_dual_bound if math.isfinite(info.mip_dual_bound) else math.inf
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None, bound
        numbers = np.rint(values[: len(self._lines)]).astype(int)
        return dict(zip(self._lines, numbers.tolist(), strict=True)), bound

    def _run(self, clock: Clock) -> Any:
        self._solver.setOptionValue("time_limit", self._solver.getRunTime() + clock.left)
        self._solver.run()
        return np.array(self._solver.getSolution().col_value)

    def _set_kind(self, kind: Any) -> None:
        columns = np.arange(len(self._lines), dtype=np.int32)
        kinds = np.array([kind] * len(columns), dtype=np.uint8)
        self._solver.changeColsIntegrality(len(columns), columns, kinds)


def _common_unit(prices: Sequence[Decimal]) -> Decimal:
    """The greatest amount of which every price is a whole multiple, at the least one öre."""
    return Decimal(math.gcd(*(int(price * 100) for price in prices))) / 100
