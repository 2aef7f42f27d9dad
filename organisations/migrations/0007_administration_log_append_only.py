"""The history of administration can be added to and nothing else."""

from django.db import migrations

from organisations.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("organisations", "0006_invitations_and_administration_log")]

    operations = [append_only("organisations_administrationlog")]
