"""A region's own figures of a half-year: all its patients, most of whom are treated at home.

They are what the national goals ask for, and stand beside the figures of the brokered patients
without being mixed with them. Those who see figures only get small numbers hidden: each table is
a column of counts with the sum that the region told, and with what is left of it for the pathways
that are not told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from notices.texts.comparing import Share, wilson
from organisations.suppression import SMALL, suppress
from referral.pathways import pathway_names
from statistics.open_data.disclosure import hidden_shares
from statistics.open_data.models import NATION
from statistics.pathways.halves import HalfYear
from statistics.pathways.models import InclusionCount, LeadTimeCount, OwnStep

# What is left of the sum for the pathways that are not told.
REST = "rest"


@dataclass
class OwnRow:
    """A pathway's, or with an empty key all pathways', figures; ``None``: not told or hidden."""

    key: str
    label: str
    base: int | None
    count: int | None
    source: str
    goal: int | None = None
    median: float | None = None
    hidden: bool = False
    share_hidden: bool = False

    @property
    def share(self) -> Share | None:
        """More may be included than were expected to fall ill; the share is then whole."""
        if self.base is None or self.count is None:
            return None
        return wilson(min(self.count, self.base), self.base)

    @property
    def reaches(self) -> bool | None:
        share = self.share
        return None if share is None or self.goal is None else share.percent >= self.goal


@dataclass
class OwnTable:
    """All pathways together, when that is told, and each that is told."""

    total: OwnRow | None
    rows: list[OwnRow]

    def of(self, key: str) -> OwnRow | None:
        return next((row for row in self.rows if row.key == key), None)


@dataclass
class Own:
    """What the region has told of a half-year."""

    inclusion: OwnTable
    lead_times: dict[str, OwnTable]

    @property
    def whole(self) -> OwnTable:
        return self.lead_times[OwnStep.TO_TREATMENT]

    @property
    def is_told(self) -> bool:
        tables = (self.inclusion, *self.lead_times.values())
        return any(table.total or table.rows for table in tables)


@dataclass(frozen=True)
class Shown:
    """The brokered patients' numbers that are shown: all, with a known limit, within it."""

    n: int
    of: int
    within: int


# By pathway, the empty key for all.
Brokered = Mapping[str, Shown]


def own_figures(
    region: str,
    period: HalfYear,
    *,
    goals: tuple[int, int],
    hide: bool,
    brokered: Brokered,
) -> Own:
    """As the product; ``goals`` are the inclusion's and the lead time's, in per cent.

    ``brokered``: numbers of the same region that are shown beside these. What differs from them by
    1-4 would tell of so few who were treated at home.
    """
    inclusion_goal, lead_goal = goals
    inclusion = _table(
        {
            one.pathway: _row(one, one.new_cases, one.included, goal=inclusion_goal)
            for one in _told(InclusionCount, region, period)
        }
    )
    leads = _told(LeadTimeCount, region, period)
    lead_times = {
        step.value: _table(
            {
                one.pathway: _row(
                    one,
                    one.patients,
                    one.within,
                    goal=lead_goal if step == OwnStep.TO_TREATMENT else None,
                    median=None if one.median_days is None else float(one.median_days),
                )
                for one in leads
                if one.step == step
            }
        )
        for step in OwnStep
    }
    if hide:
        hide_small(inclusion)
        for step, table in lead_times.items():
            hide_small(table, beside=brokered if step == OwnStep.TO_TREATMENT else {})
    return Own(inclusion, lead_times)


def _told(model: type[Any], region: str, period: HalfYear) -> list[Any]:
    return list(model.objects.filter(region_id=region, period=str(period)).holding())


def _row(
    one: InclusionCount | LeadTimeCount,
    base: int,
    count: int | None,
    *,
    goal: int | None,
    median: float | None = None,
) -> OwnRow:
    label = pathway_names().get(one.pathway, one.pathway)
    return OwnRow(one.pathway, label, base, count, one.source, goal=goal, median=median)


def _table(rows: dict[str, OwnRow]) -> OwnTable:
    total = rows.pop("", None)
    return OwnTable(total, sorted(rows.values(), key=lambda row: row.label))


def hide_small(table: OwnTable, *, beside: Brokered | None = None) -> None:
    """Hide what is 1-4, and what would give it back from the sum or from the numbers beside."""
    bases = {row.key: row.base or 0 for row in table.rows}
    counts = {row.key: min(row.count or 0, row.base or 0) for row in table.rows}
    near = {row.key for row in _all(table) if _is_near(row, (beside or {}).get(row.key))}
    if table.total and (table.total.base or 0) > sum(bases.values()):
        whole, part = table.total.base or 0, table.total.count or 0
        bases[REST] = whole - sum(bases.values())
        counts[REST] = max(0, min(part, whole) - sum(counts.values()))
        counts[REST] = min(counts[REST], bases[REST])
    secret = "" in near or (table.total is not None and table.total.base in SMALL)
    away, secret = suppress(list(bases.values()), hide_total=secret)
    hidden = {key for key, gone in zip(bases, away, strict=True) if gone} | (near - {""})
    if hidden and not secret:
        secret = _add_another(hidden, bases)
    shares = hidden_shares(counts, bases, hidden | ({NATION} if secret else set()))
    for row in table.rows:
        _clear(row, hidden=row.key in hidden, share_hidden=row.key in shares)
    if table.total:
        _clear(table.total, hidden=secret, share_hidden=NATION in shares or _is_small(table.total))


def _all(table: OwnTable) -> Iterable[OwnRow]:
    return (*table.rows, *((table.total,) if table.total else ()))


def _is_near(row: OwnRow, brokered: Shown | None) -> bool:
    """Whether the own numbers less the brokered ones, the rest at home, would be small."""
    if brokered is None or row.base is None:
        return False
    rests = [row.base - brokered.n]
    if brokered.of:
        more, within = row.base - brokered.of, (row.count or 0) - brokered.within
        rests += [more, within, more - within]
    return any(abs(rest) in SMALL for rest in rests)


def _is_small(row: OwnRow) -> bool:
    base, count = row.base or 0, row.count or 0
    return count in SMALL or base - count in SMALL


def _add_another(hidden: set[str], bases: Mapping[str, int]) -> bool:
    """Hide one more where the hidden are one; whether the sum must be hidden instead."""
    together = [bases[key] for key in hidden if bases[key]]
    while len(together) < 2 or sum(together) in SMALL:
        shown = sorted((base, key) for key, base in bases.items() if base and key not in hidden)
        if not shown:
            return True
        hidden.add(shown[0][1])
        together.append(shown[0][0])
    return False


def _clear(row: OwnRow, *, hidden: bool, share_hidden: bool) -> None:
    if hidden:
        row.base, row.median, row.hidden = None, None, True
    if hidden or share_hidden:
        row.share_hidden = row.count is not None
        row.count = None
    if row.base in SMALL:
        row.median = None
