"""The best allocation: the least total wait, then the least cost, then the shortest ways.

A mixed-integer programme, solved by HiGHS. Only the number of places that each line takes has to be
whole: once those are given, the rest is a transportation problem, whose corners are whole by
themselves. That leaves at most one integer per line, however many wait. Those with the same wait
at home and the same ways are one class. Lines that neither patients nor limits tie together are
solved apart. See docs/decisions/0018-allocation-by-a-solver.md.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from capacity.allocation.figures import figures_of
from capacity.allocation.first_come import first_come
from capacity.allocation.nearest import handed_out
from capacity.allocation.problem import Placed, Problem, Waiting, broken, counted
from capacity.allocation.search import Clock, Part, search
from capacity.allocation.transport import Block, Class

# Long enough for a national list, short enough for a worker (issue: 30 s for 10 000 × 200).
SECONDS = 25.0


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Who goes where, and how sure it is.

    ``bound_days`` is the least total wait that anybody could reach; it equals the allocation's own
    when ``is_best``. ``is_cheapest`` says whether the cost was brought to its least too before the
    time was up.
    """

    placed: Placed
    first_come: Placed
    is_best: bool
    is_cheapest: bool
    bound_days: int
    seconds: float


def allocate(problem: Problem, *, seconds: float = SECONDS) -> Allocation:
    """Allocate all who wait, at once. Never worse in total wait than first come, first served.

    The same problem gives the same answer, in whatever order its parts come, as long as the time
    is not up. When it is, the best found stands, with the bound that it is held against.
    """
    began = time.monotonic()
    clock = Clock(began + seconds)
    simple = first_come(problem)
    start = counted(simple.values())
    placed: Placed = {}
    bound = sum(one.home_days for one in problem.waiting)
    best = cheapest = True
    for part in _parts(problem):
        found = search(part, start=start, clock=clock)
        bound -= found.gain_bound
        best, cheapest = best and found.is_best, cheapest and found.is_cheapest
        for block, value in zip(part.blocks, found.values, strict=True):
            placed |= handed_out(block, value, clock=clock)
    placed = _shorter_ways(problem, placed, simple)
    if broken(problem, counted(placed.values())):  # the solver counts in floats; this does not
        raise ArithmeticError("the solver's answer passes a limit")
    return Allocation(
        placed=placed,
        first_come=simple,
        is_best=best,
        is_cheapest=best and cheapest,
        bound_days=bound,
        seconds=time.monotonic() - began,
    )


def _shorter_ways(problem: Problem, placed: Placed, simple: Placed) -> Placed:
    """First come, when it has the same wait and cost and shorter ways; never worse in any."""
    worth = [
        (figures.wait_days, figures.cost_sek, figures.distance_km)
        for figures in (figures_of(problem, placed), figures_of(problem, simple))
    ]
    return simple if worth[1] < worth[0] else placed


def _parts(problem: Problem) -> Iterator[Part]:
    """The problem in parts that have nothing to do with each other."""
    blocks = list(_blocks(problem))
    used = {line for block in blocks for line in block.lines}
    limits = [limit for limit in problem.limits if limit.lines & used]
    joined = _joined(used, (*(block.lines for block in blocks), *(m.lines & used for m in limits)))
    roots = sorted({joined.root(line) for line in used})
    for root in roots:
        yield Part(
            blocks=tuple(block for block in blocks if joined.root(block.lines[0]) == root),
            prices=problem.prices,
            limits=tuple(m for m in limits if joined.root(min(m.lines & used)) == root),
        )


def _blocks(problem: Problem) -> Iterator[Block]:
    """Classes of those with the same lines, put together where they share a line."""
    members: dict[tuple[tuple[int, int], ...], list[Waiting]] = defaultdict(list)
    for one in problem.in_order():
        if one.shorter():
            members[tuple(sorted((way.line, way.wait_days) for way in one.ways))].append(one)
    classes = [Class(dict(waits), tuple(those)) for waits, those in sorted(members.items())]
    joined = _joined({line for c in classes for line in c.waits}, (c.waits for c in classes))
    together: dict[int, list[Class]] = defaultdict(list)
    for alike in classes:
        together[joined.root(next(iter(alike.waits)))].append(alike)
    for _root, those in sorted(together.items()):
        yield Block(those)


def _joined(lines: Iterable[int], groups: Iterable[Iterable[int]]) -> "_Joined":
    joined = _Joined(lines)
    for group in groups:
        joined.join(group)
    return joined


class _Joined:
    """Lines that belong together (union-find)."""

    def __init__(self, lines: Iterable[int]) -> None:
        self._above = {line: line for line in lines}

    def root(self, line: int) -> int:
        while self._above[line] != line:
            self._above[line] = self._above[self._above[line]]
            line = self._above[line]
        return line

    def join(self, lines: Iterable[int]) -> None:
        roots = sorted({self.root(line) for line in lines})
        for root in roots[1:]:
            self._above[root] = roots[0]
