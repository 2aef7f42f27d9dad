"""The contract registry: what is agreed with whom, its lines and prices (Region Stockholm's)."""

from datetime import date
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, covering_codes, validate_kva
from contracts.models.caps import Capped, cap_checks
from organisations.models import CareUnit, MedicalArea, Provider, Region


def alert_percents() -> list[int]:
    """When the owner and those with open offers are warned, unless the contract says otherwise."""
    return [80, 90, 100]


class Contract(Capped):
    """Avtal: a region's right to send patients to a provider."""

    class Type(models.TextChoices):
        PROCUREMENT = "procurement", _("Upphandlat avtal")
        DIRECT_AWARD = "direct_award", _("Direktupphandling")
        FREE_CHOICE = "free_choice", _("Vårdval")

    class Reimbursement(models.TextChoices):
        """Ersättningsprincip, as Region Stockholm's contract database sorts contracts by it."""

        PER_EPISODE = "per_episode", _("Fast pris per vårdtillfälle")
        PER_VISIT = "per_visit", _("Pris per besök")
        DRG = "drg", _("DRG-baserad ersättning")
        PRICE_LIST = "price_list", _("Prislista per åtgärd")
        CAPITATION = "capitation", _("Kapitering")
        BLOCK = "block", _("Anslag eller fast ram")
        OTHER = "other", _("Annan princip, se texten")

    number = models.CharField(_("avtalsnummer"), max_length=40, unique=True)
    title = models.CharField(_("benämning"), max_length=160)
    owner_region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="owned_contracts"
    )
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="contracts")
    contract_type = models.CharField(_("avtalstyp"), max_length=12, choices=Type)
    reimbursement_principle = models.CharField(
        _("ersättningsprincip"),
        max_length=12,
        choices=Reimbursement,
        default=Reimbursement.PER_EPISODE,
    )
    reimbursement = models.CharField(_("ersättning, med ord"), max_length=120, blank=True)
    valid_from = models.DateField(_("gäller från"))
    valid_to = models.DateField(_("gäller till"))
    option_years = models.PositiveSmallIntegerField(
        _("optionsår"),
        default=0,
        validators=[MaxValueValidator(20)],
        help_text=_("Hela år som avtalet kan förlängas efter sista giltighetsdagen."),
    )
    notice_months = models.PositiveSmallIntegerField(
        _("uppsägningstid, månader"), default=0, validators=[MaxValueValidator(60)]
    )
    medical_areas = models.ManyToManyField(
        MedicalArea,
        verbose_name=_("medicinska verksamhetsområden"),
        related_name="contracts",
        blank=True,
    )
    included = models.TextField(_("vad som ingår"), blank=True, max_length=4000)
    regions_allowed = models.ManyToManyField(
        Region, verbose_name=_("regioner som får avropa"), related_name="usable_contracts"
    )
    is_stopped = models.BooleanField(_("stoppat"), default=False)
    alert_percents = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(100)]),
        verbose_name=_("varna vid, % av taket"),
        default=alert_percents,
        size=5,
    )
    # The number of the newest ContractVersion; one who edits names the version he saw.
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)

    class Meta:
        ordering = ("number",)
        verbose_name = _("avtal")
        verbose_name_plural = _("avtal")
        constraints = (
            *cap_checks("contract"),
            models.CheckConstraint(
                name="contract_ends_after_start",
                condition=Q(valid_to__gte=F("valid_from")),
                violation_error_message=_("Sista dagen ligger före första dagen."),
            ),
            models.CheckConstraint(
                name="contract_alerts_are_per_cents",
                condition=Q(alert_percents__contained_by=list(range(1, 101))),
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def is_live(self, day: date) -> bool:
        return not self.is_stopped and self.valid_from <= day <= self.valid_to

    @property
    def latest_end(self) -> date:
        """The last day if every option is used; a leap day becomes 28 February."""
        year = self.valid_to.year + self.option_years
        try:
            return self.valid_to.replace(year=year)
        except ValueError:
            return self.valid_to.replace(year=year, day=28)


class ContractLineQuerySet(models.QuerySet["ContractLine"]):
    def covering(self, kva: str) -> Self:
        """Lines whose code is ``kva`` or its three-character group."""
        return self.filter(kva__in=covering_codes(kva))


class ContractLine(Capped):
    """Avropsrad: one procedure on a contract at one of the provider's units, with its price."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="lines")
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="contract_lines")
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    price_sek = models.DecimalField(_("pris, kronor"), max_digits=12, decimal_places=2)
    included = models.TextField(_("vad priset omfattar"), blank=True)
    asa_ceiling = models.PositiveSmallIntegerField(_("högsta ASA-klass"), default=2)
    age_min = models.PositiveSmallIntegerField(_("lägsta ålder"), null=True, blank=True)
    age_max = models.PositiveSmallIntegerField(_("högsta ålder"), null=True, blank=True)
    is_active = models.BooleanField(_("aktiv"), default=True)

    objects = ContractLineQuerySet.as_manager()

    class Meta:
        ordering = ("contract", "kva", "pk")
        verbose_name = _("avropsrad")
        verbose_name_plural = _("avropsrader")
        constraints = (
            *cap_checks("line"),
            models.CheckConstraint(name="line_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
            models.CheckConstraint(
                name="line_price_positive",
                condition=Q(price_sek__gt=0),
                violation_error_message=_("Priset ska vara större än noll."),
            ),
            # ASA 5 and 6 are never transferred.
            models.CheckConstraint(
                name="line_asa_1_to_4",
                condition=Q(asa_ceiling__range=(1, 4)),
                violation_error_message=_("ASA-klassen är 1–4."),
            ),
            models.CheckConstraint(
                name="line_age_range",
                condition=Q(age_min__isnull=True)
                | Q(age_max__isnull=True)
                | Q(age_min__lte=F("age_max")),
                violation_error_message=_("Den högsta åldern är lägre än den lägsta."),
            ),
            models.UniqueConstraint(
                fields=["contract", "care_unit", "kva"],
                name="line_once_per_unit_and_code",
                violation_error_message=_("Avtalet har redan en rad för enheten och koden."),
            ),
        )
        indexes = (models.Index(fields=["kva", "is_active"], name="line_by_code"),)

    def __str__(self) -> str:
        return f"{self.contract.number} {self.kva} {self.care_unit}"

    @property
    def places_left(self) -> int | None:
        """Places that fit under all caps of line and contract; ``None`` when there are none."""
        rooms = [self.left_volume, self.contract.left_volume]
        rooms += [
            None if sek is None else int(sek // self.price_sek)
            for sek in (self.left_sek, self.contract.left_sek)
        ]
        return min((room for room in rooms if room is not None), default=None)
