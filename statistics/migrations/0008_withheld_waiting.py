"""Whose waiting is not shown: decided once, and read by the product only."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from organisations.append_only import append_only
from organisations.row_security import protect

TABLE = "statistics_withheldwaiting"


class Migration(migrations.Migration):
    dependencies = [("statistics", "0007_pathways_rules"), ("organisations", "0003_rules")]

    operations = [
        migrations.CreateModel(
            name="WithheldWaiting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_day", models.DateField(verbose_name="månad")),
                (
                    "clinics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        size=None,
                        verbose_name="kliniker",
                    ),
                ),
                (
                    "region_withheld",
                    models.BooleanField(default=False, verbose_name="regionens egna"),
                ),
                (
                    "hidden_next",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8),
                        default=list,
                        size=None,
                        verbose_name="döljs nästa månad",
                    ),
                ),
                (
                    "hidden_flows",
                    models.JSONField(default=dict, verbose_name="flöden som döljs"),
                ),
                ("decided_at", models.DateTimeField(verbose_name="beslutat")),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.region",
                    ),
                ),
            ],
            options={
                "verbose_name": "dolda väntande",
                "verbose_name_plural": "dolda väntande",
                "ordering": ("region", "first_day"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("region", "first_day"), name="withheld_waiting_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_day__day", 1)),
                        name="withheld_waiting_is_a_month",
                    ),
                ],
            },
        ),
        append_only(TABLE),
        protect(TABLE),
    ]
