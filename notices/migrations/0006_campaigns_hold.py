"""Campaigns: what was approved is what is sent, and who reads of whom."""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

OF_REGION = "region_id = (SELECT acting_region())"
OF_CAMPAIGN = "campaign_id IN (SELECT id FROM notices_campaign)"
OF_CASE = "case_is_visible(case_id)"

# What was approved is what is sent.
STAYS = """
CREATE FUNCTION campaign_stays_as_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.approved_at IS NOT NULL
        AND (NEW.region_id, NEW.name, NEW.criteria, NEW.easy, NEW.message, NEW.answer_days,
             NEW.per_hour, NEW.version)
            IS DISTINCT FROM
            (OLD.region_id, OLD.name, OLD.criteria, OLD.easy, OLD.message, OLD.answer_days,
             OLD.per_hour, OLD.version)
        OR OLD.approved_at IS NOT NULL AND NEW.approved_at IS NOT NULL
            AND NEW.text_versions IS DISTINCT FROM OLD.text_versions
    THEN
        RAISE EXCEPTION 'a change takes the approval away'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_approved_as_it_stands';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notices_campaign_stays BEFORE UPDATE ON notices_campaign
    FOR EACH ROW EXECUTE FUNCTION campaign_stays_as_approved();
"""
NO_STAY = """
DROP TRIGGER notices_campaign_stays ON notices_campaign;
DROP FUNCTION campaign_stays_as_approved();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0005_printed_letters_security"),
    ]

    operations = [
        protect("notices_campaign", navigator=OF_REGION, region_admin=OF_REGION, manager=OF_REGION),
        protect("notices_campaignlog", navigator=OF_CAMPAIGN, region_admin=OF_CAMPAIGN),
        protect("notices_campaignrecipient", navigator=OF_CASE),
        append_only("notices_campaignlog"),
        migrations.RunSQL(STAYS, NO_STAY),
    ]
