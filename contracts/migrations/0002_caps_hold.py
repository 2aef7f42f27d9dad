"""The caps hold in the database (design 5.5).

``contracts_count_call_off`` keeps the counters of line and contract equal to the sum of live
call-offs, under the row locks that UPDATE takes (line first, then contract, always in that order,
so that two call-offs cannot lock each other out). The CHECK constraints on the counters then
refuse what would pass a cap. ``contracts_guard_counters`` refuses any other change of them.

A call-off counts in the periods that ``counts_on`` lies in. Counts of periods are written under the
same row locks, which every change of a call-off takes first.
"""

from django.db import migrations

from organisations.append_only import append_only

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

COUNT_PERIODS = """
CREATE FUNCTION contracts_calloff_counts_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.counts_on := COALESCE(
        NEW.counts_on, (NEW.reserved_at AT TIME ZONE 'Europe/Stockholm')::date
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER contracts_calloff_counts_on BEFORE INSERT ON contracts_calloff
    FOR EACH ROW EXECUTE FUNCTION contracts_calloff_counts_on();

CREATE FUNCTION contracts_period_ended(period text, starts_on date, by_day date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT (starts_on + ('1 ' || period)::interval)::date <= by_day
$$;

CREATE FUNCTION contracts_count_periods(line bigint, day date, volume int, amount numeric)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    contract bigint := (SELECT l.contract_id FROM contracts_contractline l WHERE l.id = line);
BEGIN
    INSERT INTO contracts_periodcount
        (period_cap_id, starts_on, cap_volume, cap_sek, taken_volume, taken_sek)
    SELECT p.id, s.starts_on,
        CASE WHEN contracts_period_ended(p.period, s.starts_on, p.applies_from)
            THEN NULL ELSE p.cap_volume END,
        CASE WHEN contracts_period_ended(p.period, s.starts_on, p.applies_from)
            THEN NULL ELSE p.cap_sek END,
        0, 0
    FROM contracts_periodcap p
    CROSS JOIN LATERAL (SELECT date_trunc(p.period, day::timestamp)::date AS starts_on) s
    WHERE (p.line_id = line OR p.contract_id = contract)
        AND NOT EXISTS (
            SELECT 1 FROM contracts_periodcount c
            WHERE c.period_cap_id = p.id AND c.starts_on = s.starts_on
        );
    UPDATE contracts_periodcount c
        SET taken_volume = c.taken_volume + volume, taken_sek = c.taken_sek + amount
        FROM contracts_periodcap p
        WHERE p.id = c.period_cap_id AND (p.line_id = line OR p.contract_id = contract)
            AND c.starts_on = date_trunc(p.period, day::timestamp)::date;
END
$$;
"""

