"""Who gets which of the places: those who wait longest at home, by the shortest ways.

Once it is settled how many of each class go to each line, all ways of pairing them gain the same
days and cost the same. The pairing with the shortest total distance is chosen.
"""

from collections import Counter

import highspy
import numpy as np

from capacity.allocation.problem import Placed, Waiting, Way
from capacity.allocation.search import Clock
from capacity.allocation.transport import NO_LIMIT, Block, Value, fill_rows, solver_of

# Below this no time is spent on the ways, so that the answer comes in time.
LEAST_SECONDS = 0.2


def handed_out(block: Block, value: Value, *, clock: Clock) -> Placed:
    """The places of a block to its members: in time the nearest, else in the queue's order."""
    paired: Placed = {}
    chosen: list[Waiting] = []
    for one, sent in zip(block.classes, value.sent, strict=True):
        lines = sorted(Counter(sent).elements(), key=lambda line: (one.waits[line], line))
        going = sorted(one.sent_first()[: len(lines)], key=lambda patient: patient.home_days)
        # The shortest wait at home to the shortest wait there: valid for all when for any.
        for patient, line in zip(going, lines, strict=True):
            if one.waits[line] < patient.home_days:  # else the place gains nothing
                chosen.append(patient)
                paired[patient.number] = next(way for way in patient.ways if way.line == line)
    if clock.left < LEAST_SECONDS or not chosen:
        return paired
    return _nearest(chosen, Counter(way.line for way in paired.values()), clock) or paired


def _nearest(chosen: list[Waiting], places: Counter[int], clock: Clock) -> Placed | None:
    """The pairing with the least total distance that fills the same places."""
    lines = sorted(places)
    row_of = {line: len(chosen) + number for number, line in enumerate(lines)}
    ways: list[tuple[int, Way]] = [
        (number, way)
        for number, one in enumerate(chosen)
        for way in sorted(one.shorter())
        if way.line in places
    ]
    columns = np.arange(len(ways))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(ways), len(chosen) + len(lines)
    lp.col_cost_ = np.array([float(way.distance_km) for _n, way in ways])
    lp.col_lower_, lp.col_upper_ = np.zeros(len(ways)), np.full(len(ways), NO_LIMIT)
    taken = np.array([1.0] * len(chosen) + [float(places[line]) for line in lines])
    lp.row_lower_, lp.row_upper_ = taken, taken
    rows = np.array([n for n, _way in ways] + [row_of[way.line] for _n, way in ways])
    fill_rows(lp, rows, np.concatenate([columns, columns]), np.ones(2 * len(ways)))
    solver = solver_of(lp, time_limit=clock.left)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    used = np.nonzero(np.rint(np.array(solver.getSolution().col_value)))[0]
    return {chosen[ways[column][0]].number: ways[column][1] for column in used}
