from decimal import Decimal

import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0002_caps_hold"),
        ("organisations", "0003_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("file", models.FileField(blank=True, max_length=120, upload_to="")),
                ("name", models.CharField(max_length=150, verbose_name="filnamn")),
                ("content_type", models.CharField(max_length=90, verbose_name="filtyp")),
                ("size", models.PositiveIntegerField(verbose_name="storlek, byte")),
                ("received_at", models.DateTimeField(verbose_name="mottagen")),
                ("received_by", models.CharField(max_length=120, verbose_name="mottagen av")),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_files",
                        to="organisations.region",
                    ),
                ),
            ],
            options={
                "verbose_name": "fakturafil",
                "verbose_name_plural": "fakturafiler",
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__range", (1, 10485760))),
                        name="invoice_file_within_10_mb",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Faktura"), ("credit_note", "Kreditfaktura")],
                        max_length=11,
                        verbose_name="slag",
                    ),
                ),
                ("number", models.CharField(max_length=50, verbose_name="fakturanummer")),
                (
                    "credits_number",
                    models.CharField(blank=True, max_length=50, verbose_name="krediterar faktura"),
                ),
                ("issued_on", models.DateField(verbose_name="fakturadatum")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="förfaller")),
                (
                    "total_sek",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, verbose_name="att betala, kronor"
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="mottagen")),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="organisations.provider",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="organisations.region",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="contracts.invoicefile",
                    ),
                ),
            ],
            options={
                "verbose_name": "faktura",
                "verbose_name_plural": "fakturor",
                "ordering": ("-pk",),
                "indexes": [models.Index(fields=["region", "-id"], name="invoice_by_region")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "number"), name="invoice_number_once_per_provider"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credits_number", ""), ("kind", "invoice")),
                            models.Q(
                                ("kind", "credit_note"),
                                models.Q(("credits_number", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_credit_note_names_its_invoice",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="rad")),
                ("line_id", models.CharField(max_length=50, verbose_name="radens nummer")),
                ("is_credit", models.BooleanField(default=False, verbose_name="kredit")),
                (
                    "case_number",
                    models.CharField(blank=True, max_length=15, verbose_name="ärendenummer"),
                ),
                (
                    "quoted",
                    models.CharField(blank=True, max_length=60, verbose_name="angiven referens"),
                ),
                (
                    "certificate_number",
                    models.CharField(blank=True, max_length=20, verbose_name="intygsnummer"),
                ),
                ("text", models.CharField(blank=True, max_length=200, verbose_name="text")),
                ("treated_from", models.DateField(blank=True, null=True, verbose_name="vård från")),
                ("treated_to", models.DateField(blank=True, null=True, verbose_name="vård till")),
                (
                    "quantity",
                    models.DecimalField(decimal_places=3, max_digits=12, verbose_name="antal"),
                ),
                (
                    "amount_sek",
                    models.DecimalField(
                        decimal_places=2, max_digits=12, verbose_name="belopp, kronor"
                    ),
                ),
                (
                    "vat_percent",
                    models.DecimalField(decimal_places=2, max_digits=5, verbose_name="moms, %"),
                ),
                (
                    "has_identity_number",
                    models.BooleanField(default=False, verbose_name="personnummer i texten"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("deviates", "Avvikelse"),
                            ("disputed", "Bestridd"),
                            ("awaits_credit", "Väntar på kreditfaktura"),
                            ("settled", "Godkänd"),
                            ("credited", "Krediterad"),
                        ],
                        db_index=True,
                        default="deviates",
                        max_length=13,
                        verbose_name="status",
                    ),
                ),
                (
                    "deviations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("case_missing", "Ärendenummer saknas"),
                                ("case_wrong", "Ärendenumret stämmer inte (kontrollsiffran)"),
                                ("no_call_off", "Inget avrop på ärendet"),
                                ("not_treated", "Patienten är inte rapporterad som behandlad"),
                                ("other_provider", "En annan vårdgivare än den som avropet gäller"),
                                ("price", "Ett annat pris än det avtalade"),
                                ("date_missing", "Behandlingsdatum saknas"),
                                ("date", "Ett annat behandlingsdatum än det rapporterade"),
                                ("certificate_missing", "Vårdgarantiintygets nummer saknas"),
                                ("certificate_other", "Ett annat intyg än det som gäller avropet"),
                                ("certificate_invalid", "Intyget gällde inte behandlingsdagen"),
                                ("double", "Ärendet är redan fakturerat"),
                                ("vat", "Moms på vård som är momsfri"),
                                ("quantity", "Ett annat antal än 1"),
                                ("negative", "Negativt belopp, ska komma som kreditfaktura"),
                                ("identity", "Personnummer i fakturan"),
                                ("cap", "Beloppet ryms inte under taket i kronor"),
                                ("credit_unknown", "Ingen fakturarad finns att kreditera"),
                                ("credit_amount", "Krediten är inte lika stor som fakturaraden"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "agreed_sek",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=12,
                        null=True,
                        verbose_name="avtalat, kronor",
                    ),
                ),
                (
                    "credited_sek",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=12,
                        verbose_name="krediterat, kronor",
                    ),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="godkänd")),
                (
                    "call_off",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_lines",
                        to="contracts.calloff",
                    ),
                ),
                (
                    "credits",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credited_by",
                        to="contracts.invoiceline",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="contracts.invoice",
                    ),
                ),
            ],
            options={
                "verbose_name": "fakturarad",
                "verbose_name_plural": "fakturarader",
                "ordering": ("invoice", "position"),
                "indexes": [models.Index(fields=["case_number"], name="invoice_line_by_case")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "position"), name="invoice_line_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_credit", False), ("state", "settled")),
                        fields=("call_off",),
                        name="invoice_line_settles_a_call_off_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["deviates", "disputed", "awaits_credit", "settled", "credited"],
                            )
                        ),
                        name="invoice_line_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "settled"), _negated=True),
                            models.Q(
                                ("call_off__isnull", False),
                                ("is_credit", False),
                                ("settled_at__isnull", False),
                                ("agreed_sek__isnull", False),
                                ("amount_sek__gte", 0),
                            ),
                            models.Q(
                                ("credits__isnull", False),
                                ("is_credit", True),
                                ("settled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_line_settled_has_call_off",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credits__isnull", True), ("is_credit", True), _connector="OR"
                        ),
                        name="invoice_line_credits_only_as_credit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("credited_sek", 0),
                            models.Q(
                                ("credited_sek__gt", 0),
                                ("credited_sek__lt", models.F("amount_sek")),
                            ),
                            models.Q(
                                ("credited_sek", models.F("amount_sek")), ("state", "credited")
                            ),
                            _connector="OR",
                        ),
                        name="invoice_line_credited_within_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("case_number", ""),
                            models.Q(
                                ("case_number__regex", "^[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]$"),
                                models.Func(
                                    models.F("case_number"),
                                    function="damm_holds",
                                    output_field=models.BooleanField(),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="invoice_line_case_number_holds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="tidpunkt")),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("receive", "Fakturan togs emot"),
                            ("settle", "Raden stämde och slutreglerades"),
                            ("deviate", "Raden lades på avvikelselistan"),
                            ("approve", "Raden godkändes trots avvikelse"),
                            ("dispute", "Raden bestreds"),
                            ("await_credit", "Raden väntar på kreditfaktura"),
                            ("credit", "Raden krediterades"),
                        ],
                        max_length=12,
                        verbose_name="vad",
                    ),
                ),
                ("actor_name", models.CharField(max_length=120, verbose_name="vem")),
                ("role", models.CharField(max_length=16, verbose_name="roll")),
                ("place", models.CharField(blank=True, max_length=120, verbose_name="enhet")),
                ("why", models.CharField(blank=True, max_length=500, verbose_name="varför")),
                (
                    "details",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log",
                        to="contracts.invoice",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log",
                        to="contracts.invoiceline",
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
                "verbose_name": "händelse på faktura",
                "verbose_name_plural": "fakturalogg",
                "ordering": ("pk",),
            },
        ),
    ]
