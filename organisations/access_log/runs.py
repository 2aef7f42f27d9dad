"""Runs of whole numbers: ``[1, 3, 7, 7]`` stands for 1, 2, 3 and 7."""

from collections.abc import Iterable, Iterator


def runs_of(ids: Iterable[int]) -> list[int]:
    """The ends of each unbroken run of ``ids``, which come in rising order."""
    runs: list[int] = []
    for number in ids:
        if runs and number == runs[-1] + 1:
            runs[-1] = number
        else:
            runs += [number, number]
    return runs


def pairs(runs: Iterable[int]) -> Iterator[tuple[int, int]]:
    ends = iter(runs)
    return zip(ends, ends, strict=True)


def numbers(runs: Iterable[int]) -> Iterator[int]:
    for first, last in pairs(runs):
        yield from range(first, last + 1)


def gaps(covered: Iterable[tuple[int, int]], *, above: int, upto: int) -> list[tuple[int, int]]:
    """The stretches of ``above + 1 … upto`` that no run of ``covered`` holds."""
    found: list[tuple[int, int]] = []
    reached = above
    for first, last in sorted(covered):
        if first > reached + 1:
            found.append((reached + 1, min(first - 1, upto)))
        reached = max(reached, last)
        if reached >= upto:
            break
    if reached < upto:
        found.append((reached + 1, upto))
    return [(first, last) for first, last in found if first <= last]
