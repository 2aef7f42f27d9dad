"""What is agreed in a delivery plan stays: held by the database, whoever asks.

A plan is for one region, place, code and year for ever; weeks are of that ISO year; an agreed
version and its weeks are neither changed nor taken away.
"""

from django.db import migrations

PLAN = """
CREATE FUNCTION capacity_guard_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.region_id, NEW.provider_id, NEW.contract_id, NEW.care_unit_id, NEW.kva, NEW.year)
        IS DISTINCT FROM
        (OLD.region_id, OLD.provider_id, OLD.contract_id, OLD.care_unit_id, OLD.kva, OLD.year)
    THEN
        RAISE EXCEPTION 'a delivery plan stays what it is for'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'ended' THEN
        RAISE EXCEPTION 'a delivery plan that has ended stays ended'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER capacity_deliveryplan_guard BEFORE UPDATE ON capacity_deliveryplan
    FOR EACH ROW EXECUTE FUNCTION capacity_guard_plan();
"""

VERSION = """
CREATE FUNCTION capacity_guard_plan_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.agreed_at IS NOT NULL THEN
        RAISE EXCEPTION 'an agreed delivery plan is changed by a new version'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;
CREATE TRIGGER capacity_planversion_guard BEFORE UPDATE OR DELETE ON capacity_planversion
    FOR EACH ROW EXECUTE FUNCTION capacity_guard_plan_version();
CREATE TRIGGER capacity_planversion_no_truncate BEFORE TRUNCATE ON capacity_planversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# The version's row is locked, so that it cannot be agreed while a week of it is changed.
WEEK = """
CREATE FUNCTION capacity_guard_planned_week() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    plan_year int;
    agreed timestamptz;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.version_id, NEW.week) <> (OLD.version_id, OLD.week) THEN
        RAISE EXCEPTION 'a planned week stays in its place' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT p.year, v.agreed_at INTO plan_year, agreed
        FROM capacity_planversion v JOIN capacity_deliveryplan p ON p.id = v.plan_id
        WHERE v.id = COALESCE(NEW.version_id, OLD.version_id) FOR SHARE OF v;
    IF agreed IS NOT NULL THEN
        RAISE EXCEPTION 'the weeks of an agreed delivery plan stay'
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- The 28th of December always lies in the last week of its ISO year.
    IF TG_OP <> 'DELETE' AND NEW.week > extract(week FROM make_date(plan_year, 12, 28)) THEN
        RAISE EXCEPTION 'the year has no week %', NEW.week
            USING ERRCODE = 'check_violation', CONSTRAINT = 'planned_week_of_the_year';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;
CREATE TRIGGER capacity_plannedweek_guard BEFORE INSERT OR UPDATE OR DELETE
    ON capacity_plannedweek FOR EACH ROW EXECUTE FUNCTION capacity_guard_planned_week();
CREATE TRIGGER capacity_plannedweek_no_truncate BEFORE TRUNCATE ON capacity_plannedweek
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("capacity", "0002_free_capacity_holds")]

    operations = [
        migrations.RunSQL(
            PLAN,
            """
            DROP TRIGGER capacity_deliveryplan_guard ON capacity_deliveryplan;
            DROP FUNCTION capacity_guard_plan();
            """,
        ),
        migrations.RunSQL(
            VERSION,
            """
            DROP TRIGGER capacity_planversion_no_truncate ON capacity_planversion;
            DROP TRIGGER capacity_planversion_guard ON capacity_planversion;
            DROP FUNCTION capacity_guard_plan_version();
            """,
        ),
        migrations.RunSQL(
            WEEK,
            """
            DROP TRIGGER capacity_plannedweek_no_truncate ON capacity_plannedweek;
            DROP TRIGGER capacity_plannedweek_guard ON capacity_plannedweek;
            DROP FUNCTION capacity_guard_planned_week();
            """,
        ),
    ]
