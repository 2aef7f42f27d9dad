"""Which figures of a month are hidden from those who see figures only, so that none of 1-4 is told.

The rule of ``organisations.suppression``, over many tables at once. Every figure rests on counts of
persons or events. Counts hang together: those of a dimension add up to the region's, and a share's
numerator and remainder to its denominator. Each such sum is an ``Equation``, and of each holds:

- a count of 1-4 is hidden;
- where a term is hidden and the sum is shown, at least two terms that are not nought are hidden,
  and one of them is larger than 4: the smallest of the larger ones, with its equals, joins in, and
  where there is none the sum is hidden;
- where the sum is hidden, at least one term is.

A figure is hidden when any count it rests on is. What a dimension leaves out (a sum larger than
its terms) is a term that is never shown.

Several pictures of the same month (versions, corrections) hide the same figures: what one of them
shows must not give what another hides.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from organisations.suppression import SMALL

# A count: which one, and of whom (dimension and key).
Node = tuple[str, str, str]
Counts = Mapping[Node, int]
REGION = "region"


@dataclass(frozen=True)
class Equation:
    """``total`` is the sum of ``parts``; ``rest`` is what they leave out, never shown."""

    total: Node
    parts: tuple[Node, ...]
    rest: int = 0


def hidden_counts(
    pictures: Sequence[tuple[Counts, Sequence[Equation]]], *, also: Iterable[Node] = ()
) -> frozenset[Node]:
    """The counts that are hidden, in all pictures alike; ``also`` are hidden for other reasons."""
    hidden = {node for counts, _sums in pictures for node, n in counts.items() if n in SMALL}
    hidden |= set(also)
    uses = [_uses(equations) for _counts, equations in pictures]
    waiting = [
        (index, equation)
        for index, (_counts, equations) in enumerate(pictures)
        for equation in equations
    ]
    while waiting:
        index, equation = waiting.pop()
        for node in _to_hide(pictures[index][0], equation, hidden):
            hidden.add(node)
            for other, using in enumerate(uses):
                waiting.extend((other, one) for one in using.get(node, ()))
    return frozenset(hidden)


def _uses(equations: Iterable[Equation]) -> dict[Node, list[Equation]]:
    using: dict[Node, list[Equation]] = defaultdict(list)
    for equation in equations:
        for node in (equation.total, *equation.parts):
            using[node].append(equation)
    return using


def _to_hide(counts: Counts, equation: Equation, hidden: set[Node]) -> list[Node]:
    """What must be hidden beside what is, for this sum to tell nothing."""
    away: list[int] = []
    shown: list[int] = []
    for node in equation.parts:
        if count := counts.get(node, 0):
            (away if node in hidden else shown).append(count)
    if equation.rest:
        away.append(equation.rest)
    if equation.total in hidden:
        # Nothing shown bounds the largest from above.
        chosen = None if away or not shown else max(shown)
    elif not away or (len(away) > 1 and max(away) not in SMALL):
        chosen = None
    elif shown:
        chosen = min(shown)
    else:
        return [equation.total]
    return [node for node in equation.parts if counts.get(node, 0) == chosen and node not in hidden]


def sums_of(columns: Mapping[str, Mapping[tuple[str, str], int]]) -> list[Equation]:
    """Each dimension's counts against the region's; one that counts a person twice has no sum."""
    equations = []
    for name, column in columns.items():
        by_dimension: dict[str, list[Node]] = defaultdict(list)
        whole: dict[str, int] = defaultdict(int)
        regions = [key for dimension, key in column if dimension == REGION]
        if not regions:
            continue
        total = (name, REGION, regions[0])
        for (dimension, key), count in column.items():
            if dimension != REGION and count:
                by_dimension[dimension].append((name, dimension, key))
                whole[dimension] += count
        for dimension, nodes in by_dimension.items():
            rest = column[REGION, regions[0]] - whole[dimension]
            if rest >= 0:
                equations.append(Equation(total, tuple(nodes), rest))
    return equations
