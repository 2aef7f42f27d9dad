"""Whose waiting at a month's end can be told without giving hidden flows away.

What waits is what waited a month before, and what came in, less what was treated or ended. One who
has a clinic's waiting at two months' ends thus knows its flows in between together. Flows of 1-4
are hidden, each with a larger one of another clinic (``statistics.frozen.hiding``).

All that hangs together is a network (``statistics.circulation``). A hidden flow joins its clinic in
the month with the column that it is a part of, whose sum is known; the waiting joins a clinic's
month with its next, as long as it is not told. One clinic's more is another's less, and each makes
up for it by another hidden flow, or by a waiting that is not told.

The region's own flows are hidden when fewer than five came, were treated or closed in all of it.
What waits and is in work there tells them in the same way. It is told or not as one, and the sum of
each kind of flow since it was last told counts as known then: the months can only exchange with
each other.
docs/decisions/0036-the-waiting-of-clinics.md, docs/decisions/0037-the-regions-own-waiting.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from organisations.suppression import SMALL
from statistics.circulation import NO_LIMIT, Ask, Circulation, Node, Step, Steps

LEAST_TOLD = 10
# Where all ends meet of which nothing is known.
OUTSIDE: Node = ()

Clinic = int
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

    ``or_none``: those of which noughts are hidden too, as there are few in all. ``totals``: the
    region's own flows that are hidden. ``region_told``: whether its waiting and cases in work are
    told.
    """

    waiting: Mapping[Clinic, int]
    hidden: Mapping[tuple[str, Clinic], int]
    or_none: frozenset[tuple[str, Clinic]] = frozenset()
    told: frozenset[Clinic] = frozenset()
    totals: Mapping[str, int] = field(default_factory=dict)
    region_told: bool = False


@dataclass(frozen=True)
class Told:
    """Whose waiting is told at a month's end."""

    region: bool
    clinics: frozenset[Clinic]


class Network(Circulation):
    """Hidden flows and waiting of months that follow each other, the first from nothing."""

    def __init__(self, months: Sequence[MonthEnd]) -> None:
        super().__init__()
        self._last = len(months) - 1
        since_told: list[tuple[int, MonthEnd]] = []
        for number, month in enumerate(months):
            for (kind, clinic), count in month.hidden.items():
                nodes: dict[str, Node] = {
                    "waits": ("waits", number, clinic),
                    "closes": ("closes", number, clinic),
                    "column": (kind, number, 0),
                }
                start, end = GOES[kind]
                least = 0 if (kind, clinic) in month.or_none else min(count, 1)
                # The rule that hides the few of a whole region tells that they are few. And how
                # many ended in the region follows from what waits (docs/decisions/0037).
                of_closed = "closed" in month.totals and kind in {"ended", "closed_treated"}
                few = of_closed or month.totals.get(kind) in SMALL
                self.add(nodes[start], nodes[end], count, least=least, known=few)
            for clinic, count in month.waiting.items():
                if clinic not in month.told:
                    self.add(*self._ends(number, clinic), count, least=min(count, 1))
            since_told.append((number, month))
            if month.region_told:
                self._add_totals(since_told)
                since_told = []
        # Of the sums since the region was last told nothing is known.
        self._open = self._add_totals(since_told)
        for whole in self._open:
            self.room[whole][OUTSIDE] = self.room[OUTSIDE][whole] = NO_LIMIT

    def tell_region(self) -> Steps:
        """Let the region's waiting and cases in work be known; returns the steps gone by it."""
        for whole in self._open:
            del self.room[whole][OUTSIDE], self.room[OUTSIDE][whole]
        return frozenset(
            step for whole in self._open for step in ((whole, OUTSIDE), (OUTSIDE, whole))
        )

    def tell(self, clinic: Clinic) -> Steps:
        """Let the clinic's last waiting be known; returns the steps that are gone by it."""
        here, there = self._ends(self._last, clinic)
        del self.room[here][there], self.room[there][here]
        return frozenset({(here, there), (there, here)})

    def untell(self, clinic: Clinic, count: int) -> None:
        self.join(*self._ends(self._last, clinic), count - min(count, 1))

    def _add_totals(self, months: Sequence[tuple[int, MonthEnd]]) -> set[Node]:
        """The region's hidden flows of months, and the sum of each kind, which is returned."""
        sums: set[Node] = set()
        for number, month in months:
            for kind, count in month.totals.items():
                column: Node = (kind, number, 0)
                whole: Node = (f"all {kind}", months[0][0], 0)
                sums.add(whole)
                start, end = (whole, column) if GOES[kind][0] == "column" else (column, whole)
                if kind == "closed_treated":
                    self.join(start, end, count)
                elif count in SMALL:  # that it is few is known, but not how few
                    self.join(start, end, count - 1, more=SMALL[-1] - count)
                    self.ask(start, end, count, known=True)
                else:
                    self.join(start, end, count)
        return sums

    def _ends(self, number: int, clinic: Clinic) -> Step:
        here: Node = ("waits", number, clinic)
        return here, OUTSIDE if number == self._last else ("waits", number + 1, clinic)


def told_of(months: Sequence[MonthEnd]) -> Told:
    """Whose waiting of the last month can be told, after what was told before.

    The region first, then the larger clinics, as they are asked for most. A number that could not
    be 5 or more with no waiting told of this month, stays as uncertain as it is.
    """
    last = months[-1]
    network = Network([*months[:-1], replace(last, told=frozenset(), region_told=False)])
    answers: dict[Ask, Steps] = {}
    for asks in network.asks:
        found = ((ask, network.answer(ask)) for ask in asks)
        answers |= next(([(ask, steps)] for ask, steps in found if steps is not None), [])

    def is_safe(gone: Steps) -> bool:
        """Whether every number can still be another without the steps."""
        again: dict[Ask, Steps] = {}
        for ask, before in answers.items():
            if before.isdisjoint(gone):
                continue
            steps = network.answer(ask)
            if steps is None:
                return False
            again[ask] = steps
        answers.update(again)
        return True

    if not is_safe(network.tell_region()):
        return Told(region=False, clinics=frozenset())
    told: set[Clinic] = set()
    for clinic in sorted(last.waiting, key=lambda one: (-last.waiting[one], one)):
        # Where few came or were closed in all of the region, nothing of its clinics is told.
        if last.totals or last.waiting[clinic] < LEAST_TOLD:
            continue
        if is_safe(network.tell(clinic)):
            told.add(clinic)
        else:
            network.untell(clinic, last.waiting[clinic])
    return Told(region=True, clinics=frozenset(told))
