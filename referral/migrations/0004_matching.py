import django.contrib.postgres.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_matching"),
        ("referral", "0003_append_only_and_thinning"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="intakeform",
            name="equipment",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("bariatric", "Bariatrisk utrustning (bord, säng och lyft för hög vikt)"),
                        ("lift", "Personlyft"),
                        ("intensive_care", "Intensivvård (IVA)"),
                        ("overnight", "Postoperativ övervakning över natten"),
                        ("difficult_airway", "Fiberintubation vid svår luftväg"),
                        ("child_anaesthesia", "Barnanestesi"),
                        ("sleep_apnoea", "Övervakning vid sömnapné (CPAP)"),
                        ("cardiac_device", "Omställning av pacemaker eller ICD"),
                        ("mri_implant", "Magnetkamera för patient med implantat"),
                        ("dialysis", "Dialys"),
                        ("isolation", "Isoleringsrum (multiresistenta bakterier)"),
                        ("latex_free", "Latexfri operationssal"),
                        ("nickel_free", "Nickelfria implantat"),
                    ],
                    max_length=20,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="särskild utrustning",
            ),
        ),
        migrations.AddField(
            model_name="intakeform",
            name="max_distance_km",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="längsta avstånd, km"
            ),
        ),
        migrations.AddConstraint(
            model_name="intakeform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "equipment__contained_by",
                        [
                            "bariatric",
                            "lift",
                            "intensive_care",
                            "overnight",
                            "difficult_airway",
                            "child_anaesthesia",
                            "sleep_apnoea",
                            "cardiac_device",
                            "mri_implant",
                            "dialysis",
                            "isolation",
                            "latex_free",
                            "nickel_free",
                        ],
                    )
                ),
                name="form_equipment_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="intakeform",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_distance_km__isnull", True),
                    ("max_distance_km__range", (1, 2000)),
                    _connector="OR",
                ),
                name="form_max_distance_in_sweden",
            ),
        ),
    ]
