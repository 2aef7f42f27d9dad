"""Waiting lists handed in as files, behind row-level security."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import organisations.encrypted
from organisations.row_security import protect

OWN_REGION = "region_id = (SELECT acting_region())"
OWN_UNIT = "sending_unit_id = (SELECT acting_unit())"


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0003_rules"),
        ("referral", "0005_allocation_row_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WaitingListFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("file", models.FileField(blank=True, max_length=120, upload_to="")),
                ("name", models.CharField(max_length=150, verbose_name="filnamn")),
                ("size", models.PositiveIntegerField(verbose_name="storlek, byte")),
                ("handed_in_at", models.DateTimeField(verbose_name="lämnad")),
                ("actor_name", models.CharField(max_length=120, verbose_name="vem")),
                ("role", models.CharField(max_length=16, verbose_name="roll")),
                ("place", models.CharField(blank=True, max_length=120, verbose_name="enhet")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Väntar på att läsas"),
                            ("checked", "Kontrollerad, inget inläst"),
                            ("done", "Inläst"),
                            ("failed", "Gick inte att läsa"),
                        ],
                        default="queued",
                        max_length=7,
                        verbose_name="status",
                    ),
                ),
                ("to_store", models.BooleanField(default=False)),
                (
                    "good_rows_only",
                    models.BooleanField(default=False, verbose_name="goda rader läses in"),
                ),
                ("due_at", models.DateTimeField(verbose_name="läses")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="läst")),
                ("rows", models.PositiveIntegerField(default=0, verbose_name="rader")),
                ("new", models.PositiveIntegerField(default=0, verbose_name="nya")),
                ("known", models.PositiveIntegerField(default=0, verbose_name="finns redan")),
                ("faulty", models.PositiveIntegerField(default=0, verbose_name="rader med fel")),
                ("stored", models.PositiveIntegerField(default=0, verbose_name="inlästa rader")),
                (
                    "refusal",
                    models.CharField(blank=True, max_length=300, verbose_name="varför inte"),
                ),
                ("report", organisations.encrypted.EncryptedJSONField(blank=True, default=dict)),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.region",
                    ),
                ),
                (
                    "sending_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.careunit",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "väntelista från fil",
                "verbose_name_plural": "väntelistor från fil",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["due_at"],
                        name="waiting_list_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sending_unit", "role", "sha256"), name="waiting_list_file_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size__range", (1, 20971520))),
                        name="waiting_list_within_20_mb",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("state", "queued")),
                            models.Q(
                                models.Q(("state", "queued"), _negated=True),
                                ("done_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="waiting_list_done_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "rows",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("new"), "+", models.F("known")
                                    ),
                                    "+",
                                    models.F("faulty"),
                                ),
                            ),
                            ("stored__lte", models.F("new")),
                        ),
                        name="waiting_list_rows_add_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stored", 0), ("state", "done"), _connector="OR"),
                        name="waiting_list_stored_when_done",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("report", ""), ("report__sealed", True), _connector="OR"
                        ),
                        name="waiting_list_report_encrypted",
                    ),
                ],
            },
        ),
        # A clinic's own list may hold patients who have blocked it from the region's navigators, so
        # they read the lists that a navigator handed in.
        protect(
            "referral_waitinglistfile",
            clinic=OWN_UNIT,
            navigator=f"(role = 'navigator' AND {OWN_REGION})",
            integration=f"""(role = 'integration' AND {OWN_REGION}
                AND ((SELECT acting_unit()) IS NULL OR {OWN_UNIT}))""",
        ),
    ]
