"""Waiting times and quality per care unit and procedure: what the situation view rests on."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, validate_kva
from organisations.models import CareUnit

# The source of what Vårdlots' own cases add; others are named by whoever sends the file.
OWN_SOURCE = "Vårdlots"


class WaitingTimeFile(models.Model):
    """A file of waiting times that has been read, with what became of its rows.

    The same file twice changes nothing: an old one that is sent again does not undo a newer one.
    """

    sha256 = models.CharField(max_length=64)
    source = models.CharField(_("källa"), max_length=60)
    name = models.CharField(_("fil"), max_length=150)
    made_at = models.DateTimeField(_("inläst"))
    made_by = models.CharField(_("av"), max_length=120)
    rows = models.PositiveIntegerField(_("rader"))
    added = models.PositiveIntegerField(_("nya"))
    changed = models.PositiveIntegerField(_("ändrade"))
    unchanged = models.PositiveIntegerField(_("oförändrade"))
    # [{"row": 7, "errors": ["…"]}], the rows that were left out.
    faults = models.JSONField(default=list)

    class Meta:
        ordering = ("-made_at", "-pk")
        verbose_name = _("väntetidsfil")
        verbose_name_plural = _("väntetidsfiler")
        constraints = (
            models.UniqueConstraint(fields=["sha256", "source"], name="waiting_time_file_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


class WaitingTime(models.Model):
    """Waiting times of procedures done at a unit, as reported for one day.

    Days from decision to done procedure. Socialstyrelsen and E-hälsomyndigheten's national
    situation view shows the same measures per KVÅ code at three-character level, with the share
    of ASA class 3 or 4 or of general anaesthesia, and by medical need: the days within which
    patients were judged to need the procedure.
    """

    care_unit = models.ForeignKey(CareUnit, on_delete=models.CASCADE, related_name="waiting_times")
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    day = models.DateField(_("datum"))
    done = models.PositiveIntegerField(_("utförda"))
    median_days = models.PositiveIntegerField(_("median, dagar"))
    p80_days = models.PositiveIntegerField(_("80:e percentilen, dagar"))
    asa34_percent = models.DecimalField(
        _("andel ASA 3–4, procent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    general_anaesthesia_percent = models.DecimalField(
        _("andel i narkos, procent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    need_within_days = models.PositiveSmallIntegerField(
        _("medicinskt behov inom, dagar"),
        null=True,
        blank=True,
        help_text=_("Tomt: alla patienter oavsett behov."),
    )
    source = models.CharField(_("källa"), max_length=60)

    class Meta:
        ordering = ("care_unit", "kva", "-day")
        verbose_name = _("väntetid")
        verbose_name_plural = _("väntetider")
        constraints = (
            models.UniqueConstraint(
                fields=["care_unit", "kva", "day", "source", "need_within_days"],
                name="waiting_time_once_a_day",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="waiting_time_done", condition=Q(done__gte=1)),
            models.CheckConstraint(
                name="waiting_time_percent",
                condition=(Q(asa34_percent=None) | Q(asa34_percent__range=(0, 100)))
                & (
                    Q(general_anaesthesia_percent=None)
                    | Q(general_anaesthesia_percent__range=(0, 100))
                ),
            ),
            models.CheckConstraint(
                name="waiting_time_kva_shape", condition=Q(kva__regex=KVA_PATTERN)
            ),
            models.CheckConstraint(
                name="waiting_time_median_within_p80",
                condition=Q(median_days__lte=F("p80_days")),
            ),
        )
        # The situation view asks for one group of codes over a period.
        indexes = (
            models.Index(OpClass("kva", "varchar_pattern_ops"), "day", name="waiting_time_by_code"),
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
