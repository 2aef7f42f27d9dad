"""Runs work in several threads at once, each with a database connection of its own.

Only of use in tests marked ``django_db(transaction=True)``, where what is done is committed.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def together(works: Iterable[Callable[[], Result]]) -> list[Result | Exception]:
    """What each work returned or raised, in order; all start at the same moment."""
    works = list(works)
    start = Barrier(len(works), timeout=30)

    def run(work: Callable[[], Result]) -> Result | Exception:
        try:
            connection.ensure_connection()
            start.wait()
            return work()
        except Exception as error:  # noqa: BLE001 - the test looks at what was raised
            return error
        finally:
            connection.close()

    # Each thread acts as the test does.
    contexts = [copy_context() for _work in works]
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda context, work: context.run(run, work), contexts, works))
