"""Texts in versions: what was published stays as it was, whoever asks."""

from django.db import migrations

from organisations.row_security import protect

STAYS = """
CREATE FUNCTION published_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'replaced'
        AND to_jsonb(NEW) - '{state,replaced_at}'::text[]
            = to_jsonb(OLD) - '{state,replaced_at}'::text[]
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a text that has been published is not changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'text_published_stays';
END
$$;
CREATE TRIGGER notices_textversion_stays BEFORE UPDATE OR DELETE ON notices_textversion
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION published_text_stays();
CREATE TRIGGER notices_textversion_no_truncate BEFORE TRUNCATE ON notices_textversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NO_STAY = """
DROP TRIGGER notices_textversion_no_truncate ON notices_textversion;
DROP TRIGGER notices_textversion_stays ON notices_textversion;
DROP FUNCTION published_text_stays();
"""
OF_OFFER = "offer_is_visible(offer_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0003_callbacks_hold"),
    ]

    operations = [
        migrations.RunSQL(STAYS, NO_STAY),
        protect("notices_writtenoffer", navigator=OF_OFFER, clinic=OF_OFFER, integration=OF_OFFER),
    ]
