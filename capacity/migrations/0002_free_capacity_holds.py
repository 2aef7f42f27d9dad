"""Free places hold in the database, in the manner of the caps (contracts/0002_caps_hold).

``capacity_count_place`` keeps ``taken`` equal to the live call-offs of the slot, and the CHECK on
it refuses what would pass the places that were posted. A call-off that is released gives its place
back, whatever released it; it locks line, contract and slot in that order, always (triggers fire in
the order of their names). The functions see past row-level security, so that the counter is true
whoever acts.

Free capacity tells of no patient and is read by everyone who works here; only its own provider, by
its people or its systems, writes it. A taken place is the product's alone.
"""

from django.db import migrations

from organisations.row_security import AS_PRODUCT, protect

GUARD = """
CREATE FUNCTION capacity_guard_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.taken <> 0 THEN
            RAISE EXCEPTION 'taken places start at zero' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.taken <> OLD.taken AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'taken places follow the call-offs only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.withdrawn_at IS NOT NULL AND NEW.taken = OLD.taken THEN
        RAISE EXCEPTION 'a slot that was withdrawn stays as it is'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.taken > 0 AND (NEW.care_unit_id, NEW.kva, NEW.first_day, NEW.last_day)
        IS DISTINCT FROM (OLD.care_unit_id, OLD.kva, OLD.first_day, OLD.last_day) THEN
        RAISE EXCEPTION 'patients have been promised these weeks'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER capacity_freecapacity_guard BEFORE INSERT OR UPDATE ON capacity_freecapacity
    FOR EACH ROW EXECUTE FUNCTION capacity_guard_slot();
"""
NO_GUARD = """
DROP TRIGGER capacity_freecapacity_guard ON capacity_freecapacity;
DROP FUNCTION capacity_guard_slot();
"""

COUNT = """
CREATE FUNCTION capacity_count_place() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    is_live boolean;
    unit bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a taken place stays on its slot' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT c.state <> 'released', l.care_unit_id INTO is_live, unit
        FROM contracts_calloff c JOIN contracts_contractline l ON l.id = c.line_id
        WHERE c.id = COALESCE(NEW.call_off_id, OLD.call_off_id);
    IF TG_OP = 'DELETE' THEN
        UPDATE capacity_freecapacity SET taken = taken - 1 WHERE id = OLD.slot_id AND is_live;
        RETURN NULL;
    END IF;
    UPDATE capacity_freecapacity SET taken = taken + 1
        WHERE id = NEW.slot_id AND care_unit_id = unit AND is_live AND withdrawn_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no place can be taken there' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER capacity_takenplace_count AFTER INSERT OR UPDATE OR DELETE ON capacity_takenplace
    FOR EACH ROW EXECUTE FUNCTION capacity_count_place();
CREATE TRIGGER capacity_takenplace_no_truncate BEFORE TRUNCATE ON capacity_takenplace
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION capacity_follow_call_off() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE capacity_freecapacity f
        SET taken = taken + CASE WHEN NEW.state = 'released' THEN -1 ELSE 1 END
        FROM capacity_takenplace p WHERE p.call_off_id = NEW.id AND f.id = p.slot_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER contracts_calloff_free_place AFTER UPDATE OF state ON contracts_calloff
    FOR EACH ROW WHEN ((OLD.state = 'released') <> (NEW.state = 'released'))
    EXECUTE FUNCTION capacity_follow_call_off();
"""
NO_COUNT = """
DROP TRIGGER contracts_calloff_free_place ON contracts_calloff;
DROP FUNCTION capacity_follow_call_off();
DROP TRIGGER capacity_takenplace_no_truncate ON capacity_takenplace;
DROP TRIGGER capacity_takenplace_count ON capacity_takenplace;
DROP FUNCTION capacity_count_place();
"""

OWN = """CASE (SELECT acting_role())
    WHEN 'system' THEN true
    WHEN 'provider' THEN care_unit_id IN (
            SELECT u.id FROM organisations_careunit u
            WHERE u.provider_id = (SELECT acting_provider()))
        AND ((SELECT acting_unit()) IS NULL OR care_unit_id = (SELECT acting_unit()))
    WHEN 'integration' THEN care_unit_id = (SELECT acting_unit())
    ELSE false
END"""
WRITE = """
ALTER POLICY capacity_freecapacity_add ON capacity_freecapacity WITH CHECK ({0});
ALTER POLICY capacity_freecapacity_change ON capacity_freecapacity USING ({0}) WITH CHECK ({0});
"""


class Migration(migrations.Migration):
    dependencies = [
        ("capacity", "0001_initial"),
        ("contracts", "0002_caps_hold"),
        ("organisations", "0003_rules"),
    ]

    operations = [
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(COUNT, NO_COUNT),
        protect("capacity_freecapacity", everyone="true"),
        migrations.RunSQL(WRITE.format(OWN), WRITE.format(AS_PRODUCT)),
        protect("capacity_takenplace"),
    ]
