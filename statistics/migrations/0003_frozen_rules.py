"""Frozen months stay as they were frozen, and nobody but the product reads them.

The figures are kept with small numbers in them; they are hidden where they are read
(statistics/frozen/hiding.py), so no role gets the rows themselves.
"""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

TABLES = ("frozenmonth", "frozenfigure", "recount", "figurecorrection")


class Migration(migrations.Migration):
    dependencies = [("statistics", "0002_facts_rules"), ("organisations", "0003_rules")]

    operations = [
        *(append_only(f"statistics_{table}") for table in TABLES),
        *(protect(f"statistics_{table}") for table in (*TABLES, "monthdue", "subscription")),
    ]
