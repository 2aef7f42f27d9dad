"""Deliveries to the waiting-time database stay as they are, behind row-level security.

A delivery is read by the administrator and the manager of its region. Only its file, which holds
what is known of patients, may be emptied, and only once its month can no longer be corrected.
"""

from django.db import migrations

from organisations.append_only import append_only
from organisations.row_security import protect

OWN_REGION = "region_id = (SELECT acting_region())"
OF_DELIVERY = """EXISTS (
    SELECT FROM statistics_waitingtimedelivery d WHERE d.id = delivery_id)"""

KEEP = """
CREATE FUNCTION statistics_keep_waiting_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - 'file' <> to_jsonb(OLD) - 'file' OR NEW.file <> '' THEN
        RAISE EXCEPTION 'a delivery stays as it is' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.delivered_on > CURRENT_DATE - 100 THEN
        RAISE EXCEPTION 'the file of a delivery is kept while its month can be corrected'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER statistics_waitingtimedelivery_keep
    BEFORE UPDATE OR DELETE ON statistics_waitingtimedelivery
    FOR EACH ROW EXECUTE FUNCTION statistics_keep_waiting_delivery();
CREATE TRIGGER statistics_waitingtimedelivery_no_truncate
    BEFORE TRUNCATE ON statistics_waitingtimedelivery
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NO_KEEP = """
DROP TRIGGER statistics_waitingtimedelivery_no_truncate ON statistics_waitingtimedelivery;
DROP TRIGGER statistics_waitingtimedelivery_keep ON statistics_waitingtimedelivery;
DROP FUNCTION statistics_keep_waiting_delivery();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("statistics", "0005_performance_rules"),
        ("organisations", "0004_acting_case"),
    ]

    operations = [
        protect("statistics_waitingtimedelivery", region_admin=OWN_REGION, manager=OWN_REGION),
        protect("statistics_waitingtimedegree", region_admin=OF_DELIVERY, manager=OF_DELIVERY),
        migrations.RunSQL(KEEP, NO_KEEP),
        append_only("statistics_waitingtimedegree"),
    ]
