"""Append-only tables can be thinned, by functions of the owner that check the rule themselves.

Whoever asks, a row is refused unless a function of the tables' owner is at work and has said that
it is: the setting alone, which anybody can make, opens nothing. The functions take nothing that is
younger than the law says (organisations/retention.py, referral/migrations/0008_thinning.py).
"""

from django.db import migrations

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND current_setting('vardlots.thinning', true) = TG_TABLE_NAME
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
    THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""
REFUSE_EVERY_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("organisations", "0010_login_tokens_and_kept_text")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGE, REFUSE_EVERY_CHANGE),
    ]
