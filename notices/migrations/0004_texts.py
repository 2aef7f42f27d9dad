"""Texts in versions: what was published stays as it was, whoever asks."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from organisations.row_security import protect

STAYS = """
CREATE FUNCTION published_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'published' AND NEW.state = 'replaced'
        AND to_jsonb(NEW) - '{state,replaced_at}'::text[]
            = to_jsonb(OLD) - '{state,replaced_at}'::text[]
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a text that has been published is not changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'text_published_stays';
END
$$;
CREATE TRIGGER notices_textversion_stays BEFORE UPDATE OR DELETE ON notices_textversion
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION published_text_stays();
CREATE TRIGGER notices_textversion_no_truncate BEFORE TRUNCATE ON notices_textversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NO_STAY = """
DROP TRIGGER notices_textversion_no_truncate ON notices_textversion;
DROP TRIGGER notices_textversion_stays ON notices_textversion;
DROP FUNCTION published_text_stays();
"""
OF_OFFER = "offer_is_visible(offer_id)"


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0003_callbacks_hold"),
        ("organisations", "0004_texts"),
        ("referral", "0005_allocation_row_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="language",
            field=models.CharField(
                db_default="sv", default="sv", max_length=3, verbose_name="språk"
            ),
        ),
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
            name="TextVersion",
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
                        choices=[
                            ("offer", "Erbjudande"),
                            ("offer_reminder", "Påminnelse om erbjudande"),
                            ("confirm_transfer", "Remissbekräftelse, kan förmedlas"),
                            ("confirm_home", "Remissbekräftelse, kan inte förmedlas"),
                            ("booked_time", "Bokad tid"),
                            ("guarantee", "Om vårdgarantin, tidigt i vårdkedjan"),
                            ("campaign", "Utskick till många"),
                        ],
                        max_length=20,
                        verbose_name="slag",
                    ),
                ),
                ("language", models.CharField(max_length=3, verbose_name="språk")),
                ("easy", models.BooleanField(default=False, verbose_name="lättläst")),
                ("variant", models.CharField(default="A", max_length=20, verbose_name="variant")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Utkast"),
                            ("published", "I bruk"),
                            ("replaced", "Ur bruk"),
                        ],
                        default="draft",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                ("subject", models.CharField(max_length=200, verbose_name="rubrik")),
                ("body", models.TextField(verbose_name="text")),
                ("saved_at", models.DateTimeField(verbose_name="sparad")),
                (
                    "published_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="i bruk från"),
                ),
                (
                    "replaced_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="ur bruk från"),
                ),
                (
                    "published_by",
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.region",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "text",
                "verbose_name_plural": "texter",
                "ordering": ("kind", "language", "easy", "variant", "-number"),
            },
        ),
        migrations.AddField(
            model_name="notice",
            name="text_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="notices.textversion",
            ),
        ),
        migrations.CreateModel(
            name="WrittenOffer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("values", models.JSONField()),
                (
                    "offer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="written",
                        to="referral.offer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="notices.textversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "skrivet erbjudande",
                "verbose_name_plural": "skrivna erbjudanden",
                "ordering": ("offer",),
            },
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.UniqueConstraint(
                fields=("region", "kind", "language", "easy", "variant", "number"),
                name="text_version_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "published")),
                fields=("region", "kind", "language", "easy", "variant"),
                name="text_one_in_use_per_variant",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft")),
                fields=("region", "kind", "language", "easy", "variant"),
                name="text_one_draft_per_variant",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", True),
                        ("replaced_at__isnull", True),
                        ("state", "draft"),
                    ),
                    models.Q(
                        ("published_at__isnull", False),
                        ("replaced_at__isnull", True),
                        ("state", "published"),
                    ),
                    models.Q(
                        ("published_at__isnull", False),
                        ("replaced_at__isnull", False),
                        ("state", "replaced"),
                    ),
                    _connector="OR",
                ),
                name="text_state_has_times",
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "offer",
                            "offer_reminder",
                            "confirm_transfer",
                            "confirm_home",
                            "booked_time",
                            "guarantee",
                            "campaign",
                        ],
                    )
                ),
                name="text_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "language__in",
                        [
                            "aii",
                            "am",
                            "ar",
                            "az",
                            "be",
                            "bg",
                            "bn",
                            "bs",
                            "ckb",
                            "cs",
                            "da",
                            "de",
                            "el",
                            "en",
                            "es",
                            "et",
                            "fa",
                            "fi",
                            "fit",
                            "fr",
                            "gu",
                            "he",
                            "hi",
                            "hr",
                            "hu",
                            "hy",
                            "id",
                            "is",
                            "it",
                            "ja",
                            "ka",
                            "kmr",
                            "ko",
                            "ku",
                            "lt",
                            "lv",
                            "mk",
                            "mn",
                            "nl",
                            "no",
                            "om",
                            "pa",
                            "pl",
                            "prs",
                            "ps",
                            "pt",
                            "rmn",
                            "ro",
                            "ru",
                            "rw",
                            "se",
                            "sk",
                            "sl",
                            "sma",
                            "smj",
                            "so",
                            "sq",
                            "sr",
                            "sv",
                            "sw",
                            "swl",
                            "syr",
                            "ta",
                            "th",
                            "ti",
                            "tl",
                            "tr",
                            "uk",
                            "ur",
                            "uz",
                            "vi",
                            "yi",
                            "zh",
                        ],
                    )
                ),
                name="text_language_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("variant__regex", "^[A-Za-zÅÄÖåäö0-9-]{1,20}$")),
                name="text_variant_shape",
            ),
        ),
        migrations.AddConstraint(
            model_name="textversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "offer"), ("variant", "A"), _connector="OR"),
                name="text_only_offers_have_variants",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="to_write",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to_write__isnull", True),
                    ("state__in", ["failed", "cancelled"]),
                    _connector="OR",
                ),
                name="notice_unwritten_is_not_sent",
            ),
        ),
        migrations.RunSQL(STAYS, NO_STAY),
        protect("notices_writtenoffer", navigator=OF_OFFER, clinic=OF_OFFER, integration=OF_OFFER),
    ]
