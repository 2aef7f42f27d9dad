"""Waiting times, quality and free places per care unit and procedure."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from capacity.slots.weeks import weeks_in_words
from contracts.codes import KVA_PATTERN, validate_kva
from contracts.models import CallOff
from organisations.models import CareUnit, Region

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


class MatchingWeights(models.Model):
    """What a region lets each criterion count for in matching, per cent. Append-only.

    The newest version holds; the older ones explain the rankings of their time.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="matching_weights")
    version = models.PositiveIntegerField(_("version"))
    wait = models.PositiveSmallIntegerField(_("väntetid"))
    distance = models.PositiveSmallIntegerField(_("avstånd"))
    price = models.PositiveSmallIntegerField(_("pris"))
    quality = models.PositiveSmallIntegerField(_("kvalitet"))
    contract = models.PositiveSmallIntegerField(_("avtal"))
    changed_at = models.DateTimeField(_("ändrade"))
    changed_by = models.CharField(_("av"), max_length=120)
    why = models.CharField(_("skäl"), max_length=300)

    class Meta:
        ordering = ("region", "-version")
        verbose_name = _("matchningens vikter")
        verbose_name_plural = _("matchningens vikter")
        constraints = (
            models.UniqueConstraint(fields=["region", "version"], name="weights_version_once"),
            models.CheckConstraint(name="weights_version_from_one", condition=Q(version__gte=1)),
            models.CheckConstraint(
                name="weights_sum_to_100",
                condition=Q(
                    wait=100 - F("distance") - F("price") - F("quality") - F("contract"),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id}/{self.version}"


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


class FreeCapacity(models.Model):
    """Lediga platser: what a provider has room for at a unit, from one ISO week to another.

    ``taken`` follows the live call-offs of :class:`TakenPlace` and is written by the database only.
    A slot is out of the lists the day after ``book_by``; it is withdrawn, never deleted.
    """

    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="free_capacity")
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    first_day = models.DateField(_("från vecka"), help_text=_("Veckans måndag."))
    last_day = models.DateField(_("till vecka"), help_text=_("Veckans söndag."))
    offered = models.PositiveSmallIntegerField(_("platser"))
    taken = models.SmallIntegerField(_("tagna platser"), default=0, editable=False)
    asa_ceiling = models.PositiveSmallIntegerField(_("högsta ASA-klass"), default=2)
    age_min = models.PositiveSmallIntegerField(_("lägsta ålder"), null=True, blank=True)
    age_max = models.PositiveSmallIntegerField(_("högsta ålder"), null=True, blank=True)
    book_by = models.DateField(_("boka senast"))
    contact = models.CharField(_("kontakt"), max_length=120, blank=True)
    note = models.CharField(_("anmärkning"), max_length=300, blank=True)
    posted_at = models.DateTimeField(_("upplagd"))
    posted_by = models.CharField(_("upplagd av"), max_length=120)
    changed_at = models.DateTimeField(_("ändrad"), null=True, blank=True)
    changed_by = models.CharField(_("ändrad av"), max_length=120, blank=True)
    withdrawn_at = models.DateTimeField(_("återtagen"), null=True, blank=True)
    withdrawn_by = models.CharField(_("återtagen av"), max_length=120, blank=True)

    class Meta:
        ordering = ("first_day", "pk")
        verbose_name = _("lediga platser")
        verbose_name_plural = _("lediga platser")
        constraints = (
            models.CheckConstraint(
                name="free_capacity_kva_shape", condition=Q(kva__regex=KVA_PATTERN)
            ),
            models.CheckConstraint(
                name="free_capacity_places",
                condition=Q(offered__range=(1, 999)),
                violation_error_message=_("Antalet platser är 1–999."),
            ),
            models.CheckConstraint(
                name="free_capacity_taken_within_offered",
                condition=Q(taken__gte=0) & Q(taken__lte=F("offered")),
                violation_error_message=_(
                    "Antalet platser kan inte vara lägre än de som redan är tagna."
                ),
            ),
            models.CheckConstraint(
                name="free_capacity_whole_weeks",
                condition=Q(first_day__iso_week_day=1, last_day__iso_week_day=7),
            ),
            models.CheckConstraint(
                name="free_capacity_weeks_in_order",
                condition=Q(last_day__gt=F("first_day")),
                violation_error_message=_("Den sista veckan ligger före den första."),
            ),
            models.CheckConstraint(
                name="free_capacity_booked_before_end",
                condition=Q(book_by__lte=F("last_day")),
                violation_error_message=_("Sista dag att boka ligger efter den sista veckan."),
            ),
            # ASA 5 and 6 are never transferred.
            models.CheckConstraint(
                name="free_capacity_asa_1_to_4",
                condition=Q(asa_ceiling__range=(1, 4)),
                violation_error_message=_("ASA-klassen är 1–4."),
            ),
            models.CheckConstraint(
                name="free_capacity_age_range",
                condition=Q(age_min__isnull=True)
                | Q(age_max__isnull=True)
                | Q(age_min__lte=F("age_max")),
                violation_error_message=_("Den högsta åldern är lägre än den lägsta."),
            ),
            # The same places posted twice, by hand and by a system, are still the same places.
            models.UniqueConstraint(
                fields=[
                    *("care_unit", "kva", "first_day", "last_day"),
                    *("asa_ceiling", "age_min", "age_max"),
                ],
                condition=Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="free_capacity_once",
                violation_error_message=_(
                    "Platser för samma enhet, åtgärd, veckor, ASA och ålder finns redan. Ändra dem."
                ),
            ),
        )
        indexes = (
            models.Index(
                fields=["kva", "book_by"],
                name="free_capacity_open",
                condition=Q(withdrawn_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.care_unit} {self.kva} {self.first_day}–{self.last_day}"

    @property
    def left(self) -> int:
        """Places that nobody has taken."""
        return self.offered - self.taken

    @property
    def weeks(self) -> str:
        """The weeks as people say them: ``v. 50–52 2026``."""
        return weeks_in_words(self.first_day, self.last_day)


class TakenPlace(models.Model):
    """A place of a slot that an offer was made from.

    It is taken for as long as the call-off under the contract is live: what releases that (a no,
    an offer that expires or is withdrawn, a rejected referral) gives the place back, by the
    database (0003_free_capacity_holds).
    """

    slot = models.ForeignKey(FreeCapacity, on_delete=models.PROTECT, related_name="places")
    call_off = models.OneToOneField(CallOff, on_delete=models.PROTECT, related_name="place")

    class Meta:
        ordering = ("pk",)
        verbose_name = _("tagen plats")
        verbose_name_plural = _("tagna platser")

    def __str__(self) -> str:
        return f"{self.slot}: {self.call_off}"
