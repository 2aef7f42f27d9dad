"""Work of one batch done side by side, in threads that never touch the database."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# The calls wait for another's server most of their time; more than this is no faster on two cores.
THREADS = 8


class NotStarted(Exception):
    """The time of the batch was up before it came to this one."""


def at_once(
    work: Callable[[Item], Result], items: Sequence[Item], *, until: float
) -> list[Result | Exception]:
    """What the work returned or raised for each item, in order.

    Nothing is begun after ``until``, by the clock of ``time.monotonic``; such an item has
    :class:`NotStarted`. The threads have ended when this returns.
    """

    results: list[Result | Exception] = [NotStarted() for _item in items]
    left = iter(enumerate(items))

    def take_turns() -> None:
        for place, item in left:
            if time.monotonic() >= until:
                return
            try:
                results[place] = work(item)
            except Exception as error:  # noqa: BLE001 - whoever asked looks at what was raised
                results[place] = error

    if not items:
        return []
    with ThreadPoolExecutor(min(THREADS, len(items)), thread_name_prefix="batch") as pool:
        for turn in [pool.submit(take_turns) for _thread in range(min(THREADS, len(items)))]:
            turn.result()
    return results
