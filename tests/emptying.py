"""Empties the database after a transactional test, row by row.

Django truncates every table, which makes new files for each of them and their indexes, rows or
none, and then does again what follows a migration. A test fills a few tables with some rows, and
no table has changed.
"""

from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

# What the end of the migrations writes of models and rights: the same for every test.
KEPT = {"django_content_type", "auth_permission"}


def execute_sql_flush(operations: DatabaseOperations, _sql_list: list[str]) -> None:
    """In the place of Django's own."""
    # A page that was left may still be saving when its test ends; then the emptying waits for
    # it and it for the emptying, and PostgreSQL ends one of them.
    for _try in range(3):
        try:
            return _empty(operations.connection)
        except OperationalError:
            operations.connection.close()
    return _empty(operations.connection)


def _empty(connection: Any) -> None:
    """Delete every row, the append-only tables' too: their guards stand aside here only."""
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    names = [connection.ops.quote_name(table) for table in sorted(tables)]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("RESET ROLE")  # whom the policies do not bind sees every row
        # Who still writes is waited for, so that nothing comes after the look.
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names
            )
        )
        filled = [name for (name,) in cursor.fetchall()]
        if filled:
            _delete(cursor, filled)
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")


def _delete(cursor: Any, names: list[str]) -> None:
    cursor.execute(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        " AND tgtype & 8 <> 0"  # the server's TRIGGER_TYPE_DELETE
        " AND tgrelid = ANY (%s::regclass[])",
        [names],
    )
    guarded = [table for (table,) in cursor.fetchall()]
    for table in guarded:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    # In one statement, so that the order of the tables does not matter.
    deletes = ", ".join(f"d{n} AS (DELETE FROM {name})" for n, name in enumerate(names))
    cursor.execute(f"WITH {deletes} SELECT 1")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the end holds the tables
    for table in guarded:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
