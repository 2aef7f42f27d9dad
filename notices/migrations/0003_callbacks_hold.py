"""Times tell of no patient, calls do (design 5.6); and what two tables have to agree on.

A booked call stands on an open time of the case's region, and a time with a booked call is not
closed. Either side locks the time's row, so that two who change them at once meet there.
"""

from django.db import migrations

from organisations.row_security import protect

OF_CASE = "case_is_visible(case_id)"
OF_REGION = "region_id = (SELECT acting_region())"

HOLDS = """
CREATE FUNCTION call_holds_its_time() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closed timestamptz;
    region text;
BEGIN
    SELECT closed_at, region_id INTO closed, region
        FROM notices_phonetime WHERE id = NEW.time_id FOR SHARE;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'a call is booked on an open time'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'call_booked_on_open_time';
    END IF;
    IF region <> (SELECT region_id FROM referral_case WHERE id = NEW.case_id) THEN
        RAISE EXCEPTION 'a call is booked in the region of its case'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'call_booked_in_region';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notices_callback_holds_time BEFORE INSERT OR UPDATE ON notices_callback
    FOR EACH ROW WHEN (NEW.state = 'booked') EXECUTE FUNCTION call_holds_its_time();
CREATE FUNCTION time_is_held_by_its_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notices_callback WHERE time_id = NEW.id AND state = 'booked') THEN
        RAISE EXCEPTION 'a time with a booked call is not closed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'phone_time_booked_stays_open';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notices_phonetime_held BEFORE UPDATE OF closed_at ON notices_phonetime
    FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL) EXECUTE FUNCTION time_is_held_by_its_call();
"""
NO_HOLD = """
DROP TRIGGER notices_phonetime_held ON notices_phonetime;
DROP FUNCTION time_is_held_by_its_call();
DROP TRIGGER notices_callback_holds_time ON notices_callback;
DROP FUNCTION call_holds_its_time();
"""


class Migration(migrations.Migration):
    dependencies = [("notices", "0002_row_security")]

    operations = [
        protect("notices_callback", navigator=OF_CASE, clinic=OF_CASE, integration=OF_CASE),
        protect("notices_phonetime", navigator=OF_REGION, clinic=OF_REGION),
        migrations.RunSQL(HOLDS, NO_HOLD),
    ]
