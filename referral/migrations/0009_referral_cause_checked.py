"""The check of the cause read over the rows that were there before it, without a lock."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("referral", "0008_referral_cause")]

    operations = [ValidateConstraint(model_name="case", name="case_referral_cause_known")]
