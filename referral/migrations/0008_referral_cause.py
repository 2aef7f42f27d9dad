"""Why a patient gets care from another provider; those before are there because of the wait."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

CAUSES = ["waiting_time", "free_choice", "highly_specialised", "other"]


class Migration(migrations.Migration):
    dependencies = [("referral", "0007_own_case")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="referral_cause",
            field=models.CharField(
                choices=[
                    ("waiting_time", "Väntetiden"),
                    ("free_choice", "Fritt vårdval"),
                    ("highly_specialised", "Högspecialiserad vård"),
                    ("other", "Annat skäl"),
                ],
                db_default="waiting_time",
                default="waiting_time",
                max_length=18,
                verbose_name="skäl till vård hos annan vårdgivare",
            ),
        ),
        AddConstraintNotValid(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(referral_cause__in=CAUSES), name="case_referral_cause_known"
            ),
        ),
    ]
