"""A region's figures for the agreement are its own: read there, written by the product."""

from django.db import migrations

from organisations.row_security import protect

OWN_REGION = "region_id = (SELECT acting_region())"
READERS = {"manager": OWN_REGION, "region_admin": OWN_REGION, "navigator": OWN_REGION}


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0004_open_data_rules"),
    ]

    operations = [
        protect("statistics_performanceimport", **READERS),
        protect("statistics_performancefigure", **READERS),
    ]
