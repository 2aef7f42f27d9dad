"""A region's figures for the measures of the agreement, as read from its own files."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region
from statistics.performance.rules import FIGURES


class PerformanceImport(models.Model):
    """A file that was read in: who, when, and how many rows."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("inläst"))
    made_by = models.CharField(_("inläst av"), max_length=150)
    file_name = models.CharField(_("fil"), max_length=150)
    rows = models.PositiveIntegerField(_("rader i filen"))
    stored = models.PositiveIntegerField(_("inlästa rader"))

    class Meta:
        ordering = ("-made_at", "-pk")
        verbose_name = _("fil med mått")
        verbose_name_plural = _("filer med mått")
        constraints = (
            models.CheckConstraint(
                name="performance_import_stores_no_more_than_it_has",
                condition=Q(stored__lte=F("rows")),
            ),
        )

    def __str__(self) -> str:
        return self.file_name


class PerformanceFigure(models.Model):
    """A region's numerator and denominator of a measure in a month. No patient can be told."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    month = models.DateField(_("månad"), help_text=_("månadens första dag"))
    measure = models.CharField(_("mått"), max_length=32)
    numerator = models.PositiveIntegerField(_("täljare"))
    denominator = models.PositiveIntegerField(_("nämnare"))
    pot_sek = models.DecimalField(
        _("reserverad månadspott, kronor"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    source = models.ForeignKey(
        PerformanceImport, on_delete=models.PROTECT, related_name="figures", verbose_name=_("fil")
    )

    class Meta:
        ordering = ("region", "month", "measure")
        verbose_name = _("mått")
        verbose_name_plural = _("mått")
        constraints = (
            models.UniqueConstraint(
                fields=["region", "month", "measure"], name="performance_figure_once_a_month"
            ),
            models.CheckConstraint(
                name="performance_figure_part_of_whole",
                condition=Q(numerator__lte=F("denominator")),
            ),
            models.CheckConstraint(name="performance_figure_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="performance_figure_measure_known", condition=Q(measure__in=FIGURES)
            ),
            models.CheckConstraint(
                name="performance_figure_pot_not_negative",
                condition=Q(pot_sek__isnull=True) | Q(pot_sek__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.month:%Y-%m} {self.measure}"
