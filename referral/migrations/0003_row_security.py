"""Cases and all that hangs on them behind row-level security (design 5.6).

The same rule as ``Case.objects.visible_to``, held a second time by the database: a navigator sees
the region's cases, a clinic its own, a receiving provider those accepted to it, an integration its
region's or its unit's; contract owners, managers, administrators and operators none. A patient is
visible through a visible case.
"""

from django.db import migrations

from organisations.row_security import protect

OWN_REGION = "region_id = (SELECT acting_region())"
OWN_UNIT = "sending_unit_id = (SELECT acting_unit())"
CASE = {
    "navigator": OWN_REGION,
    "clinic": OWN_UNIT,
    "provider": """(receiving_unit_id IN (
            SELECT u.id FROM organisations_careunit u
            WHERE u.provider_id = (SELECT acting_provider()))
        AND ((SELECT acting_unit()) IS NULL OR receiving_unit_id = (SELECT acting_unit())))""",
    "integration": f"({OWN_REGION} AND ((SELECT acting_unit()) IS NULL OR {OWN_UNIT}))",
}

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

OF_CASE = "case_is_visible(case_id)"
# A provider sees the offer that was accepted to it, not what else the patient was offered.
PROVIDERS_OFFER = f"(state = 'accepted' AND {OF_CASE})"
# What a provider may read of the log, whatever the page asks for (referral.selectors.cases).
PROVIDERS_LOG = f"""
    ((role = 'provider' OR verb IN ('accept', 'confirm', 'book', 'treat', 'close')) AND {OF_CASE})
"""
# A draft belongs to its clinic alone.
OF_SUBMITTED = f"(case_id IS NOT NULL AND {OF_CASE})"


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_row_security"),
        ("patients", "0002_search_by_name"),
        ("referral", "0002_append_only"),
    ]

    operations = [
        migrations.RunSQL(VISIBLE, NOT_VISIBLE),
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
    ]
