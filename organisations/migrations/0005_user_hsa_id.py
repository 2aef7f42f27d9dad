"""The HSA-id a person logs in with by SITHS."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0004_row_security")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="hsa_id",
            field=models.CharField(
                blank=True, max_length=31, null=True, unique=True, verbose_name="HSA-id"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hsa_id__isnull", True),
                    ("hsa_id__regex", "^SE[0-9]{10}-[A-Z0-9]{1,18}$"),
                    _connector="OR",
                ),
                name="user_hsa_id_shape",
            ),
        ),
    ]
