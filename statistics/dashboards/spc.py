"""Control limits for a series of months: what is chance, and what is a change to look into.

Single values (counts, medians): the XmR chart of individual values. Centre line: the mean. Limits:
the mean plus and minus 2.66 times the mean moving range, 2.66 being 3 / 1.128 (ISO 7870-2:2023,
individuals chart; W. A. Shewhart, Economic Control of Quality of Manufactured Product, 1931).

Shares: the p chart. Centre line: all yes of all answers. Limits: the centre plus and minus three
standard deviations of a share of that month's number, √(p(1−p)/n), within 0 and 1 (same standard).

Signals: a month outside its limits, and eight months in a row on one side of the centre line
(Western Electric Company, Statistical Quality Control Handbook, 1956). A month on the line itself
neither continues nor ends such a row.

Months without a shown value stay out of everything: the mean, and the moving range, which is taken
between months that follow each other. Fewer than :data:`FEWEST` months give no limits.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

OF_MEAN_RANGE = 2.66
DEVIATIONS = 3
ONE_SIDE = 8
FEWEST = 8


@dataclass(frozen=True)
class Point:
    """A month: its value, limits and signals. ``None``: no value, or too few months."""

    value: float | None
    low: float | None = None
    high: float | None = None
    outside: bool = False
    one_side: bool = False

    @property
    def signals(self) -> bool:
        return self.outside or self.one_side


@dataclass(frozen=True)
class Control:
    """A series with its centre line; ``left_out`` is the number of months without a value."""

    points: tuple[Point, ...]
    centre: float | None
    left_out: int


def individuals(values: Sequence[float | None], *, at_least: float | None = 0.0) -> Control:
    """The XmR chart of the values; no limit lies under ``at_least``, which none can fall below."""
    known = [value for value in values if value is not None]
    ranges = [
        abs(after - before)
        for before, after in itertools.pairwise(values)
        if before is not None and after is not None
    ]
    if len(known) < FEWEST or not ranges:
        return _without_limits(values)
    centre = sum(known) / len(known)
    reach = OF_MEAN_RANGE * sum(ranges) / len(ranges)
    low = centre - reach if at_least is None else max(at_least, centre - reach)
    return _judged(values, [(low, centre + reach)] * len(values), centre)


def shares(counts: Sequence[tuple[int, int] | None]) -> Control:
    """The p chart of (yes, all) per month; a month without answers has no share."""
    known = [count for count in counts if count and count[1]]
    values = [count[0] / count[1] if count and count[1] else None for count in counts]
    if len(known) < FEWEST:
        return _without_limits(values)
    centre = sum(yes for yes, _all in known) / sum(number for _yes, number in known)
    limits = []
    for count in counts:
        number = count[1] if count and count[1] else 1
        reach = DEVIATIONS * sqrt(centre * (1 - centre) / number)
        limits.append((max(0.0, centre - reach), min(1.0, centre + reach)))
    return _judged(values, limits, centre)


def _without_limits(values: Sequence[float | None]) -> Control:
    return Control(
        tuple(Point(value) for value in values), None, sum(value is None for value in values)
    )


def _judged(
    values: Sequence[float | None], limits: Sequence[tuple[float, float]], centre: float
) -> Control:
    sided = _on_one_side(values, centre)
    points = [
        Point(None)
        if value is None
        else Point(value, low, high, outside=value < low or value > high, one_side=place in sided)
        for place, (value, (low, high)) in enumerate(zip(values, limits, strict=True))
    ]
    return Control(tuple(points), centre, sum(value is None for value in values))


def _on_one_side(values: Sequence[float | None], centre: float) -> set[int]:
    """The places of all months in rows of eight or more on one side."""
    found: set[int] = set()
    row: list[int] = []
    side = 0
    for place, value in enumerate(values):
        if value is None or value == centre:
            continue
        new = 1 if value > centre else -1
        row = [*row, place] if new == side else [place]
        side = new
        if len(row) >= ONE_SIDE:
            found.update(row)
    return found
