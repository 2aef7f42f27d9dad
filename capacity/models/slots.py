"""Free places that providers post, and those of them that offers have taken."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from capacity.slots.weeks import weeks_in_words
from contracts.codes import KVA_PATTERN, validate_kva
from contracts.models import CallOff
from organisations.models import CareUnit


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
    database (0002_free_capacity_holds).
    """

    slot = models.ForeignKey(FreeCapacity, on_delete=models.PROTECT, related_name="places")
    call_off = models.OneToOneField(CallOff, on_delete=models.PROTECT, related_name="place")

    class Meta:
        ordering = ("pk",)
        verbose_name = _("tagen plats")
        verbose_name_plural = _("tagna platser")

    def __str__(self) -> str:
        return f"{self.slot}: {self.call_off}"
