"""Waiting times and quality per care unit and procedure: what the situation view rests on."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, validate_kva
from organisations.models import CareUnit


class WaitingTime(models.Model):
    """Waiting times of procedures done at a unit, as reported for one day.

    Days from decision to done procedure. Socialstyrelsen and E-hälsomyndigheten's national
    situation view shows the same measures per KVÅ code at three-character level.
    """

    care_unit = models.ForeignKey(CareUnit, on_delete=models.CASCADE, related_name="waiting_times")
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    day = models.DateField(_("datum"))
    done = models.PositiveIntegerField(_("utförda"))
    median_days = models.PositiveIntegerField(_("median, dagar"))
    p80_days = models.PositiveIntegerField(_("80:e percentilen, dagar"))
    source = models.CharField(_("källa"), max_length=60)

    class Meta:
        ordering = ("care_unit", "kva", "-day")
        verbose_name = _("väntetid")
        verbose_name_plural = _("väntetider")
        constraints = (
            models.UniqueConstraint(
                fields=["care_unit", "kva", "day", "source"], name="waiting_time_once_a_day"
            ),
            models.CheckConstraint(
                name="waiting_time_kva_shape", condition=Q(kva__regex=KVA_PATTERN)
            ),
            models.CheckConstraint(
                name="waiting_time_median_within_p80",
                condition=Q(median_days__lte=models.F("p80_days")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.care_unit} {self.kva} {self.day}: {self.median_days} d"


class QualityMeasure(models.Model):
    """Reoperation within two years, per cent, as quality registers publish it per unit."""

    care_unit = models.ForeignKey(CareUnit, on_delete=models.CASCADE, related_name="quality")
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    year = models.PositiveSmallIntegerField(_("år"))
    reoperation_percent = models.DecimalField(
        _("reoperation inom två år, procent"), max_digits=5, decimal_places=2
    )
    source = models.CharField(_("källa"), max_length=60)

    class Meta:
        ordering = ("care_unit", "kva", "-year")
        verbose_name = _("kvalitetsmått")
        verbose_name_plural = _("kvalitetsmått")
        constraints = (
            models.UniqueConstraint(
                fields=["care_unit", "kva", "year", "source"], name="quality_once_a_year"
            ),
            models.CheckConstraint(
                name="quality_percent", condition=Q(reoperation_percent__range=(0, 100))
            ),
        )

    def __str__(self) -> str:
        return f"{self.care_unit} {self.kva} {self.year}: {self.reoperation_percent} %"
