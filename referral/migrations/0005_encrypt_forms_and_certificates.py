"""Forms, their versions, certificates and attachments encrypted.

A submitted version stays append-only. Only the tables' owner, who could drop the guard anyway, may
replace its ciphertext by another when keys are rotated, and nothing else of the row.
"""

from typing import Any

from django.core.files.storage import default_storage
from django.db import migrations, models
from django.db.models import Q

import organisations.encrypted
from organisations.encrypt_existing import encrypt_columns

REENCRYPTION = """
CREATE FUNCTION refuse_change_but_reencryption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
        AND NEW.content LIKE 'v1.%' AND to_jsonb(OLD) - 'content' = to_jsonb(NEW) - 'content'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER referral_intakeformversion_append_only ON referral_intakeformversion;
CREATE TRIGGER referral_intakeformversion_append_only BEFORE UPDATE OR DELETE
    ON referral_intakeformversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_reencryption();
"""
NO_REENCRYPTION = """
DROP TRIGGER referral_intakeformversion_append_only ON referral_intakeformversion;
CREATE TRIGGER referral_intakeformversion_append_only BEFORE UPDATE OR DELETE
    ON referral_intakeformversion FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_but_reencryption();
"""


def encrypt_files(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT file FROM referral_attachment")
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        if default_storage.exists(name) and not default_storage.is_encrypted(name):
            default_storage.reencrypt(name)


class Migration(migrations.Migration):
    dependencies = [
        ("referral", "0004_count_views_from_the_index"),
    ]

    operations = [
        migrations.RunSQL(REENCRYPTION, NO_REENCRYPTION),
        migrations.AlterField(
            model_name="intakeform",
            name="typed",
            field=organisations.encrypted.EncryptedJSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name="intakeformversion",
            name="content",
            field=organisations.encrypted.EncryptedJSONField(),
        ),
        migrations.AlterField(
            model_name="certificate",
            name="content",
            field=organisations.encrypted.EncryptedJSONField(),
        ),
        encrypt_columns("referral_intakeform", "typed"),
        encrypt_columns("referral_intakeformversion", "content"),
        encrypt_columns("referral_certificate", "content"),
        migrations.RunPython(encrypt_files, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="intakeform",
            constraint=models.CheckConstraint(
                condition=Q(("typed", ""), ("typed__sealed", True), _connector="OR"),
                name="form_typed_encrypted",
            ),
        ),
        migrations.AddConstraint(
            model_name="intakeformversion",
            constraint=models.CheckConstraint(
                condition=Q(("content__sealed", True)), name="form_version_encrypted"
            ),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.CheckConstraint(
                condition=Q(("content__sealed", True)), name="certificate_content_encrypted"
            ),
        ),
    ]
