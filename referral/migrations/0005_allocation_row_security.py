"""Allocation behind row-level security, and drafts that go when the case moves on.

A run is the region's navigators'; what it gave a case is seen by those of them who see the case.
"""

from django.db import migrations

from organisations.row_security import protect

OF_CASE = "case_is_visible(case_id)"
OWN_REGION = "region_id = (SELECT acting_region())"

# A draft stands only while its case is under handling, whoever moves the case.
FOLLOW = """
CREATE FUNCTION draft_goes_with_its_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM referral_offerdraft WHERE case_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER referral_case_ends_draft AFTER UPDATE OF state ON referral_case
    FOR EACH ROW WHEN (OLD.state = 'in_progress' AND NEW.state <> 'in_progress')
    EXECUTE FUNCTION draft_goes_with_its_case();
CREATE FUNCTION draft_needs_case_in_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM referral_case c
        WHERE c.id = NEW.case_id AND c.state = 'in_progress' FOR SHARE)
    THEN
        RAISE EXCEPTION 'case % is not under handling', NEW.case_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'draft_case_in_progress';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER referral_offerdraft_in_progress BEFORE INSERT OR UPDATE OF case_id
    ON referral_offerdraft FOR EACH ROW EXECUTE FUNCTION draft_needs_case_in_progress();
"""
NOT_FOLLOW = """
DROP TRIGGER referral_offerdraft_in_progress ON referral_offerdraft;
DROP FUNCTION draft_needs_case_in_progress();
DROP TRIGGER referral_case_ends_draft ON referral_case;
DROP FUNCTION draft_goes_with_its_case();
"""


class Migration(migrations.Migration):
    dependencies = [("referral", "0004_watch_list_security")]

    operations = [
        protect("referral_allocationrun", navigator=OWN_REGION),
        protect("referral_allocationrow", navigator=OF_CASE),
        protect("referral_offerdraft", navigator=OF_CASE),
        migrations.RunSQL(FOLLOW, NOT_FOLLOW),
    ]
