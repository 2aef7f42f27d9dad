"""Hidden numbers that stand in two known sums each: could a small one be another?

A number joins two nodes, which are the sums. One of them takes it in, the other gives it out, so
that as much goes into every node as out of it, whatever the numbers are. One number can be larger
exactly when as much can go from one of its ends to the other some other way round, over numbers
that become larger or smaller in turn. So a maximum flow answers what a linear program would.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from organisations.suppression import SMALL

ENOUGH = SMALL[-1] + 1
NO_LIMIT = 10**9

Node = tuple[str, int, int] | tuple[()]
Step = tuple[Node, Node]
Steps = frozenset[Step]


@dataclass(frozen=True)
class Way:
    """How much must be able to go from ``start`` to ``end``, not by the straight way."""

    start: Node
    end: Node
    amount: int


# Ways of which one is enough.
Ask = tuple[Way, ...]


class Circulation:
    """The numbers as steps between their sums, each with the room that it has for more."""

    def __init__(self) -> None:
        self.room: dict[Node, dict[Node, int]] = defaultdict(dict)
        # Of each small number what could be asked for, the most first.
        self.asks: list[list[Ask]] = []

    def add(self, start: Node, end: Node, count: int, *, least: int, known: bool = False) -> None:
        """A hidden number: it could be any larger one, and smaller ones down to ``least``.

        One that is ``known`` to be small anyway need only be able to be another.
        """
        self.join(start, end, count - least)
        if count in SMALL:
            self.ask(start, end, count, known=known)

    def ask(self, start: Node, end: Node, count: int, *, known: bool) -> None:
        """That a small number could be 5, or as many as it can; or, when it is ``known`` to be
        small, that it could be another one."""
        if known:
            self.asks.append([(Way(end, start, 1), Way(start, end, 1))])
        else:
            larger = [(Way(end, start, many),) for many in range(ENOUGH - count, 0, -1)]
            self.asks.append([*larger, (Way(start, end, 1),)])

    def join(self, start: Node, end: Node, fewer: int, *, more: int = NO_LIMIT) -> None:
        """A number that goes from ``start`` to ``end``, and could be so many more or fewer."""
        self.room[start][end], self.room[end][start] = more, fewer

    def answer(self, ask: Ask) -> Steps | None:
        """The steps of one of the ways, if any can be gone."""
        return next((steps for way in ask if (steps := self.round_about(way)) is not None), None)

    def round_about(self, way: Way) -> Steps | None:
        """The steps by which as much as the way asks for can go round, if it can."""
        # The number itself must have room for it.
        if self.room[way.end][way.start] < way.amount:
            return None
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
