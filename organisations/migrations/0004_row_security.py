"""Who acts, as policies read it; events and access log behind row-level security (design 5.6)."""

from django.db import migrations

from organisations.row_security import protect

# Set for each transaction by organisations.database; empty where nobody acts.
ACTING = """
CREATE FUNCTION acting_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.role', true), '') $$;
CREATE FUNCTION acting_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.region', true), '') $$;
CREATE FUNCTION acting_unit() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.unit', true), '')::bigint $$;
CREATE FUNCTION acting_provider() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.provider', true), '')::bigint $$;
CREATE FUNCTION acting_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.user', true), '')::bigint $$;
"""
NOT_ACTING = """
DROP FUNCTION acting_role();
DROP FUNCTION acting_region();
DROP FUNCTION acting_unit();
DROP FUNCTION acting_provider();
DROP FUNCTION acting_user();
"""

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
    dependencies = [("organisations", "0003_append_only")]

    operations = [
        migrations.RunSQL(ACTING, NOT_ACTING),
        protect("organisations_accesslog", region_admin=REVIEWED, everyone=OWN),
        protect("organisations_domainevent"),
        protect("organisations_eventdelivery"),
    ]
