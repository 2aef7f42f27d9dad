"""Of which clinics the waiting at a month's end can be told without giving hidden flows away.

What waits is what waited a month before, and what came in, less what was treated or ended. One who
has a clinic's waiting at two months' ends thus knows its flows in between together. Flows of 1-4
are hidden, each with a larger one of another clinic (``statistics.frozen.hiding``).

All that hangs together is a network. A hidden flow joins its clinic in the month with the column
that it is a part of, whose sum is known; the waiting joins a clinic's month with its next, as long
as it is not told. A hidden small number could be 5 or more exactly when as much can go from one of
its ends to the other some other way round: one clinic's more is another's less, and each of them
makes up for it by another hidden flow, or by a waiting that is not told. Every number stands in two
sums, so a maximum flow answers what a linear program would.
docs/decisions/0036-the-waiting-of-clinics.md
"""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from organisations.suppression import SMALL

ENOUGH = SMALL[-1] + 1
NO_LIMIT = 10**9
LEAST_TOLD = 10

Clinic = int
Node = tuple[str, int, int] | tuple[()]
Step = tuple[Node, Node]
Steps = frozenset[Step]
# Where all ends meet of which nothing is known.
OUTSIDE: Node = ()
# Each kind of flow goes from one to the other of: the clinic among those who wait, among the
# closed, and the column of the flow. The ended have no column: they are the closed less those who
# were closed as treated.
GOES = {
    "received": ("column", "waits"),
    "treated": ("waits", "column"),
    "ended": ("waits", "closes"),
    "closed_treated": ("column", "closes"),
    "closed": ("closes", "column"),
}


@dataclass
class MonthEnd:
    """``hidden``: the flows that are not known, by kind. ``told``: the clinics whose waiting is.

    ``or_none``: the kinds of which noughts are hidden too, as few came in all.
    """

    waiting: Mapping[Clinic, int]
    hidden: Mapping[tuple[str, Clinic], int]
    or_none: frozenset[str] = frozenset()
    told: frozenset[Clinic] = frozenset()


@dataclass(frozen=True)
class Way:
    """How much must be able to go from ``start`` to ``end``, not by the straight way."""

    start: Node
    end: Node
    amount: int


class Network:
    """Hidden flows and waiting of months that follow each other, the first from nothing."""

    def __init__(self, months: Sequence[MonthEnd]) -> None:
        self.room: dict[Node, dict[Node, int]] = defaultdict(dict)
        # Of each small number how it could be another, 5 first.
        self.ways: list[list[Way]] = []
        self._last = len(months) - 1
        for number, month in enumerate(months):
            for (kind, clinic), count in month.hidden.items():
                nodes: dict[str, Node] = {
                    "waits": ("waits", number, clinic),
                    "closes": ("closes", number, clinic),
                    "column": (kind, number, 0),
                }
                start, end = GOES[kind]
                least = 0 if kind in month.or_none else min(count, 1)
                self._add(nodes[start], nodes[end], count, least=least)
            for clinic, count in month.waiting.items():
                if clinic not in month.told:
                    self._add(*self._ends(number, clinic), count, least=min(count, 1))

    def tell(self, clinic: Clinic) -> Steps:
        """Let the clinic's last waiting be known; returns the steps that are gone by it."""
        here, there = self._ends(self._last, clinic)
        del self.room[here][there], self.room[there][here]
        return frozenset({(here, there), (there, here)})

    def untell(self, clinic: Clinic, count: int) -> None:
        self._join(*self._ends(self._last, clinic), count - min(count, 1))

    def round_about(self, way: Way) -> Steps | None:
        """The steps by which as much as the way asks for can go round, if it can."""
        left, used = way.amount, defaultdict[Step, int](int)
        steps: set[Step] = set()
        while left:
            path = self._path(way, used)
            if not path:
                return None
            many = min(left, *(self.room[a][b] - used[a, b] for a, b in path))
            for a, b in path:
                used[a, b] += many
                used[b, a] -= many
            steps.update(path)
            left -= many
        return frozenset(steps)

    def _path(self, way: Way, used: Mapping[Step, int]) -> list[Step]:
        """The steps of a shortest path with room left."""
        came: dict[Node, Node] = {way.start: way.start}
        queue = deque([way.start])
        while queue and way.end not in came:
            here = queue.popleft()
            for there, room in self.room[here].items():
                straight = here == way.start and there == way.end
                if there not in came and not straight and room > used.get((here, there), 0):
                    came[there] = here
                    queue.append(there)
        if way.end not in came:
            return []
        path, here = [], way.end
        while here != way.start:
            path.append((came[here], here))
            here = came[here]
        return path

    def _add(self, start: Node, end: Node, count: int, *, least: int) -> None:
        """A hidden number: it could be any larger one, and smaller ones down to ``least``."""
        self._join(start, end, count - least)
        if count in SMALL:
            more = [Way(end, start, many) for many in range(ENOUGH - count, 0, -1)]
            self.ways.append([*more, Way(start, end, 1)])

    def _ends(self, number: int, clinic: Clinic) -> Step:
        here: Node = ("waits", number, clinic)
        return here, OUTSIDE if number == self._last else ("waits", number + 1, clinic)

    def _join(self, start: Node, end: Node, fewer: int) -> None:
        """A number that goes from ``start`` to ``end``, and could be so many fewer."""
        self.room[start][end] = NO_LIMIT
        self.room[end][start] = fewer


def clinics_told(months: Sequence[MonthEnd]) -> frozenset[Clinic]:
    """Of which clinics the last month's waiting can be told, after what was told before.

    The larger first, as they are asked for most. A number that could not be 5 or more with no
    waiting told of this month, stays as uncertain as it is.
    """
    last = months[-1]
    network = Network([*months[:-1], replace(last, told=frozenset())])
    round_about: dict[Way, Steps] = {}
    for ways in network.ways:
        found = ((way, network.round_about(way)) for way in ways)
        round_about |= next(([(way, steps)] for way, steps in found if steps is not None), [])
    told = set()
    for clinic in sorted(last.waiting, key=lambda one: (-last.waiting[one], one)):
        if last.waiting[clinic] < LEAST_TOLD:
            continue
        gone = network.tell(clinic)
        touched = [way for way, steps in round_about.items() if not steps.isdisjoint(gone)]
        again: dict[Way, Steps] = {}
        for way in touched:
            steps = network.round_about(way)
            if steps is None:
                break
            again[way] = steps
        if len(again) < len(touched):
            network.untell(clinic, last.waiting[clinic])
        else:
            told.add(clinic)
            round_about |= again
    return frozenset(told)
