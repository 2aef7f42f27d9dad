"""The case log and the submitted versions of forms can be added to and nothing else."""

from django.db import migrations

from organisations.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("referral", "0001_initial")]

    operations = [append_only("referral_caselog"), append_only("referral_intakeformversion")]
