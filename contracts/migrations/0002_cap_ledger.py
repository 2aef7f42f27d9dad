"""The cap holds in the database (design 5.5).

``contracts_count_call_off`` keeps the counters of line and contract equal to the sum of live
call-offs, under the row locks that UPDATE takes (line first, then contract, always in that order,
so that two call-offs cannot lock each other out). The CHECK constraints on the counters then
refuse what would pass a cap. ``contracts_guard_counters`` refuses any other change of them.
"""

from django.db import migrations

COUNT_CALL_OFF = """
CREATE FUNCTION contracts_count_call_off() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    volume int := 0;
    amount numeric(14, 2) := 0;
    line bigint := COALESCE(NEW.line_id, OLD.line_id);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.line_id <> OLD.line_id THEN
        RAISE EXCEPTION 'a call-off stays on its line' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.state <> 'released' THEN
        volume := volume - 1;
        amount := amount - OLD.amount_sek;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state <> 'released' THEN
        volume := volume + 1;
        amount := amount + NEW.amount_sek;
    END IF;
    IF volume <> 0 OR amount <> 0 THEN
        UPDATE contracts_contractline
            SET taken_volume = taken_volume + volume, taken_sek = taken_sek + amount
            WHERE id = line;
        UPDATE contracts_contract
            SET taken_volume = taken_volume + volume, taken_sek = taken_sek + amount
            WHERE id = (SELECT contract_id FROM contracts_contractline WHERE id = line);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contracts_calloff_count AFTER INSERT OR UPDATE OR DELETE ON contracts_calloff
    FOR EACH ROW EXECUTE FUNCTION contracts_count_call_off();
CREATE TRIGGER contracts_calloff_no_truncate BEFORE TRUNCATE ON contracts_calloff
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

GUARD_COUNTERS = """
CREATE FUNCTION contracts_guard_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.taken_volume <> 0 OR NEW.taken_sek <> 0 THEN
            RAISE EXCEPTION 'counters of % start at zero', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF (NEW.taken_volume, NEW.taken_sek) IS DISTINCT FROM (OLD.taken_volume, OLD.taken_sek)
        AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'counters of % follow the call-offs only', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER contracts_contract_guard BEFORE INSERT OR UPDATE ON contracts_contract
    FOR EACH ROW EXECUTE FUNCTION contracts_guard_counters();
CREATE TRIGGER contracts_contractline_guard BEFORE INSERT OR UPDATE ON contracts_contractline
    FOR EACH ROW EXECUTE FUNCTION contracts_guard_counters();

CREATE FUNCTION contracts_guard_line_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a line stays on its contract' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER contracts_contractline_stays BEFORE UPDATE OF contract_id ON contracts_contractline
    FOR EACH ROW WHEN (NEW.contract_id <> OLD.contract_id)
    EXECUTE FUNCTION contracts_guard_line_contract();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            COUNT_CALL_OFF,
            """
            DROP TRIGGER contracts_calloff_no_truncate ON contracts_calloff;
            DROP TRIGGER contracts_calloff_count ON contracts_calloff;
            DROP FUNCTION contracts_count_call_off();
            """,
        ),
        migrations.RunSQL(
            GUARD_COUNTERS,
            """
            DROP TRIGGER contracts_contractline_stays ON contracts_contractline;
            DROP FUNCTION contracts_guard_line_contract();
            DROP TRIGGER contracts_contractline_guard ON contracts_contractline;
            DROP TRIGGER contracts_contract_guard ON contracts_contract;
            DROP FUNCTION contracts_guard_counters();
            """,
        ),
    ]
