"""Extensions and SQL functions that constraints and triggers of all apps rest on."""

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension
from django.db import migrations

# The Damm check digit (design 5.1): true when the digits of the text, check digit included,
# lead back to zero. The table is the totally anti-symmetric quasigroup of order ten that
# python-stdnum uses too; tests/referral/test_numbers.py holds the two against each other.
DAMM_HOLDS = """
CREATE FUNCTION damm_holds(number text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    quasigroup constant text[] := ARRAY[
        '0317598642', '7092154863', '4206871359', '1750983426', '6123045978',
        '3674209581', '5869720134', '8945362017', '9438617205', '2581436790'];
    digits text := regexp_replace(number, '[^0-9]', '', 'g');
    interim int := 0;
BEGIN
    FOR position IN 1 .. length(digits) LOOP
        interim := substr(quasigroup[interim + 1], substr(digits, position, 1)::int + 1, 1)::int;
    END LOOP;
    RETURN length(digits) > 0 AND interim = 0;
END
$$;
"""

# Patientdatalagen 4 kap. 3 §: logs are kept as they were written. They can be thinned by functions of
# the tables' owner that check the rule themselves, and have said that they are at work: the setting
# alone, which anybody can make, opens nothing (organisations/retention.py).
REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND current_setting('vardlots.thinning', true) = TG_TABLE_NAME
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
    THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""

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


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        TrigramExtension(),
        BtreeGistExtension(),
        migrations.RunSQL(DAMM_HOLDS, "DROP FUNCTION damm_holds(text)"),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change()"),
        migrations.RunSQL(ACTING, NOT_ACTING),
    ]
