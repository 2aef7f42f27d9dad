"""A region's own limits and cases, read in the region, written by the product, never changed."""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

OF_REGION = "region_id = (SELECT acting_region())"
TABLES = (
    "statistics_pathwaylimit",
    "statistics_inclusioncount",
    "statistics_leadtimecount",
)
FILES = "statistics_pathwayfile"


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0006_waiting_times_rules"),
        ("organisations", "0004_acting_case"),
    ]

    operations = [
        *(
            protect(table, manager=OF_REGION, region_admin=OF_REGION, navigator=OF_REGION)
            for table in TABLES
        ),
        # The faults of a file are for the one who may hand in another.
        protect(FILES, region_admin=OF_REGION),
        *(append_only(table) for table in (*TABLES, FILES)),
    ]
