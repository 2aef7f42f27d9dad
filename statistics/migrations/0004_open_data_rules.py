"""Published figures are read by anybody, written by the product alone, and never changed.

The public pages work without an actor, to whom every other policy gives nothing: a selector there
that asked for a case would get none.
"""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

TABLES = ("statistics_edition", "statistics_publishedfigure")


def read_by_anybody(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER POLICY {table}_read ON {table} USING (true)",
        f"ALTER POLICY {table}_read ON {table} USING ((SELECT acting_role()) = 'system')",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0003_frozen_rules"),
        ("organisations", "0004_acting_case"),
    ]

    operations = [
        *(protect(table) for table in TABLES),
        *(read_by_anybody(table) for table in TABLES),
        *(append_only(table) for table in TABLES),
    ]
