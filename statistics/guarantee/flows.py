"""What those who see figures only do not know of the clinics' flows in a month: what all pages hide
of them."""

from collections.abc import Collection, Mapping

from referral.models import CloseReason
from statistics.frozen.hiding import Group, Hiding, Table
from statistics.guarantee.balance import Clinic, MonthEnd

CLOSED_TREATED = f"closed_{CloseReason.TREATED}"
ENDED = tuple(f"closed_{reason}" for reason in CloseReason.values if reason != CloseReason.TREATED)
KINDS = ("received", "treated", CLOSED_TREATED, "closed")


def month_end(table: Table, hiding: Hiding, waiting: Mapping[Clinic, int]) -> MonthEnd:
    """The month of ``table``, of which ``hiding`` tells what is hidden, with the waiting after it.

    Of those who ended without treatment, the reasons that are shown are known and taken away. One
    of the others can be as many as all of them (docs/decisions/0035).
    """
    hidden: dict[tuple[str, Clinic], int] = {}
    for clinic in waiting:
        group = ("clinic", str(clinic))
        away = {one for one in (*KINDS, *ENDED) if is_away(hiding, one, group)}
        hidden |= {(kind, clinic): _count(table, {kind}, group) for kind in KINDS if kind in away}
        if CLOSED_TREATED in away:
            hidden["ended", clinic] = _count(table, away.intersection(ENDED), group)
    or_none = {kind for kind in KINDS if kind in hiding.everywhere}
    if CLOSED_TREATED in or_none:
        or_none.add("ended")
    return MonthEnd(waiting, hidden, frozenset(or_none))


def is_away(hiding: Hiding, column: str, group: Group) -> bool:
    """Whether a reader does not know the count; a nought that cannot be other is known."""
    return hiding.is_hidden(column, group) and hiding.may_be_some(column, group)


def _count(table: Table, columns: Collection[str], group: Group) -> int:
    return sum(table.get(column, {}).get(group, 0) for column in columns)