PERIOD_CAPS = """
CREATE FUNCTION contracts_lock_caps(line bigint, contract bigint) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM contracts_contractline WHERE id = line FOR NO KEY UPDATE;
    PERFORM 1 FROM contracts_contract
        WHERE id = COALESCE(
            contract, (SELECT contract_id FROM contracts_contractline WHERE id = line)
        )
        FOR NO KEY UPDATE;
END
$$;

CREATE FUNCTION contracts_periodcap_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM contracts_lock_caps(OLD.line_id, OLD.contract_id);
        DELETE FROM contracts_periodcount WHERE period_cap_id = OLD.id;
        RETURN OLD;
    END IF;
    PERFORM contracts_lock_caps(NEW.line_id, NEW.contract_id);
    IF TG_OP = 'INSERT' THEN
        INSERT INTO contracts_periodcount
            (period_cap_id, starts_on, cap_volume, cap_sek, taken_volume, taken_sek)
        SELECT NEW.id, s.starts_on,
            CASE WHEN contracts_period_ended(NEW.period, s.starts_on, NEW.applies_from)
                THEN NULL ELSE NEW.cap_volume END,
            CASE WHEN contracts_period_ended(NEW.period, s.starts_on, NEW.applies_from)
                THEN NULL ELSE NEW.cap_sek END,
            count(*), sum(c.amount_sek)
        FROM contracts_calloff c
        JOIN contracts_contractline l ON l.id = c.line_id
        CROSS JOIN LATERAL (
            SELECT date_trunc(NEW.period, c.counts_on::timestamp)::date AS starts_on
        ) s
        WHERE c.state <> 'released' AND (l.id = NEW.line_id OR l.contract_id = NEW.contract_id)
        GROUP BY s.starts_on;
    ELSE
        IF (NEW.contract_id, NEW.line_id, NEW.period)
            IS DISTINCT FROM (OLD.contract_id, OLD.line_id, OLD.period) THEN
            RAISE EXCEPTION 'a period cap stays where it is' USING ERRCODE = 'restrict_violation';
        END IF;
        UPDATE contracts_periodcount SET cap_volume = NEW.cap_volume, cap_sek = NEW.cap_sek
            WHERE period_cap_id = NEW.id
                AND NOT contracts_period_ended(NEW.period, starts_on, NEW.applies_from);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contracts_periodcap_changed AFTER INSERT OR UPDATE ON contracts_periodcap
    FOR EACH ROW EXECUTE FUNCTION contracts_periodcap_changed();
CREATE TRIGGER contracts_periodcap_removed BEFORE DELETE ON contracts_periodcap
    FOR EACH ROW EXECUTE FUNCTION contracts_periodcap_changed();
CREATE TRIGGER contracts_periodcap_no_truncate BEFORE TRUNCATE ON contracts_periodcap
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION contracts_guard_period_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'counts of a period follow the call-offs only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;
CREATE TRIGGER contracts_periodcount_guard BEFORE INSERT OR UPDATE OR DELETE
    ON contracts_periodcount
    FOR EACH ROW EXECUTE FUNCTION contracts_guard_period_counts();
CREATE TRIGGER contracts_periodcount_no_truncate BEFORE TRUNCATE ON contracts_periodcount
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

NO_PERIOD_CAPS = """
DROP TRIGGER contracts_periodcount_no_truncate ON contracts_periodcount;
DROP TRIGGER contracts_periodcount_guard ON contracts_periodcount;
DROP FUNCTION contracts_guard_period_counts();
DROP TRIGGER contracts_periodcap_no_truncate ON contracts_periodcap;
DROP TRIGGER contracts_periodcap_removed ON contracts_periodcap;
DROP TRIGGER contracts_periodcap_changed ON contracts_periodcap;
DROP FUNCTION contracts_periodcap_changed();
DROP FUNCTION contracts_lock_caps(bigint, bigint);
"""

COUNT_CALL_OFF = """
CREATE FUNCTION contracts_count_call_off() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    volume int := 0;
    amount numeric(14, 2) := 0;
    moved boolean := false;
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
    IF TG_OP = 'UPDATE' THEN
        moved := NEW.counts_on <> OLD.counts_on;
    END IF;
    IF volume <> 0 OR amount <> 0 THEN
        UPDATE contracts_contractline
            SET taken_volume = taken_volume + volume, taken_sek = taken_sek + amount
            WHERE id = line;
        UPDATE contracts_contract
            SET taken_volume = taken_volume + volume, taken_sek = taken_sek + amount
            WHERE id = (SELECT contract_id FROM contracts_contractline WHERE id = line);
    ELSIF moved THEN
        PERFORM contracts_lock_caps(line, NULL);
    ELSE
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.state <> 'released' THEN
        PERFORM contracts_count_periods(line, OLD.counts_on, -1, -OLD.amount_sek);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state <> 'released' THEN
        PERFORM contracts_count_periods(line, NEW.counts_on, 1, NEW.amount_sek);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contracts_calloff_count AFTER INSERT OR UPDATE OR DELETE ON contracts_calloff
    FOR EACH ROW EXECUTE FUNCTION contracts_count_call_off();
CREATE TRIGGER contracts_calloff_no_truncate BEFORE TRUNCATE ON contracts_calloff
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_initial"), ("organisations", "0003_rules")]

    operations = [
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
        migrations.RunSQL(
            COUNT_PERIODS,
            """
            DROP FUNCTION contracts_count_periods(bigint, date, int, numeric);
            DROP FUNCTION contracts_period_ended(text, date, date);
            DROP TRIGGER contracts_calloff_counts_on ON contracts_calloff;
            DROP FUNCTION contracts_calloff_counts_on();
            """,
        ),
        migrations.RunSQL(PERIOD_CAPS, NO_PERIOD_CAPS),
        migrations.RunSQL(
            COUNT_CALL_OFF,
            """
            DROP TRIGGER contracts_calloff_no_truncate ON contracts_calloff;
            DROP TRIGGER contracts_calloff_count ON contracts_calloff;
            DROP FUNCTION contracts_count_call_off();
            """,
        ),
        append_only("contracts_contractversion"),
    ]
