"""Who looked at whom, who was drawn for review and what was found: behind row-level security too.

A region's administrator reads its own samples and what was found about the accesses it reviews
(HSLF-FS 2016:40 4 kap. 9 §). Seals are the product's alone. The history of administration names
staff, not patients; its region reads it, and the operator.
"""

from django.db import migrations

from organisations.row_security import protect

# Called for each row on purpose, as in referral/migrations/0003_row_security.py.
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
    dependencies = [("organisations", "0004_own_rows_in_the_access_log")]

    operations = [
        migrations.RunSQL(VISIBLE, NOT_VISIBLE),
        protect("organisations_accesslogseal"),
        protect("organisations_accesssample", region_admin=OWN_REGION),
        protect("organisations_accesssamplerow", region_admin="sample_is_visible(sample_id)"),
        protect("organisations_accessreview", region_admin="access_is_visible(access_id)"),
        protect("organisations_administrationlog", region_admin=OWN_REGION, operator="true"),
    ]
