"""A database connection that names the actor to PostgreSQL, transaction by transaction.

The settings ``vardlots.*`` are set with ``is_local``, so that they end with the transaction and a
pooled connection never carries one person's rights over to another. A statement outside a
transaction gets one of its own while somebody acts.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from organisations.acting import Acting, acting_now

_BIND = """
SELECT set_config('vardlots.role', %s, true), set_config('vardlots.region', %s, true),
    set_config('vardlots.unit', %s, true), set_config('vardlots.provider', %s, true),
    set_config('vardlots.user', %s, true), set_config('vardlots.case', %s, true)
"""


def _stands_alone(sql: Any) -> bool:
    """What PostgreSQL refuses within a transaction: an index made beside the work on its table."""
    words = sql.upper().split(maxsplit=4) if isinstance(sql, str) else []
    return words[:1] in (["CREATE"], ["DROP"], ["REINDEX"]) and "CONCURRENTLY" in words[1:4]


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL with the actor bound to each transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.alias != NO_DB_ALIAS:  # where databases are made, outside any transaction
            self.execute_wrappers.append(self._in_a_transaction)

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        actor = acting_now()
        if not autocommit and actor is not None:
            self._bind(actor)

    def bind_actor_in_open_transaction(self) -> None:
        """Tell the open transaction, if there is one, who acts from now on.

        In a failed transaction nothing can be said; what rolls it back, wholly or to a savepoint,
        brings back who acted when it began.
        """
        if self.connection is None or not self.in_atomic_block:
            return
        if self.connection.info.transaction_status != TransactionStatus.INERROR:
            self._bind(acting_now())

    def _bind(self, actor: Acting | None) -> None:
        values = (
            ("", None, None, None, None, None)
            if actor is None
            else (
                actor.role,
                actor.region,
                actor.care_unit_id,
                actor.provider_id,
                actor.user_id,
                actor.case_id,
            )
        )
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(_BIND, ["" if value is None else str(value) for value in values])

    def _in_a_transaction(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        nobody = acting_now() is None
        if nobody or self.in_atomic_block or not self.get_autocommit() or _stands_alone(sql):
            return execute(sql, params, many, context)
        with transaction.atomic(using=self.alias):
            return execute(sql, params, many, context)
