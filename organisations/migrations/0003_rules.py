"""Logs that can only be added to, and row-level security on all that tells of patients (design 5.6)."""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

# Each person's own accesses, and for a region's administrator those to the region's cases and by
# the region's staff (HSLF-FS 2016:40 4 kap. 9 §: systematic review).
OWN = "user_id = (SELECT acting_user())"
REVIEWED = """(
    left(case_number, 2) = (SELECT acting_region())
    OR user_id IN (
        SELECT a.user_id FROM organisations_assignment a
        WHERE a.region_id = (SELECT acting_region())))
"""


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_initial")]

    operations = [
        append_only("organisations_accesslog"),
        append_only("organisations_administrationlog"),
        append_only("organisations_accesslogseal"),
        append_only("organisations_accesssample"),
        append_only("organisations_accesssamplerow"),
        append_only("organisations_accessreview"),
        protect("organisations_accesslog", region_admin=REVIEWED, everyone=OWN),
        protect("organisations_domainevent"),
        protect("organisations_eventdelivery"),
        # Each person's own: what is typed may be about a patient.
        protect("organisations_kepttext", everyone=OWN),
    ]
