"""Row-level security: the migration operations and the application's rights (design 5.6).

The tables belong to the role that migrates. The product works as ``vardlots_app``, which owns
nothing and cannot bypass the policies. The rule is one: an actor reads what it may see and writes
nothing; the services check and then write as the product itself
(``organisations.access.as_product``).
"""

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations import RunSQL

AS_PRODUCT = "(SELECT acting_role()) = 'system'"


def protect(table: str, **visible: str) -> RunSQL:
    """Let only the product write the table, and each role read the rows of its condition.

    ``protect("t", navigator="region_id = (SELECT acting_region())")``; ``everyone`` stands for
    the roles not named. A role without a condition reads nothing. The conditions stand in a CASE,
    which PostgreSQL takes for half of the rows: a chain of OR it takes for next to none, and then
    leaves the index that gives a page in order.
    """
    readable = _readable(visible)
    return RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY {table}_read ON {table} FOR SELECT USING ({readable});
        CREATE POLICY {table}_add ON {table} FOR INSERT WITH CHECK ({AS_PRODUCT});
        CREATE POLICY {table}_change ON {table} FOR UPDATE
            USING ({AS_PRODUCT}) WITH CHECK ({AS_PRODUCT});
        CREATE POLICY {table}_remove ON {table} FOR DELETE USING ({AS_PRODUCT});
        """,
        f"""
        DROP POLICY {table}_remove ON {table};
        DROP POLICY {table}_change ON {table};
        DROP POLICY {table}_add ON {table};
        DROP POLICY {table}_read ON {table};
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


def change_reading(table: str, *, before: dict[str, str], after: dict[str, str]) -> RunSQL:
    """Give a protected table other conditions for reading than :func:`protect` gave it."""

    def change(visible: dict[str, str]) -> str:
        return f"ALTER POLICY {table}_read ON {table} USING ({_readable(visible)})"

    return RunSQL(change(after), change(before))


def _readable(visible: dict[str, str]) -> str:
    tests = dict(visible)
    otherwise = tests.pop("everyone", "false")
    branches = "".join(f" WHEN '{role}' THEN {test}" for role, test in tests.items())
    return f"""CASE (SELECT acting_role())
        WHEN 'system' THEN true{branches} ELSE (SELECT acting_role()) IS NOT NULL AND {otherwise}
    END"""


# The role is the cluster's: another installation's tests may create it at the same moment.
_CREATE_ROLE = """
DO $$
BEGIN
    CREATE ROLE {role} NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role {role} is missing'
            USING HINT = 'As superuser: CREATE ROLE {role}; GRANT {role} TO ' || current_user;
END
$$;
"""
_MAY_BECOME = """
DO $$
BEGIN
    IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
        EXECUTE format('GRANT {role} TO %I', current_user);
    END IF;
END
$$;
"""
_GRANT = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role};
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role};
"""


def grant_to_application(*, using: str, **_signal: Any) -> None:
    """After each migration: the application's role may use the tables, as its policies say."""
    ensure_application_role(using=using)
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        cursor.execute(_GRANT.format(role=settings.DATABASE_APP_ROLE, schema=schema))


def ensure_application_role(*, using: str) -> None:
    """Make the application's role where it is missing, and let the owner step down to it."""
    role = settings.DATABASE_APP_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(_CREATE_ROLE.format(role=role))
        cursor.execute(_MAY_BECOME.format(role=role))
