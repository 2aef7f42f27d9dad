import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0002_caps_hold"),
        ("organisations", "0003_rules"),
        ("organisations", "__first__"),
        ("referral", "0004_matching"),
    ]

    operations = [
        migrations.CreateModel(
            name="AllocationRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Väntar på beräkning"),
                            ("done", "Klar"),
                            ("failed", "Misslyckades"),
                        ],
                        default="queued",
                        max_length=6,
                        verbose_name="status",
                    ),
                ),
                (
                    "kva_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=5), default=list, size=None
                    ),
                ),
                (
                    "case_states",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), size=None
                    ),
                ),
                (
                    "max_km",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="högsta avstånd, km"
                    ),
                ),
                ("cases", models.PositiveIntegerField(verbose_name="ärenden")),
                ("made_at", models.DateTimeField(verbose_name="begärd")),
                ("made_by_name", models.CharField(max_length=120, verbose_name="av")),
                ("due_at", models.DateTimeField(verbose_name="beräknas")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="klar")),
                (
                    "accepted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="godkänd"),
                ),
                (
                    "accepted_by_name",
                    models.CharField(blank=True, max_length=120, verbose_name="godkänd av"),
                ),
                (
                    "figures",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                (
                    "limits",
                    models.JSONField(
                        default=list, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                ("is_best", models.BooleanField(default=False)),
                ("is_cheapest", models.BooleanField(default=False)),
                ("bound_days", models.PositiveIntegerField(blank=True, null=True)),
                ("unknown_home_days", models.PositiveIntegerField(blank=True, null=True)),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("clinics", models.ManyToManyField(related_name="+", to="organisations.careunit")),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                "verbose_name": "fördelning",
                "verbose_name_plural": "fördelningar",
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["due_at"],
                        name="allocation_due",
                    ),
                    models.Index(fields=["region", "-id"], name="allocation_by_region"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("state", "queued")),
                            models.Q(("done_at__isnull", False), ("state__in", ["done", "failed"])),
                            _connector="OR",
                        ),
                        name="allocation_done_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accepted_at__isnull", True), ("state", "done"), _connector="OR"
                        ),
                        name="allocation_accepted_is_done",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AllocationRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="plats i kön")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("placed", "Föreslagen plats"),
                            ("full", "Platserna räcker inte"),
                            ("no_shorter", "Väntan är inte kortare hos någon än hemma"),
                            ("no_line", "Inget avtal med plats kan ta emot"),
                            ("too_far", "Alla ligger längre bort än gränsen"),
                            ("unknown_wait", "Väntetiden är okänd hos dem som kan ta emot"),
                            ("no_consent", "Patienten samtycker inte"),
                            ("not_transfer", "Kan inte förmedlas enligt kliniken"),
                            ("moved_on", "Läget i ärendet har ändrats"),
                        ],
                        max_length=12,
                        verbose_name="utfall",
                    ),
                ),
                (
                    "home_days",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="väntan hemma, dagar"
                    ),
                ),
                ("home_is_known", models.BooleanField(default=True)),
                (
                    "wait_days",
                    models.PositiveIntegerField(
                        null=True, verbose_name="väntan hos vårdgivaren, dagar"
                    ),
                ),
                ("distance_km", models.PositiveIntegerField(null=True, verbose_name="avstånd, km")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="referral.case",
                    ),
                ),
                (
                    "first_line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="referral.allocationrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "fördelat ärende",
                "verbose_name_plural": "fördelade ärenden",
                "ordering": ("run", "position"),
                "indexes": [
                    models.Index(
                        fields=["run", "outcome", "position"], name="allocation_row_in_order"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "case"), name="allocation_case_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("line__isnull", False),
                                ("outcome", "placed"),
                                ("wait_days__isnull", False),
                            ),
                            models.Q(
                                models.Q(("outcome", "placed"), _negated=True),
                                ("line__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="allocation_placed_has_line",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("wait_days__isnull", True),
                            ("wait_days__lt", models.F("home_days")),
                            _connector="OR",
                        ),
                        name="allocation_shorter_than_home",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OfferDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "wait_days",
                    models.PositiveIntegerField(verbose_name="väntan hos vårdgivaren, dagar"),
                ),
                ("home_days", models.PositiveIntegerField(verbose_name="väntan hemma, dagar")),
                ("distance_km", models.PositiveIntegerField(verbose_name="avstånd, km")),
                ("made_at", models.DateTimeField(verbose_name="gjort")),
                ("made_by_name", models.CharField(max_length=120, verbose_name="av")),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offer_draft",
                        to="referral.case",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contracts.contractline",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="drafts",
                        to="referral.allocationrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "utkast till erbjudande",
                "verbose_name_plural": "utkast till erbjudanden",
                "ordering": ("pk",),
            },
        ),
    ]
