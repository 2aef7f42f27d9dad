"""What several tests of a module only look at is made once for them.

``with shared(django_db_blocker): make…; yield`` in a fixture of wider scope: each test then runs in
a savepoint within, so that what one changes none of the others sees. Not for modules with tests
marked ``django_db(transaction=True)``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def shared(blocker: Any) -> Iterator[None]:
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
