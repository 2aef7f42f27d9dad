import django.db.models.deletion
from django.db import migrations, models

import contracts.codes


class Migration(migrations.Migration):
    dependencies = [
        ("capacity", "0001_initial"),
        ("contracts", "0002_caps_hold"),
        ("organisations", "0003_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="FreeCapacity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kva",
                    models.CharField(
                        max_length=5,
                        validators=[contracts.codes.validate_kva],
                        verbose_name="KVÅ-kod",
                    ),
                ),
                (
                    "first_day",
                    models.DateField(help_text="Veckans måndag.", verbose_name="från vecka"),
                ),
                (
                    "last_day",
                    models.DateField(help_text="Veckans söndag.", verbose_name="till vecka"),
                ),
                ("offered", models.PositiveSmallIntegerField(verbose_name="platser")),
                (
                    "taken",
                    models.SmallIntegerField(
                        default=0, editable=False, verbose_name="tagna platser"
                    ),
                ),
                (
                    "asa_ceiling",
                    models.PositiveSmallIntegerField(default=2, verbose_name="högsta ASA-klass"),
                ),
                (
                    "age_min",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="lägsta ålder"
                    ),
                ),
                (
                    "age_max",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="högsta ålder"
                    ),
                ),
                ("book_by", models.DateField(verbose_name="boka senast")),
                ("contact", models.CharField(blank=True, max_length=120, verbose_name="kontakt")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="anmärkning")),
                ("posted_at", models.DateTimeField(verbose_name="upplagd")),
                ("posted_by", models.CharField(max_length=120, verbose_name="upplagd av")),
                ("changed_at", models.DateTimeField(blank=True, null=True, verbose_name="ändrad")),
                (
                    "changed_by",
                    models.CharField(blank=True, max_length=120, verbose_name="ändrad av"),
                ),
                (
                    "withdrawn_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="återtagen"),
                ),
                (
                    "withdrawn_by",
                    models.CharField(blank=True, max_length=120, verbose_name="återtagen av"),
                ),
                (
                    "care_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="free_capacity",
                        to="organisations.careunit",
                    ),
                ),
            ],
            options={
                "verbose_name": "lediga platser",
                "verbose_name_plural": "lediga platser",
                "ordering": ("first_day", "pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=["kva", "book_by"],
                        name="free_capacity_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kva__regex", "^([A-Z]{3}([0-9]{2})?|[A-Z]{2}[0-9]{3})$")
                        ),
                        name="free_capacity_kva_shape",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("offered__range", (1, 999))),
                        name="free_capacity_places",
                        violation_error_message="Antalet platser är 1–999.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("taken__gte", 0), ("taken__lte", models.F("offered"))),
                        name="free_capacity_taken_within_offered",
                        violation_error_message="Antalet platser kan inte vara lägre än de som redan är tagna.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_day__iso_week_day", 1), ("last_day__iso_week_day", 7)
                        ),
                        name="free_capacity_whole_weeks",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_day__gt", models.F("first_day"))),
                        name="free_capacity_weeks_in_order",
                        violation_error_message="Den sista veckan ligger före den första.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("book_by__lte", models.F("last_day"))),
                        name="free_capacity_booked_before_end",
                        violation_error_message="Sista dag att boka ligger efter den sista veckan.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("asa_ceiling__range", (1, 4))),
                        name="free_capacity_asa_1_to_4",
                        violation_error_message="ASA-klassen är 1–4.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("age_min__isnull", True),
                            ("age_max__isnull", True),
                            ("age_min__lte", models.F("age_max")),
                            _connector="OR",
                        ),
                        name="free_capacity_age_range",
                        violation_error_message="Den högsta åldern är lägre än den lägsta.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=(
                            "care_unit",
                            "kva",
                            "first_day",
                            "last_day",
                            "asa_ceiling",
                            "age_min",
                            "age_max",
                        ),
                        name="free_capacity_once",
                        nulls_distinct=False,
                        violation_error_message="Platser för samma enhet, åtgärd, veckor, ASA och ålder finns redan. Ändra dem.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TakenPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "call_off",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="place",
                        to="contracts.calloff",
                    ),
                ),
                (
                    "slot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="places",
                        to="capacity.freecapacity",
                    ),
                ),
            ],
            options={
                "verbose_name": "tagen plats",
                "verbose_name_plural": "tagna platser",
                "ordering": ("pk",),
            },
        ),
    ]
