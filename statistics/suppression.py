"""Small numbers (1-4) are not shown to those who see figures only, and cannot be worked out.

A column of counts with its total: counts of 1-4 are hidden (primary). What is hidden must not
follow by subtraction, so further counts, and in the end the total, are hidden too (secondary).
All hidden values look the same; a reader knows of them only that they are at least one.
"""

from collections.abc import Sequence

SMALL = range(1, 5)


def suppress(counts: Sequence[int], total: int) -> tuple[list[bool], bool]:
    """Which of ``counts``, and whether ``total``, are hidden. ``total`` is the sum of counts.

    Afterwards the total is hidden, or at least two counts are, and these can be told apart in
    more than one way.
    """
    hidden = [count in SMALL for count in counts]
    if not any(hidden):
        return hidden, total in SMALL
    if sum(hidden) == 1:
        candidates = [i for i, count in enumerate(counts) if count and not hidden[i]]
        if candidates:
            hidden[min(candidates, key=lambda i: counts[i])] = True
    covered = sum(count for count, away in zip(counts, hidden, strict=True) if away)
    several_ways = sum(hidden) >= 2 and covered > sum(hidden)
    return hidden, total in SMALL or not several_ways
