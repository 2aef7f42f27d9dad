"""Small numbers (1-4) are not shown to those who see figures only, and cannot be worked out.

A column of counts with its total: counts of 1-4 are hidden (primary), and with them the smallest
of the other counts and its equals (secondary). So the hidden ones always hold a small and a larger
number, and no reader can tell which is which, not even one who knows this rule: exchanging two
hidden numbers gives the same picture. Where there is no larger count the total is hidden. All
hidden values look the same; a reader knows of them only that they are at least one.
"""

from collections.abc import Sequence

SMALL = range(1, 5)


def suppress(counts: Sequence[int], *, hide_total: bool = False) -> tuple[list[bool], bool]:
    """Which of ``counts``, and whether their sum, are hidden.

    ``hide_total``: another table with the same sum must keep it hidden; then at least one count
    here is hidden too, unless all are zero. Without small ones that is the largest, because
    nothing shown bounds it from above.
    """
    larger = [count for count in counts if count and count not in SMALL]
    if any(count in SMALL for count in counts):
        limit = min(larger, default=SMALL[-1])
        return [0 < count <= limit for count in counts], hide_total or not larger
    if hide_total and larger:
        return [count == max(larger) for count in counts], True
    return [False] * len(counts), False
