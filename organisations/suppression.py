"""Small numbers (1-4) are not shown to those who see figures only, and cannot be worked out.

A column of counts with its total: counts of 1-4 are hidden (primary), and with them the smallest
of the other counts and its equals (secondary). So the hidden ones always hold a small and a larger
number, and no reader can tell which is which, not even one who knows this rule: exchanging two
hidden numbers gives the same picture. Where there is no larger count the total is hidden. All
hidden values look the same; a reader knows of them only that they are at least one.

A table in two dimensions with its totals: :func:`suppress_table`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class HiddenTable:
    """What of a table is hidden. ``withheld``: nothing of it may be shown, not even a zero."""

    cells: tuple[tuple[bool, ...], ...]
    row_totals: tuple[bool, ...]
    column_totals: tuple[bool, ...]
    total: bool
    withheld: bool = False


def suppress_table(rows: Sequence[Sequence[int]], *, total_known: bool = False) -> HiddenTable:
    """Which cells and totals of a table of counts are hidden. Zeroes are shown.

    Built on :func:`suppress`, row by row, so that the rows are what the table is read by:

    - a row with a larger count hides its small ones with the smallest larger one, and shows its
      total: exchanging two hidden numbers of the row gives the same picture;
    - a row with small counts only hides them and its total: nothing bounds them but 1-4;
    - a column with a hidden cell hides its total, so that no column says more than its rows;
    - the grand total is hidden when it is small, and shown when the rows of small counts only are
      none, or lie in at least two rows and two columns and are neither all 1 nor all 4: one can
      then be added to any of them and taken from any other.

    The promise: whoever knows all that is shown, and this rule, finds at least two possible values
    for each hidden cell, row total, column total and grand total, and in a row whose total is
    shown cannot tell the small from the larger. It covers this table. A row or column total
    hidden here must not be shown elsewhere for the same persons. When the grand total is known
    from elsewhere (``total_known``), a table that would have to hide it is withheld, and so is
    one whose total alone says that every cell may be 4.
    """
    hidden = [suppress(row) for row in rows]
    pool = [
        (i, j, count)
        for i, row in enumerate(rows)
        for j, count in enumerate(row)
        if count and hidden[i][1]
    ]
    total = sum(map(sum, rows))
    secret = total in SMALL or (
        bool(pool)
        and not (
            len({i for i, _j, _count in pool}) > 1
            and len({j for _i, j, _count in pool}) > 1
            and len(pool) < sum(count for _i, _j, count in pool) < SMALL[-1] * len(pool)
        )
    )
    every_cell_four = total == SMALL[-1] * sum(map(len, rows)) > 0
    withheld = total_known and (secret or every_cell_four)
    cells = tuple(tuple(withheld or one for one in row) for row, _total in hidden)
    return HiddenTable(
        cells=cells,
        row_totals=tuple(withheld or away for _row, away in hidden),
        column_totals=tuple(any(column) for column in zip(*cells, strict=True)),
        total=secret and not total_known,
        withheld=withheld,
    )
