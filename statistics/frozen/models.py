"""Frozen months: what was known when a month was frozen, what was corrected since, who is told.

All is kept unsuppressed and read by the product alone; small numbers are hidden where they are
read (``statistics.frozen.hiding``).
"""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.models import CareUnit, Region, User
from statistics.months import Month

# What a figure is made of. Every part but ``n`` is kept with six decimals, so that a figure that
# has not changed is equal to the digit.
PARTS = ("n", "value", "median", "p80", "low", "high")
DECIMALS = Decimal("0.000001")
# Why a figure of a frozen month changed, as far as the product can tell.
WHY = {
    "late_treatment": _("Behandling rapporterades sent"),
    "late_pause": _("Paus i vårdgarantin antecknades sent"),
    "corrected": _("Patientuppgifter rättades"),
    "invoice": _("Kostnad eller faktura ändrades"),
    "rules": _("Räknereglerna ändrades"),
    "unknown": _("Uppgifter om månadens ärenden ändrades"),
}


def number(label: Any) -> Any:
    return models.DecimalField(label, max_digits=24, decimal_places=6, null=True)


class MonthDue(models.Model):
    """When a region's month is next to be looked at: frozen first, then recounted each night.

    ``due_at`` is empty once later corrections are no longer looked for.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField(_("månad"))
    due_at = models.DateTimeField(_("nästa gång"), null=True)
    counted_at = models.DateTimeField(_("senast räknad"), null=True)
    failures = models.PositiveSmallIntegerField(_("misslyckade försök"), default=0)
    last_error = models.CharField(_("senaste fel"), max_length=80, blank=True)

    class Meta:
        ordering = ("-first_day",)
        verbose_name = _("månad att frysa")
        verbose_name_plural = _("månader att frysa")
        constraints = (
            models.UniqueConstraint(fields=["region", "first_day"], name="month_due_once"),
            models.CheckConstraint(name="month_due_is_a_month", condition=Q(first_day__day=1)),
        )
        indexes = (
            models.Index(fields=["due_at"], name="month_due_at", condition=Q(due_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.month}"

    @property
    def month(self) -> Month:
        return Month.of(self.first_day)


class FrozenMonth(models.Model):
    """A version of a region's month. Append-only: the first is made by the product on the third
    working day of the next month, a later one is published by a manager with a reason."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField(_("månad"))
    version = models.PositiveSmallIntegerField(_("version"))
    # The named version of the measures' definitions that it was counted by (frozen.rules).
    rules = models.CharField(_("räkneregler"), max_length=20)
    due_on = models.DateField(_("skulle frysas"))
    # The figures are those that were known at this moment.
    frozen_at = models.DateTimeField(_("fryst"))
    reason = models.CharField(_("skäl"), max_length=300, blank=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)

    class Meta:
        ordering = ("-first_day", "-version")
        verbose_name = _("fryst månad")
        verbose_name_plural = _("frysta månader")
        constraints = (
            models.UniqueConstraint(
                fields=["region", "first_day", "version"], name="frozen_month_once_per_version"
            ),
            models.CheckConstraint(name="frozen_month_is_a_month", condition=Q(first_day__day=1)),
            models.CheckConstraint(
                name="frozen_month_version_from_one", condition=Q(version__gte=1)
            ),
            models.CheckConstraint(
                name="frozen_month_new_version_has_reason",
                condition=Q(version=1) | ~Q(reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.month} v{self.version}"

    @property
    def month(self) -> Month:
        return Month.of(self.first_day)

    @property
    def is_late(self) -> bool:
        """Whether it was frozen on a later day than it should have been."""
        return self.version == 1 and timezone.localdate(self.frozen_at) > self.due_on


class FrozenFigure(models.Model):
    """One figure of a frozen month. One that is missing is nought. Append-only."""

    frozen = models.ForeignKey(FrozenMonth, on_delete=models.PROTECT, related_name="figures")
    dimension = models.CharField(_("indelning"), max_length=16)
    key = models.CharField(_("grupp"), max_length=64)
    label = models.CharField(_("benämning"), max_length=200)
    measure = models.CharField(_("mått"), max_length=60)
    n = models.PositiveIntegerField(_("antal"))
    value = number(_("värde"))
    median = number(_("median"))
    p80 = number(_("80:e percentilen"))
    low = number(_("konfidensintervall, från"))
    high = number(_("konfidensintervall, till"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("fryst siffra")
        verbose_name_plural = _("frysta siffror")
        constraints = (
            models.UniqueConstraint(
                fields=["frozen", "dimension", "measure", "key"], name="frozen_figure_once"
            ),
            models.CheckConstraint(
                name="frozen_figure_interval_in_order",
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lte=F("high")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.dimension} {self.key} {self.measure}: {self.value}"


class Recount(models.Model):
    """A count of a frozen month that came to other figures than were known. Append-only."""

    frozen = models.ForeignKey(FrozenMonth, on_delete=models.PROTECT, related_name="recounts")
    counted_at = models.DateTimeField(_("räknad"))
    rules = models.CharField(_("räkneregler"), max_length=20)
    why = ArrayField(
        models.CharField(max_length=16, choices=tuple(WHY.items())), verbose_name=_("varför")
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("omräkning")
        verbose_name_plural = _("omräkningar")
        constraints = (
            models.CheckConstraint(
                name="recount_says_why",
                condition=Q(why__len__gt=0) & Q(why__contained_by=list(WHY)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.frozen_id}: {self.counted_at}"

    @property
    def reasons(self) -> list[str]:
        return [str(WHY[one]) for one in self.why]


class FigureCorrection(models.Model):
    """From what to what a figure changed; the latest one says what is known now. Append-only."""

    recount = models.ForeignKey(Recount, on_delete=models.PROTECT, related_name="corrections")
    dimension = models.CharField(_("indelning"), max_length=16)
    key = models.CharField(_("grupp"), max_length=64)
    label = models.CharField(_("benämning"), max_length=200)
    measure = models.CharField(_("mått"), max_length=60)
    n_before = models.PositiveIntegerField()
    n_after = models.PositiveIntegerField()
    value_before = number(_("värde, före"))
    value_after = number(_("värde, efter"))
    median_before = number(_("median, före"))
    median_after = number(_("median, efter"))
    p80_before = number(_("80:e percentilen, före"))
    p80_after = number(_("80:e percentilen, efter"))
    low_before = number(_("konfidensintervall från, före"))
    low_after = number(_("konfidensintervall från, efter"))
    high_before = number(_("konfidensintervall till, före"))
    high_after = number(_("konfidensintervall till, efter"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("rättad siffra")
        verbose_name_plural = _("rättade siffror")
        constraints = (
            models.UniqueConstraint(
                fields=["recount", "dimension", "measure", "key"], name="figure_correction_once"
            ),
        )

    def __str__(self) -> str:
        return (
            f"{self.dimension} {self.key} {self.measure}: {self.value_before} → {self.value_after}"
        )


class Subscription(models.Model):
    """A person's own wish to be told when a month has been frozen. Left, never deleted."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    # Of a clinic's head: its own clinic. Without: the whole region.
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField(_("från"))
    ended_at = models.DateTimeField(_("till"), null=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("prenumeration")
        verbose_name_plural = _("prenumerationer")
        constraints = (
            models.UniqueConstraint(
                fields=["user", "region", "care_unit"],
                condition=Q(ended_at__isnull=True),
                name="subscription_one_running",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="subscription_ends_after_start",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.region_id}"
