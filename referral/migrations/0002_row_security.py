"""Cases and all that hangs on them behind row-level security (design 5.6).

The same rule as ``Case.objects.visible_to``, held a second time by the database: a navigator sees
the region's cases, a clinic its own, a receiving provider those accepted to it, an integration its
region's or its unit's; contract owners, managers, administrators and operators none. A patient is
visible through a visible case.

Blocked cases are kept from those the patient keeps them from. A trigger lets
``referral_case.blocked`` follow the blocks, whoever writes. Policies read that column, and only for
a blocked case ask whether a consent or an emergency opening lets the actor in: so a page of cases
costs what it did. The clock is the database's own; policies have no other.
See docs/decisions/0007-blocked-information.md.
"""

from django.db import migrations

from organisations.row_security import protect

# Called for each row on purpose: a subquery in the policy may be planned as a hash of all visible
# cases, which at a million costs more than the fifty rows of a page.
VISIBLE = """
CREATE FUNCTION case_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referral_case c WHERE c.id = wanted);
END
$$;
CREATE FUNCTION patient_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referral_case c WHERE c.patient_id = wanted);
END
$$;
CREATE FUNCTION offer_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referral_offer o WHERE o.id = wanted);
END
$$;
CREATE FUNCTION form_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM referral_intakeform f WHERE f.id = wanted);
END
$$;
"""
NOT_VISIBLE = """
DROP FUNCTION case_is_visible(bigint);
DROP FUNCTION patient_is_visible(bigint);
DROP FUNCTION offer_is_visible(bigint);
DROP FUNCTION form_is_visible(bigint);
"""

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
IS_OPENED = """case_is_opened(id, (SELECT acting_role()), (SELECT acting_unit()),
            (SELECT acting_provider()), (SELECT acting_user()))"""
CASE = {
    "navigator": f"({OWN_REGION} AND (blocked <> 'units' OR {IS_OPENED}))",
    "clinic": OWN_UNIT,
    "provider": f"({ACCEPTED_HERE} AND (blocked = '' OR {IS_OPENED}))",
    # A client of the whole region is not of the unit; no consent is for systems.
    "integration": f"""({OWN_REGION} AND CASE WHEN (SELECT acting_unit()) IS NULL
        THEN blocked <> 'units' ELSE {OWN_UNIT} END)""",
}

OF_CASE = "case_is_visible(case_id)"
# A provider sees the offer that was accepted to it, not what else the patient was offered.
PROVIDERS_OFFER = f"(state = 'accepted' AND {OF_CASE})"
# What a provider may read of the log, whatever the page asks for (referral.selectors.cases).
PROVIDERS_LOG = f"""
    ((role = 'provider' OR verb IN ('accept', 'confirm', 'book', 'treat', 'close')) AND {OF_CASE})
"""
# A draft belongs to its clinic alone.
OF_SUBMITTED = f"(case_id IS NOT NULL AND {OF_CASE})"
ADMINISTERED = {"region_admin": OWN_REGION}


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0003_rules"),
        ("patients", "0002_search_by_name"),
        ("referral", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(VISIBLE, NOT_VISIBLE),
        migrations.RunSQL(FOLLOW, NOT_FOLLOW),
        migrations.RunSQL(
            OPENED, "DROP FUNCTION case_is_opened(bigint, text, bigint, bigint, bigint)"
        ),
        protect("referral_case", **CASE),
        protect("referral_pause", everyone=OF_CASE),
        protect("referral_caselog", provider=PROVIDERS_LOG, everyone=OF_CASE),
        protect("referral_offer", provider=PROVIDERS_OFFER, everyone=OF_CASE),
        protect("referral_certificate", everyone="offer_is_visible(offer_id)"),
        protect("referral_referral", everyone="offer_is_visible(offer_id)"),
        protect("referral_intakeform", clinic=OWN_UNIT, everyone=OF_SUBMITTED),
        protect("referral_intakeformversion", everyone="form_is_visible(form_id)"),
        protect("referral_attachment", everyone="form_is_visible(form_id)"),
        protect("patients_patient", everyone="patient_is_visible(id)"),
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
