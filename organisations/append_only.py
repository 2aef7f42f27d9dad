"""The migration operation that makes a table append-only in the database."""

from django.db.migrations import RunSQL


def append_only(table: str) -> RunSQL:
    """Have the database refuse UPDATE, DELETE and TRUNCATE on ``table``, whoever asks."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_append_only ON {table};
        DROP TRIGGER {table}_no_truncate ON {table};
        """,
    )
