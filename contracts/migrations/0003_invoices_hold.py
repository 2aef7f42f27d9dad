"""Who reads invoices, and what of them never changes.

An invoice line names nobody, but says when the patient of a case was treated and may hold the
provider's own words: it is read by those who settle invoices in the region that pays, and by no
others. What was invoiced stays as it came; its text alone goes when its time is over.
"""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

VISIBLE = """
CREATE FUNCTION invoice_is_visible(wanted bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM contracts_invoice i WHERE i.id = wanted);
END
$$;
"""

STAYS = """
CREATE FUNCTION contracts_invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was invoiced stays as it came' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER contracts_invoiceline_stays BEFORE UPDATE ON contracts_invoiceline
    FOR EACH ROW WHEN (
        (NEW.invoice_id, NEW.position, NEW.line_id, NEW.is_credit, NEW.case_number, NEW.quoted,
            NEW.certificate_number, NEW.treated_from, NEW.treated_to, NEW.quantity,
            NEW.amount_sek, NEW.vat_percent, NEW.has_identity_number)
        IS DISTINCT FROM
        (OLD.invoice_id, OLD.position, OLD.line_id, OLD.is_credit, OLD.case_number, OLD.quoted,
            OLD.certificate_number, OLD.treated_from, OLD.treated_to, OLD.quantity,
            OLD.amount_sek, OLD.vat_percent, OLD.has_identity_number)
        OR (NEW.text <> OLD.text AND NEW.text <> ''))
    EXECUTE FUNCTION contracts_invoice_stays();
CREATE TRIGGER contracts_invoice_stays BEFORE UPDATE ON contracts_invoice
    FOR EACH ROW EXECUTE FUNCTION contracts_invoice_stays();
"""

OWN_REGION = "region_id = (SELECT acting_region())"
PAYERS = ("navigator", "contract_owner", "integration")
# A client of one unit has no business with what the region pays.
OF_REGION = {
    "navigator": OWN_REGION,
    "contract_owner": OWN_REGION,
    "integration": f"({OWN_REGION} AND (SELECT acting_unit()) IS NULL)",
}
OF_INVOICE = dict.fromkeys(PAYERS, "invoice_is_visible(invoice_id)")


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_caps_hold"), ("organisations", "0003_rules")]

    operations = [
        migrations.RunSQL(VISIBLE, "DROP FUNCTION invoice_is_visible(bigint)"),
        migrations.RunSQL(
            STAYS,
            """
            DROP TRIGGER contracts_invoice_stays ON contracts_invoice;
            DROP TRIGGER contracts_invoiceline_stays ON contracts_invoiceline;
            DROP FUNCTION contracts_invoice_stays();
            """,
        ),
        protect("contracts_invoicefile", **OF_REGION),
        protect("contracts_invoice", **OF_REGION),
        protect("contracts_invoiceline", **OF_INVOICE),
        protect("contracts_invoicelog", **OF_INVOICE),
        append_only("contracts_invoicelog"),
    ]
