from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # An index is made beside the work on a table in use, which no transaction can do.
    atomic = False

    dependencies = [
        ("notices", "0003_request_ids"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state", "failed")), fields=["channel"], name="notice_failed"
            ),
        ),
    ]
