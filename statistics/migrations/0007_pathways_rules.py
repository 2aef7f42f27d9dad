"""A region's own limits and cases, read in the region, written by the product, never changed.

What holds can be withdrawn, once.
"""

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

# A row that is withdrawn repeats the newest row about the same, which must hold. The arguments are
# the columns that say what a row is about.
WITHDRAWALS = """
CREATE FUNCTION withdraws_what_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own CONSTANT text[] := ARRAY['id', 'file_id', 'entered_at', 'entered_by'];
    about text;
    newest jsonb;
BEGIN
    SELECT string_agg(format('t.%I = $1.%I', name, name), ' AND ') INTO about
        FROM unnest(TG_ARGV) name;
    EXECUTE format('SELECT to_jsonb(t) FROM %I t WHERE %s ORDER BY t.id DESC LIMIT 1',
        TG_TABLE_NAME, about) INTO newest USING NEW;
    IF newest - own IS DISTINCT FROM to_jsonb(NEW) - own || jsonb '{"is_withdrawn": false}' THEN
        RAISE EXCEPTION 'only what holds is withdrawn' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
"""
ABOUT = (
    "region_id, pathway, treatment",
    "region_id, period, pathway",
    "region_id, period, pathway, step",
)


def withdrawn_once(table: str, about: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_withdrawal BEFORE INSERT ON {table}
            FOR EACH ROW WHEN (NEW.is_withdrawn) EXECUTE FUNCTION withdraws_what_holds({about});
        """,
        f"DROP TRIGGER {table}_withdrawal ON {table}",
    )


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
        migrations.RunSQL(WITHDRAWALS, "DROP FUNCTION withdraws_what_holds()"),
        *(withdrawn_once(table, about) for table, about in zip(TABLES, ABOUT, strict=True)),
    ]
