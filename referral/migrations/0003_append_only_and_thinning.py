"""What can only be added to, and its thinning when the law lets it.

A submitted form stays as it was. Only the tables' owner, who could drop the guard anyway, may
replace its ciphertext by another when keys are rotated, and nothing else of the row. Each function
that thins or forgets checks its rule itself, by the database's own clock, so that neither a mistake
in the product nor a person with the application's rights can take a younger row.
"""

from django.db import migrations

from organisations.append_only import append_only

# Submitted forms and corrections hold ciphertext, which the owner may exchange for other ciphertext
# when keys are rotated, and which goes when the case is thinned.
APPEND_ONLY_BUT = """
CREATE FUNCTION refuse_change_but_reencryption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF TG_OP = 'UPDATE' AND NEW.content LIKE 'v1.%'
            AND to_jsonb(OLD) - 'content' = to_jsonb(NEW) - 'content'
        THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'DELETE' AND current_setting('vardlots.thinning', true) = TG_TABLE_NAME THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE FUNCTION refuse_change_of_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF TG_OP = 'UPDATE' AND (NEW.changes LIKE 'v1.%' OR NEW.changes = '')
            AND to_jsonb(OLD) - 'changes' = to_jsonb(NEW) - 'changes'
        THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'DELETE' AND current_setting('vardlots.thinning', true) = TG_TABLE_NAME THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER referral_intakeformversion_append_only BEFORE UPDATE OR DELETE
    ON referral_intakeformversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_reencryption();
CREATE TRIGGER referral_intakeformversion_no_truncate BEFORE TRUNCATE
    ON referral_intakeformversion FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER referral_correction_append_only BEFORE UPDATE OR DELETE ON referral_correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_correction();
CREATE TRIGGER referral_correction_no_truncate BEFORE TRUNCATE ON referral_correction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER referral_correction_no_truncate ON referral_correction;
DROP TRIGGER referral_correction_append_only ON referral_correction;
DROP FUNCTION refuse_change_of_correction();
DROP TRIGGER referral_intakeformversion_no_truncate ON referral_intakeformversion;
DROP TRIGGER referral_intakeformversion_append_only ON referral_intakeformversion;
DROP FUNCTION refuse_change_but_reencryption();
"""

# Patientdatalagen 3 kap. 17 §: a record is kept at least ten years after the last entry.
THIN_CASE = """
CREATE FUNCTION case_may_be_thinned(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM referral_case c
        WHERE c.id = wanted AND c.state = 'closed' AND c.archived_at IS NOT NULL
            AND c.closed_at < now() - interval '10 years')
        AND NOT EXISTS (
            SELECT FROM referral_caselog l
            WHERE l.case_id = wanted AND l.at >= now() - interval '10 years')
        AND NOT EXISTS (
            SELECT FROM referral_retentionhold h
            WHERE h.case_id = wanted AND h.lifted_at IS NULL);
END
$$;
REVOKE EXECUTE ON FUNCTION case_may_be_thinned(bigint) FROM PUBLIC;

CREATE FUNCTION thin_logs_of_case(wanted bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF acting_role() IS DISTINCT FROM 'system' OR NOT case_may_be_thinned(wanted) THEN
        RAISE EXCEPTION 'case % is kept: ten years have not passed, or it is held', wanted
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('vardlots.thinning', 'referral_intakeformversion', true);
    DELETE FROM referral_intakeformversion WHERE form_id IN (
        SELECT f.id FROM referral_intakeform f WHERE f.case_id = wanted);
    PERFORM set_config('vardlots.thinning', 'referral_correction', true);
    DELETE FROM referral_correction WHERE case_id = wanted;
    PERFORM set_config('vardlots.thinning', 'referral_caselog', true);
    DELETE FROM referral_caselog WHERE case_id = wanted;
    PERFORM set_config('vardlots.thinning', '', true);
END
$$;
REVOKE EXECUTE ON FUNCTION thin_logs_of_case(bigint) FROM PUBLIC;
"""
NOT_THIN_CASE = """
DROP FUNCTION thin_logs_of_case(bigint);
DROP FUNCTION case_may_be_thinned(bigint);
"""

# Design 5.6: nobody with protected identity has an address in the system, nor in what was
# submitted before the protection was known. What is encrypted the product opens, empties of the
# address and seals; the database lets it be put back for a protected identity only.
FORGET_ADDRESSES = """
CREATE FUNCTION replace_form_version(wanted bigint, sealed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF acting_role() IS DISTINCT FROM 'system' OR NOT EXISTS (
        SELECT FROM referral_intakeformversion v
        JOIN referral_intakeform f ON f.id = v.form_id
        JOIN referral_case c ON c.id = f.case_id
        JOIN patients_patient p ON p.id = c.patient_id
        WHERE v.id = wanted AND p.protection <> 'none')
    THEN
        RAISE EXCEPTION 'only the addresses of a protected identity are forgotten'
            USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE referral_intakeformversion SET content = sealed WHERE id = wanted;
END
$$;
REVOKE EXECUTE ON FUNCTION replace_form_version(bigint, text) FROM PUBLIC;

CREATE FUNCTION replace_correction(wanted bigint, sealed text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF acting_role() IS DISTINCT FROM 'system' OR NOT EXISTS (
        SELECT FROM referral_correction r JOIN patients_patient p ON p.id = r.patient_id
        WHERE r.id = wanted AND p.protection <> 'none')
    THEN
        RAISE EXCEPTION 'only the addresses of a protected identity are forgotten'
            USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE referral_correction SET changes = sealed WHERE id = wanted;
END
$$;
REVOKE EXECUTE ON FUNCTION replace_correction(bigint, text) FROM PUBLIC;
"""
NOT_FORGET_ADDRESSES = """
DROP FUNCTION replace_form_version(bigint, text);
DROP FUNCTION replace_correction(bigint, text);
"""


class Migration(migrations.Migration):
    dependencies = [("referral", "0002_row_security")]

    operations = [
        append_only("referral_caselog"),
        migrations.RunSQL(APPEND_ONLY_BUT, NOT_APPEND_ONLY),
        migrations.RunSQL(THIN_CASE, NOT_THIN_CASE),
        migrations.RunSQL(FORGET_ADDRESSES, NOT_FORGET_ADDRESSES),
    ]
