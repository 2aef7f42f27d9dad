"""Texts with their versions, and which of them an offer was written with."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notices.texts.kinds import TextKind
from organisations.languages import language_names
from organisations.models import Region, User
from referral.models import Offer

VARIANT_SHAPE = r"^[A-Za-zÅÄÖåäö0-9-]{1,20}$"


class TextVersion(models.Model):
    """One version of a text: a draft, in use, or out of use.

    What has been published is never changed, by anybody (a trigger): what a patient once read can
    be shown again. ``region`` is empty for the texts the product comes with; these are kept here
    from the day they are first used. Several variants of an offer may be in use at once, and each
    offer draws one.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Utkast")
        PUBLISHED = "published", _("I bruk")
        REPLACED = "replaced", _("Ur bruk")

    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(_("slag"), max_length=20, choices=TextKind)
    language = models.CharField(_("språk"), max_length=3)
    easy = models.BooleanField(_("lättläst"), default=False)
    variant = models.CharField(_("variant"), max_length=20, default="A")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("status"), max_length=9, choices=State, default=State.DRAFT)
    subject = models.CharField(_("rubrik"), max_length=200)
    body = models.TextField(_("text"))
    saved_at = models.DateTimeField(_("sparad"))
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(_("i bruk från"), null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    replaced_at = models.DateTimeField(_("ur bruk från"), null=True, blank=True)

    class Meta:
        ordering = ("kind", "language", "easy", "variant", "-number")
        verbose_name = _("text")
        verbose_name_plural = _("texter")
        constraints = (
            models.UniqueConstraint(
                fields=["region", "kind", "language", "easy", "variant", "number"],
                name="text_version_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["region", "kind", "language", "easy", "variant"],
                condition=Q(state="published"),
                name="text_one_in_use_per_variant",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["region", "kind", "language", "easy", "variant"],
                condition=Q(state="draft"),
                name="text_one_draft_per_variant",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="text_state_has_times",
                condition=Q(state="draft", published_at__isnull=True, replaced_at__isnull=True)
                | Q(state="published", published_at__isnull=False, replaced_at__isnull=True)
                | Q(state="replaced", published_at__isnull=False, replaced_at__isnull=False),
            ),
            models.CheckConstraint(name="text_kind_known", condition=Q(kind__in=TextKind.values)),
            models.CheckConstraint(
                name="text_language_known", condition=Q(language__in=sorted(language_names()))
            ),
            models.CheckConstraint(
                name="text_variant_shape", condition=Q(variant__regex=VARIANT_SHAPE)
            ),
            models.CheckConstraint(
                name="text_only_offers_have_variants",
                condition=Q(kind="offer") | Q(variant="A"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.language} {self.variant} {self.number}"

    @property
    def language_name(self) -> str:
        return language_names().get(self.language, self.language)

    @property
    def direction(self) -> str:
        """How the language is written, for HTML's ``dir``."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"


# Of the languages in the list; ckb is written with Arabic letters.
RIGHT_TO_LEFT = frozenset({"ar", "aii", "ckb", "fa", "he", "prs", "ps", "ur"})


class WrittenOffer(models.Model):
    """How an offer's text was written: the version, and the values of its fields.

    So the patient's own page can tell the same offer in another language or an easier text.
    """

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="written")
    version = models.ForeignKey(TextVersion, on_delete=models.PROTECT, related_name="offers")
    values = models.JSONField()

    class Meta:
        ordering = ("offer",)
        verbose_name = _("skrivet erbjudande")
        verbose_name_plural = _("skrivna erbjudanden")

    def __str__(self) -> str:
        return f"{self.offer}: {self.version}"
