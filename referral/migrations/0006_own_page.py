"""The patient, on the own page, sees the one case that it has proved to be the patient of."""

import importlib

from django.db import migrations, models

from organisations.row_security import change_reading

CASE = importlib.import_module("referral.migrations.0002_row_security").CASE
OWN_CASE = "id = (SELECT acting_case())"


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0005_acting_case"),
        ("referral", "0005_allocation_row_security"),
    ]

    operations = [
        migrations.AlterField(
            model_name="consent",
            name="how",
            field=models.CharField(
                choices=[
                    ("oral", "Muntligt på plats"),
                    ("phone", "Telefon"),
                    ("written", "Skriftligt"),
                    ("1177", "1177"),
                    ("page", "Egen sida"),
                ],
                max_length=7,
                verbose_name="hur",
            ),
        ),
        migrations.AlterField(
            model_name="offer",
            name="answer_channel",
            field=models.CharField(
                blank=True,
                choices=[
                    ("1177", "1177"),
                    ("phone", "Telefon"),
                    ("letter", "Brev"),
                    ("page", "Egen sida"),
                ],
                max_length=6,
                verbose_name="svar genom",
            ),
        ),
        change_reading("referral_case", before=CASE, after=CASE | {"patient": OWN_CASE}),
    ]
