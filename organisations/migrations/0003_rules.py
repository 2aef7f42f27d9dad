"""Logs that can only be added to, and row-level security on all that tells of patients (design 5.6)."""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import AS_PRODUCT, protect

# Each person's own accesses, and for a region's administrator those to the region's cases and by
# the region's staff (HSLF-FS 2016:40 4 kap. 9 §: systematic review).
OWN = "user_id = (SELECT acting_user())"
REVIEWED = """(
    left(case_number, 2) = (SELECT acting_region())
    OR user_id IN (
        SELECT a.user_id FROM organisations_assignment a
        WHERE a.region_id = (SELECT acting_region())))
"""

# Who looks may write its own row, in its own name and role: then a page need not become the product
# and back for the one row, two statements less a request.
OWN_LOOK = "user_id = (SELECT acting_user()) AND role = (SELECT acting_role())"
ADD_LOOK = "ALTER POLICY organisations_accesslog_add ON organisations_accesslog WITH CHECK ({})"

# Called for each row on purpose, as in referral/migrations/0002_row_security.py.
VISIBLE = """
CREATE FUNCTION sample_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM organisations_accesssample s WHERE s.id = wanted);
END
$$;
CREATE FUNCTION access_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM organisations_accesslog a WHERE a.id = wanted);
END
$$;
"""
NOT_VISIBLE = """
DROP FUNCTION sample_is_visible(bigint);
DROP FUNCTION access_is_visible(bigint);
"""
OWN_REGION = "region_id = (SELECT acting_region())"


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
        migrations.RunSQL(
            ADD_LOOK.format(f"{AS_PRODUCT} OR ({OWN_LOOK})"), ADD_LOOK.format(AS_PRODUCT)
        ),
        migrations.RunSQL(VISIBLE, NOT_VISIBLE),
        # A region's administrator reads its own samples and what was found about the accesses it
        # reviews (HSLF-FS 2016:40 4 kap. 9 §). Seals are the product's alone. The history of
        # administration names staff, not patients; its region reads it, and the operator.
        protect("organisations_accesslogseal"),
        protect("organisations_accesssample", region_admin=OWN_REGION),
        protect("organisations_accesssamplerow", region_admin="sample_is_visible(sample_id)"),
        protect("organisations_accessreview", region_admin="access_is_visible(access_id)"),
        protect("organisations_administrationlog", region_admin=OWN_REGION, operator="true"),
    ]
