"""What the gateway called back with, encrypted: it may hold what the patient wrote."""

from django.db import migrations, models
from django.db.models import Q

import organisations.encrypted
from organisations.encrypt_existing import encrypt_columns


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0002_row_security"),
    ]

    operations = [
        migrations.AlterField(
            model_name="gatewaycallback",
            name="payload",
            field=organisations.encrypted.EncryptedJSONField(),
        ),
        encrypt_columns("notices_gatewaycallback", "payload"),
        migrations.AddConstraint(
            model_name="gatewaycallback",
            constraint=models.CheckConstraint(
                condition=Q(("payload__sealed", True)), name="callback_payload_encrypted"
            ),
        ),
    ]
