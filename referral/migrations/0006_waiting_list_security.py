"""Waiting lists handed in as files, behind row-level security."""

from django.db import migrations

from organisations.row_security import protect

OWN_REGION = "region_id = (SELECT acting_region())"
OWN_UNIT = "sending_unit_id = (SELECT acting_unit())"


class Migration(migrations.Migration):
    dependencies = [
        ("referral", "0005_allocation_row_security"),
    ]

    operations = [
        # A clinic's own list may hold patients who have blocked it from the region's navigators, so
        # they read the lists that a navigator handed in.
        protect(
            "referral_waitinglistfile",
            clinic=OWN_UNIT,
            navigator=f"(role = 'navigator' AND {OWN_REGION})",
            integration=f"""(role = 'integration' AND {OWN_REGION}
                AND ((SELECT acting_unit()) IS NULL OR {OWN_UNIT}))""",
        ),
    ]
