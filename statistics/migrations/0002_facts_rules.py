"""Facts and counted months are read and written by the product alone (design 5.6).

Figures are made ``as_product("statistics")`` by selectors that decide who sees which.
"""

from django.db import migrations

from organisations.row_security import protect

TABLES = ("casefact", "offerfact", "stalecase", "monthstate", "monthrow")


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0001_initial"),
        ("referral", "0007_own_case"),
    ]

    operations = [
        *(protect(f"statistics_{table}") for table in TABLES),
        # The facts of the cases that are there already are made by the next sweeps.
        migrations.RunSQL(
            "INSERT INTO statistics_stalecase (case_id, due_at) SELECT id, now() FROM referral_case",
            migrations.RunSQL.noop,
        ),
    ]
