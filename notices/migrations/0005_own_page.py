"""The patient's own page: tries at codes, and what the patient reads of calls and their times.

A time is read by the patient whose call stands on it; all else of times is for staff. The tries are
the product's alone.
"""

import importlib

from django.db import migrations, models

from organisations.row_security import change_reading, protect

OF_CASE = "case_is_visible(case_id)"
OF_REGION = "region_id = (SELECT acting_region())"
STAFFS_CALLS = {"navigator": OF_CASE, "clinic": OF_CASE, "integration": OF_CASE}
STAFFS_TIMES = {"navigator": OF_REGION, "clinic": OF_REGION}
OF_OFFER = importlib.import_module("notices.migrations.0004_texts").OF_OFFER
STAFFS_TEXTS = {"navigator": OF_OFFER, "clinic": OF_OFFER, "integration": OF_OFFER}
OWN_TIME = "EXISTS (SELECT FROM notices_callback c WHERE c.time_id = notices_phonetime.id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0004_texts"),
        ("referral", "0006_own_page"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("offer", "Erbjudande"),
                    ("offer_letter", "Erbjudande som brev"),
                    ("offer_reminder", "Påminnelse om erbjudande"),
                    ("booked_time", "Bokad tid"),
                    ("confirmation", "Remissbekräftelse"),
                    ("guarantee", "Om vårdgarantin"),
                    ("answer_code", "Ny svarskod"),
                    ("provider_new_case", "Ny patient till vårdgivare"),
                    ("clinic_returned", "Blankett åter till kliniken"),
                    ("clinic_rejected", "Remiss avvisad"),
                    ("emergency_opening", "Nödöppning att följa upp"),
                ],
                max_length=20,
                verbose_name="slag",
            ),
        ),
        migrations.CreateModel(
            name="AnswerCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case_number",
                    models.CharField(max_length=14, unique=True, verbose_name="ärendenummer"),
                ),
                ("serial", models.PositiveSmallIntegerField(default=1, verbose_name="löpnummer")),
                ("wrong", models.PositiveSmallIntegerField(default=0, verbose_name="fel försök")),
                (
                    "locked_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="låst till"),
                ),
                ("barred_at", models.DateTimeField(blank=True, null=True, verbose_name="spärrad")),
                ("tried_at", models.DateTimeField(verbose_name="senast prövad")),
            ],
            options={
                "verbose_name": "svarskod",
                "verbose_name_plural": "svarskoder",
                "ordering": ("pk",),
                "indexes": [models.Index(fields=["tried_at"], name="answer_code_by_try")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("case_number__regex", "^[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]$")
                        ),
                        name="answer_code_number_shape",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("wrong__lt", 20), ("barred_at__isnull", False), _connector="OR"
                        ),
                        name="answer_code_barred_after_many",
                    ),
                ],
            },
        ),
        protect("notices_answercode"),
        change_reading(
            "notices_callback", before=STAFFS_CALLS, after=STAFFS_CALLS | {"patient": OF_CASE}
        ),
        change_reading(
            "notices_writtenoffer", before=STAFFS_TEXTS, after=STAFFS_TEXTS | {"patient": OF_OFFER}
        ),
        change_reading(
            "notices_phonetime", before=STAFFS_TIMES, after=STAFFS_TIMES | {"patient": OWN_TIME}
        ),
    ]
