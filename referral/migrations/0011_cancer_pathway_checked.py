"""The rules of the cancer pathway read over the rows that were there before, without a lock."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("referral", "0010_cancer_pathway")]

    operations = [
        ValidateConstraint(model_name="case", name="case_pathway_whole"),
        ValidateConstraint(model_name="case", name="case_suspicion_not_after_decision"),
    ]
