"""What a period of which the sums are shown tells of its months, which are shown one by one."""

from collections.abc import Iterable, Sequence

from organisations.suppression import SMALL
from statistics.circulation import Circulation, Node


def period_tells_of_small(months: Iterable[Sequence[int]]) -> bool:
    """Whether the period's sums by part (within and across, say) tell of a small number of a month
    that it is small.

    A month shows its parts where none of them is small, and their sum, its whole, where that is
    not. Noughts are shown.
    """
    hidden = Circulation()
    for number, parts in enumerate(months):
        whole_away = sum(parts) in SMALL
        if not whole_away and not any(count in SMALL for count in parts):
            continue
        month: Node = ("month", number, 0)
        if whole_away:  # only what the wholes that are not shown make together is known
            hidden.join((), month, sum(parts))
        for place, count in enumerate(parts):
            if count:
                hidden.add(month, ("part", place, 0), count, least=1)
    return any(hidden.answer(asks[0]) is None for asks in hidden.asks)
