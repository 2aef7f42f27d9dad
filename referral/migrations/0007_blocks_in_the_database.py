"""The database keeps blocked cases from those the patient keeps them from (design 5.6).

A trigger lets ``referral_case.blocked`` follow the blocks, whoever writes. Policies read that
column, and only for a blocked case ask whether a consent or an emergency opening lets the actor in:
so a page of cases costs what it did. The clock is the database's own; policies have no other.
See docs/decisions/0007-blocked-information.md.
"""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import change_reading, protect

FOLLOW = """
CREATE FUNCTION block_in_force(patient bigint, unit bigint) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    RETURN coalesce((
        SELECT b.reach FROM referral_block b
        WHERE b.patient_id = patient AND b.care_unit_id = unit AND b.lifted_at IS NULL), '');
END
$$;
CREATE FUNCTION case_takes_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.blocked := block_in_force(NEW.patient_id, NEW.sending_unit_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER referral_case_takes_block BEFORE INSERT OR UPDATE ON referral_case
    FOR EACH ROW EXECUTE FUNCTION case_takes_block();
CREATE FUNCTION block_reaches_cases() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed referral_block := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    -- The trigger on the cases finds out what they are blocked against now.
    UPDATE referral_case SET blocked = ''
        WHERE patient_id = changed.patient_id AND sending_unit_id = changed.care_unit_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER referral_block_reaches_cases AFTER INSERT OR UPDATE OR DELETE ON referral_block
    FOR EACH ROW EXECUTE FUNCTION block_reaches_cases();
"""
NOT_FOLLOW = """
DROP TRIGGER referral_block_reaches_cases ON referral_block;
DROP TRIGGER referral_case_takes_block ON referral_case;
DROP FUNCTION block_reaches_cases();
DROP FUNCTION case_takes_block();
DROP FUNCTION block_in_force(bigint, bigint);
"""

# Consent of the patient, or an emergency opening by this person that has not ended.
OPENED = """
CREATE FUNCTION case_is_opened(
    wanted bigint, as_role text, unit bigint, of_provider bigint, person bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM referral_emergencyopening o
        WHERE o.case_id = wanted AND o.user_id = person AND o.ends_at > now()
    ) OR EXISTS (
        SELECT FROM referral_consent c
        WHERE c.case_id = wanted AND c.audience = as_role AND c.given AND c.withdrawn_at IS NULL
            AND (c.until IS NULL OR c.until >= (now() AT TIME ZONE 'Europe/Stockholm')::date)
            AND (c.care_unit_id IS NULL OR c.care_unit_id IN (
                SELECT u.id FROM organisations_careunit u
                WHERE u.provider_id = of_provider AND (unit IS NULL OR u.id = unit)))
    );
END
$$;
REVOKE EXECUTE ON FUNCTION case_is_opened(bigint, text, bigint, bigint, bigint) FROM PUBLIC;
"""

OWN_REGION = "region_id = (SELECT acting_region())"
OWN_UNIT = "sending_unit_id = (SELECT acting_unit())"
ACCEPTED_HERE = """(receiving_unit_id IN (
            SELECT u.id FROM organisations_careunit u
            WHERE u.provider_id = (SELECT acting_provider()))
        AND ((SELECT acting_unit()) IS NULL OR receiving_unit_id = (SELECT acting_unit())))"""
BEFORE = {
    "navigator": OWN_REGION,
    "clinic": OWN_UNIT,
    "provider": ACCEPTED_HERE,
    "integration": f"({OWN_REGION} AND ((SELECT acting_unit()) IS NULL OR {OWN_UNIT}))",
}
IS_OPENED = """case_is_opened(id, (SELECT acting_role()), (SELECT acting_unit()),
            (SELECT acting_provider()), (SELECT acting_user()))"""
AFTER = {
    "navigator": f"({OWN_REGION} AND (blocked <> 'units' OR {IS_OPENED}))",
    "clinic": OWN_UNIT,
    "provider": f"({ACCEPTED_HERE} AND (blocked = '' OR {IS_OPENED}))",
    # A client of the whole region is not of the unit; no consent is for systems.
    "integration": f"""({OWN_REGION} AND CASE WHEN (SELECT acting_unit()) IS NULL
        THEN blocked <> 'units' ELSE {OWN_UNIT} END)""",
}

OF_CASE = "case_is_visible(case_id)"
ADMINISTERED = {"region_admin": OWN_REGION}


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0011_thinning_of_logs"),
        ("referral", "0006_blocks_consents_and_corrections"),
    ]

    operations = [
        append_only("referral_correction"),
        migrations.RunSQL(FOLLOW, NOT_FOLLOW),
        migrations.RunSQL(
            OPENED, "DROP FUNCTION case_is_opened(bigint, text, bigint, bigint, bigint)"
        ),
        change_reading("referral_case", before=BEFORE, after=AFTER),
        protect("referral_block", clinic="care_unit_id = (SELECT acting_unit())"),
        protect(
            "referral_consent",
            provider=f"(audience = 'provider' AND {OF_CASE})",
            everyone=OF_CASE,
        ),
        # The administrator follows up by case number and sees nothing of the patient.
        protect(
            "referral_emergencyopening",
            **ADMINISTERED,
            provider="user_id = (SELECT acting_user())",
            everyone=OF_CASE,
        ),
        protect("referral_correction", navigator=OF_CASE, clinic=OF_CASE, integration=OF_CASE),
        protect("referral_retentionhold", **ADMINISTERED, navigator=OF_CASE, clinic=OF_CASE),
    ]
