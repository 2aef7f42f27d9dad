"""The access log can be added to and nothing else."""

from django.db import migrations

from organisations.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_initial")]

    operations = [append_only("organisations_accesslog")]
