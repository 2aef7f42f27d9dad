"""What has been published: editions of a quarter and their figures.

Only what anybody may read stands here: a hidden figure has no number in the row, and the database
refuses a published count of 1-4. Both tables can only be added to.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from referral.models import ReferralCause

NATION = "SE"


class Border(models.TextChoices):
    """Whether the care was given in the patient's home region."""

    WITHIN = "within", _("Inom hemregionen")
    ACROSS = "across", _("I en annan region")
    ALL = "all", _("Oavsett region")


class Status(models.TextChoices):
    SHOWN = "shown", _("Visas")
    HIDDEN = "hidden", _("Dolt")
    NONE = "none", _("Uppgift saknas")


class Edition(models.Model):
    """A quarter as it was published; a correction is a further version of the whole quarter."""

    period = models.CharField(_("kvartal"), max_length=6)
    version = models.PositiveSmallIntegerField(_("version"))
    published_at = models.DateTimeField(_("publicerad"))
    rules_version = models.PositiveSmallIntegerField(_("reglernas version"))
    reason = models.CharField(_("skäl till ny version"), max_length=300, blank=True)

    class Meta:
        ordering = ("period", "version")
        verbose_name = _("utgåva av öppna data")
        verbose_name_plural = _("utgåvor av öppna data")
        constraints = (
            models.UniqueConstraint(fields=["period", "version"], name="edition_version_once"),
            models.CheckConstraint(
                name="edition_period_is_quarter",
                condition=Q(period__regex=r"^2[01][0-9]{2}Q[1-4]$"),
            ),
            models.CheckConstraint(
                name="edition_correction_has_reason",
                condition=Q(version=1) | (Q(version__gt=1) & ~Q(reason="")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.period} v{self.version}"


class PublishedFigure(models.Model):
    """One figure of an edition. ``value`` in the measure's unit; ``count`` and ``base`` are the
    patients, answers or referrals that a share is made of."""

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="figures")
    measure = models.CharField(_("mått"), max_length=30)
    cause = models.CharField(_("skäl"), max_length=18, choices=ReferralCause)
    border = models.CharField(_("regiongräns"), max_length=6, choices=Border)
    area = models.CharField(_("län eller riket"), max_length=2)
    status = models.CharField(_("status"), max_length=6, choices=Status)
    value = models.DecimalField(_("värde"), max_digits=16, decimal_places=2, null=True)
    count = models.PositiveIntegerField(_("täljare"), null=True)
    base = models.PositiveIntegerField(_("nämnare"), null=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("publicerad uppgift")
        verbose_name_plural = _("publicerade uppgifter")
        constraints = (
            models.UniqueConstraint(
                fields=["edition", "measure", "cause", "border", "area"], name="figure_once"
            ),
            models.CheckConstraint(
                name="figure_shown_has_value",
                condition=Q(status="shown", value__isnull=False)
                | (
                    ~Q(status="shown")
                    & Q(value__isnull=True, count__isnull=True, base__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="figure_no_small_count",
                condition=(~Q(count__range=(1, 4)) | Q(count__isnull=True))
                & (~Q(base__range=(1, 4)) | Q(base__isnull=True))
                & (
                    Q(count__isnull=True)
                    | Q(base__isnull=True)
                    | Q(base=F("count"))
                    | Q(base__gte=F("count") + 5)
                ),
            ),
            models.CheckConstraint(
                name="figure_area_known", condition=Q(area__regex=r"^([0-9]{2}|SE)$")
            ),
        )

    def __str__(self) -> str:
        return f"{self.edition} {self.measure} {self.area}"
