"""Which figures of an edition are hidden, and what a correction may change.

Each measure, cause and border is a *column*: a figure for each region and one for the nation. No
total across causes, borders or quarters is published, so a column can only be worked out from
itself, from a share's own base, and from its earlier versions. Hence three rules:

* counts: the regions' column with its sum, as ``organisations.suppression`` hides it, and a
  region whose quarter would give back a month that is hidden on its own pages;
* shares: numerator and remainder are counts too. Hidden regions are added until what is known of
  them together, the nation less what is shown, is no small number in either;
* corrections: what was hidden stays hidden. A count that becomes small after having been shown
  takes the nation's figure with it, since the others of its column are known already. A column in
  which something shown has changed by fewer than five is not corrected, and nor is what is told
  of the same patients: the difference between two versions would be a small number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from organisations.suppression import SMALL, suppress
from statistics.open_data.models import NATION, Status

LEAST = SMALL[-1] + 1


@dataclass(frozen=True)
class Cell:
    """A figure of one area; numbers stand only where they are shown."""

    status: str
    value: Decimal | None = None
    count: int | None = None
    base: int | None = None

    @classmethod
    def hidden(cls) -> "Cell":
        return cls(Status.HIDDEN)

    @classmethod
    def none(cls) -> "Cell":
        return cls(Status.NONE)

    @property
    def is_hidden(self) -> bool:
        return self.status == Status.HIDDEN


Column = dict[str, Cell]


def is_small(count: int) -> bool:
    return count in SMALL


def hidden_counts(
    counts: Mapping[str, int],
    before: Column | None = None,
    *,
    also: Collection[str] = (),
) -> set[str]:
    """The areas, :data:`NATION` among them, whose count is hidden.

    ``before``: the column of the version that this one corrects. ``also`` are areas whose count
    would tell of a month that the region's own pages hide.
    """
    away, total_away = suppress(list(counts.values()))
    if before is None:
        hidden = {area for area, hide in zip(counts, away, strict=True) if hide}
        hidden |= {area for area in also if counts[area]}
        others = [area for area, count in counts.items() if count and area not in hidden]
        if len(hidden) == 1 and others:
            hidden.add(min(others, key=lambda area: counts[area]))
        elif len(hidden) == 1:
            total_away = True
        return hidden | ({NATION} if total_away or is_small(sum(counts.values())) else set())
    hidden = {area for area, cell in before.items() if cell.is_hidden}
    small = {area for area, count in counts.items() if is_small(count)}
    together = sum(counts.get(area, 0) for area in hidden - {NATION})
    if small - hidden or is_small(together) or is_small(sum(counts.values())):
        hidden.add(NATION)
    return hidden | small


def hidden_shares(
    counts: Mapping[str, int],
    bases: Mapping[str, int],
    hidden_bases: set[str],
    before: Column | None = None,
) -> set[str]:
    """The areas whose share of ``bases`` is hidden; areas without a base have none to hide."""
    hidden = {area for area in bases if area in hidden_bases} | {
        area
        for area, base in bases.items()
        if is_small(counts[area]) or is_small(base - counts[area]) or is_small(base)
    }
    nation = NATION in hidden_bases
    if before is not None:
        known = {area for area, cell in before.items() if cell.is_hidden}
        nation = nation or NATION in known or bool(hidden - known)
        hidden |= known - {NATION}
    free = sorted((bases[area], area) for area in bases if bases[area] and area not in hidden)
    while hidden and not nation and not _group_is_safe(hidden, counts, bases):
        if not free or before is not None:
            nation = True
            break
        hidden.add(free.pop(0)[1])
    total, base = sum(counts.values()), sum(bases.values())
    if is_small(total) or is_small(base - total) or is_small(base):
        nation = True
    return hidden | ({NATION} if nation else set())


def _group_is_safe(hidden: set[str], counts: Mapping[str, int], bases: Mapping[str, int]) -> bool:
    """Whether the hidden areas together tell of no small number, and are more than one."""
    with_some = [area for area in hidden if bases.get(area)]
    count = sum(counts[area] for area in with_some)
    base = sum(bases[area] for area in with_some)
    return not with_some or (
        len(with_some) > 1 and not is_small(count) and not is_small(base - count)
    )


def may_correct(before: Column, new: Column) -> bool:
    """Whether no difference between the two versions is a small number.

    A figure that rests on as many as before, but has another value, was changed for somebody.
    """
    for area, cell in new.items():
        old = before.get(area, Cell.none())
        if old.status != Status.SHOWN or cell.status == Status.HIDDEN or old == cell:
            continue
        if old.base is None or cell.base is None:
            return False
        parts = [cell.base - old.base]
        if old.count is not None and cell.count is not None:
            parts += [cell.count - old.count, parts[0] - cell.count + old.count]
        if not any(parts) or any(abs(part) in SMALL for part in parts):
            return False
    return True
