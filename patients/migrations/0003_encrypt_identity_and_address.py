"""Identity numbers, addresses and telephone numbers encrypted, found by keyed hash."""

from django.db import migrations, models
from django.db.models import Q

import organisations.encrypted
from organisations.encrypt_existing import encrypt_and_hash


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0002_search_by_name"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="patient", name="patient_identity_number_shape"),
        migrations.RemoveConstraint(model_name="patient", name="patient_postal_code_five_digits"),
        migrations.RemoveConstraint(model_name="patient", name="patient_protected_has_no_address"),
        migrations.AlterField(
            model_name="patient",
            name="identity_number",
            field=organisations.encrypted.EncryptedTextField(
                max_length=12, shape="[0-9]{8}[0-9A-Z]{4}", verbose_name="personnummer"
            ),
        ),
        migrations.AlterField(
            model_name="patient",
            name="street",
            field=organisations.encrypted.EncryptedTextField(
                blank=True, max_length=120, verbose_name="gatuadress"
            ),
        ),
        migrations.AlterField(
            model_name="patient",
            name="postal_code",
            field=organisations.encrypted.EncryptedTextField(
                blank=True, max_length=5, shape="[0-9]{5}", verbose_name="postnummer"
            ),
        ),
        migrations.AlterField(
            model_name="patient",
            name="town",
            field=organisations.encrypted.EncryptedTextField(
                blank=True, max_length=60, verbose_name="ort"
            ),
        ),
        migrations.AlterField(
            model_name="patient",
            name="phone",
            field=organisations.encrypted.EncryptedTextField(
                blank=True, max_length=30, verbose_name="telefon"
            ),
        ),
        migrations.AddField(
            model_name="patient",
            name="identity_hash",
            field=models.CharField(editable=False, max_length=81, null=True),
        ),
        encrypt_and_hash(
            "patients_patient",
            "identity_number",
            "street",
            "postal_code",
            "town",
            "phone",
            hashed="identity_number",
            into="identity_hash",
        ),
        migrations.AlterField(
            model_name="patient",
            name="identity_hash",
            field=organisations.encrypted.KeyedHashField(
                editable=False, max_length=81, source="identity_number", unique=True
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(
                    ("protection", "none"),
                    Q(
                        ("municipality__isnull", True),
                        ("postal_code", ""),
                        ("street", ""),
                        ("town", ""),
                    ),
                    _connector="OR",
                ),
                name="patient_protected_has_no_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=Q(("identity_number__sealed", True)),
                name="patient_identity_number_encrypted",
            ),
        ),
        *(
            migrations.AddConstraint(
                model_name="patient",
                constraint=models.CheckConstraint(
                    condition=Q((name, ""), (f"{name}__sealed", True), _connector="OR"),
                    name=f"patient_{name}_encrypted",
                ),
            )
            for name in ("street", "postal_code", "town", "phone")
        ),
    ]
