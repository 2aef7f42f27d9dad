"""Which cancer pathway a case is in, and since when the suspicion was well founded."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q

TREATMENTS = [
    ("surgery", "Kirurgi"),
    ("drugs", "Läkemedel"),
    ("radiation", "Strålbehandling"),
    ("other_treatment", "Annan behandling"),
]
WHOLE = Q(("suspicion_date__isnull", False), ("svf", True)) & ~Q(svf_pathway="") | Q(
    ("suspicion_date__isnull", True), ("svf_pathway", ""), ("svf_treatment", "")
)


class Migration(migrations.Migration):
    dependencies = [("referral", "0009_referral_cause_checked")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="svf_pathway",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=40,
                verbose_name="vårdförlopp",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="suspicion_date",
            field=models.DateField(blank=True, null=True, verbose_name="välgrundad misstanke"),
        ),
        migrations.AddField(
            model_name="case",
            name="svf_treatment",
            field=models.CharField(
                blank=True,
                choices=TREATMENTS,
                db_default="",
                default="",
                max_length=16,
                verbose_name="första behandling i vårdförloppet",
            ),
        ),
        AddConstraintNotValid(
            model_name="case",
            constraint=models.CheckConstraint(condition=WHOLE, name="case_pathway_whole"),
        ),
        AddConstraintNotValid(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=Q(suspicion_date__isnull=True)
                | Q(suspicion_date__lte=F("decision_date")),
                name="case_suspicion_not_after_decision",
            ),
        ),
    ]
