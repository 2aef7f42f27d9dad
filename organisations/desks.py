"""The same work at two desks: while one waits for the database or for others, the other goes on."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from django.db import connection

DESKS = min(2, os.cpu_count() or 1)


def at_desks(work: Callable[[], int]) -> int:
    """Run the work once at each desk and return the sum; what one raises is raised when all ended.

    Each desk is a thread with a connection of its own, so the work must claim what it takes and
    not be called within a transaction, which it would not see.
    """
    with ThreadPoolExecutor(DESKS, thread_name_prefix="desk") as desks:
        running = [desks.submit(copy_context().run, _at_a_desk, work) for _desk in range(DESKS)]
    return sum(one.result() for one in running)


def _at_a_desk(work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        connection.close()
