"""The case whose patient acts, beside the other settings of who acts (0001_database_functions)."""

from django.db import migrations

ACTING = """
CREATE FUNCTION acting_case() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('vardlots.case', true), '')::bigint $$;
"""


class Migration(migrations.Migration):
    dependencies = [("organisations", "0003_rules")]

    operations = [migrations.RunSQL(ACTING, "DROP FUNCTION acting_case()")]
