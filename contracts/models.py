"""Contract registry, caps and the ledger of call-offs.

The cap is held by the database (design 5.5): a trigger on ``CallOff`` (migration 0002) keeps the
counters on line and contract equal to the ledger's sum under row locks, and CHECK constraints
refuse a counter above its cap. The counters themselves can be changed by that trigger only.
"""

from datetime import date
from decimal import Decimal
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, covering_codes, validate_kva
from organisations.models import CareUnit, MedicalArea, Provider, Region


class Procedure(models.Model):
    """A KVÅ code with its Swedish name from the shipped list; other well-shaped codes are valid."""

    kva = models.CharField(_("KVÅ-kod"), max_length=5, primary_key=True, validators=[validate_kva])
    name = models.CharField(_("namn"), max_length=160)
    medical_area = models.ForeignKey(MedicalArea, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(_("område"), max_length=40)
    diagnoses = ArrayField(models.CharField(max_length=8), default=list)

    class Meta:
        ordering = ("kva",)
        verbose_name = _("åtgärd")
        verbose_name_plural = _("åtgärder")
        constraints = (
            models.CheckConstraint(name="procedure_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
        )

    def __str__(self) -> str:
        return f"{self.kva} {self.name}"


def _cap_checks(prefix: str) -> tuple[models.CheckConstraint, ...]:
    """The constraints that hold a cap in volume and in SEK, the same for contract and line."""
    return (
        models.CheckConstraint(
            name=f"{prefix}_volume_within_cap",
            condition=Q(cap_volume__isnull=True) | Q(taken_volume__lte=F("cap_volume")),
        ),
        models.CheckConstraint(
            name=f"{prefix}_sek_within_cap",
            condition=Q(cap_sek__isnull=True) | Q(taken_sek__lte=F("cap_sek")),
        ),
        models.CheckConstraint(
            name=f"{prefix}_taken_not_negative",
            condition=Q(taken_volume__gte=0) & Q(taken_sek__gte=0),
        ),
    )


class Capped(models.Model):
    """A cap in volume, in SEK or both, with what live call-offs take of it."""

    cap_volume = models.PositiveIntegerField(_("takvolym, antal"), null=True, blank=True)
    cap_sek = models.DecimalField(
        _("takvolym, kronor"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    taken_volume = models.IntegerField(_("avropat, antal"), default=0, editable=False)
    taken_sek = models.DecimalField(
        _("avropat, kronor"), max_digits=14, decimal_places=2, default=Decimal(0), editable=False
    )

    class Meta:
        abstract = True

    @property
    def left_volume(self) -> int | None:
        """Places left under the volume cap; ``None`` when there is no such cap."""
        return None if self.cap_volume is None else self.cap_volume - self.taken_volume

    @property
    def left_sek(self) -> Decimal | None:
        """SEK left under the amount cap; ``None`` when there is no such cap."""
        return None if self.cap_sek is None else self.cap_sek - self.taken_sek

    def has_room_for(self, amount: Decimal) -> bool:
        """Whether one more call-off at ``amount`` SEK fits. The database decides in the end."""
        volume_ok = self.left_volume is None or self.left_volume >= 1
        sek_ok = self.left_sek is None or self.left_sek >= amount
        return volume_ok and sek_ok


class Contract(Capped):
    """Avtal: a region's right to send patients to a provider."""

    class Type(models.TextChoices):
        PROCUREMENT = "procurement", _("Upphandlat avtal")
        DIRECT_AWARD = "direct_award", _("Direktupphandling")
        FREE_CHOICE = "free_choice", _("Vårdval")

    number = models.CharField(_("avtalsnummer"), max_length=40, unique=True)
    title = models.CharField(_("benämning"), max_length=160)
    owner_region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="owned_contracts"
    )
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="contracts")
    contract_type = models.CharField(_("avtalstyp"), max_length=12, choices=Type)
    reimbursement = models.CharField(_("ersättningsprincip"), max_length=120, blank=True)
    valid_from = models.DateField(_("gäller från"))
    valid_to = models.DateField(_("gäller till"))
    regions_allowed = models.ManyToManyField(
        Region, verbose_name=_("regioner som får avropa"), related_name="usable_contracts"
    )
    is_stopped = models.BooleanField(_("stoppat"), default=False)

    class Meta:
        ordering = ("number",)
        verbose_name = _("avtal")
        verbose_name_plural = _("avtal")
        constraints = (
            *_cap_checks("contract"),
            models.CheckConstraint(
                name="contract_ends_after_start", condition=Q(valid_to__gte=F("valid_from"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def is_live(self, day: date) -> bool:
        return not self.is_stopped and self.valid_from <= day <= self.valid_to


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
            *_cap_checks("line"),
            models.CheckConstraint(name="line_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
            models.CheckConstraint(name="line_price_positive", condition=Q(price_sek__gt=0)),
            # ASA 5 and 6 are never transferred.
            models.CheckConstraint(name="line_asa_1_to_4", condition=Q(asa_ceiling__range=(1, 4))),
            models.CheckConstraint(
                name="line_age_range",
                condition=Q(age_min__isnull=True)
                | Q(age_max__isnull=True)
                | Q(age_min__lte=F("age_max")),
            ),
            models.UniqueConstraint(
                fields=["contract", "care_unit", "kva"], name="line_once_per_unit_and_code"
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


class CallOff(models.Model):
    """Avrop: one place on a contract line, reserved for a case and perhaps used.

    Reserved, used and settled call-offs are live and count against the cap; a released one does
    not. ``amount_sek`` is the line's price when reserved, the invoiced amount when settled.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserverat")
        USED = "used", _("Använt")
        SETTLED = "settled", _("Slutreglerat")
        RELEASED = "released", _("Återlämnat")

    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, related_name="call_offs")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="call_offs")
    case_number = models.CharField(_("ärendenummer"), max_length=15)
    state = models.CharField(_("status"), max_length=8, choices=State, default=State.RESERVED)
    amount_sek = models.DecimalField(_("belopp, kronor"), max_digits=12, decimal_places=2)
    reserved_at = models.DateTimeField(_("reserverat"))
    used_at = models.DateTimeField(_("använt"), null=True, blank=True)
    settled_at = models.DateTimeField(_("slutreglerat"), null=True, blank=True)
    released_at = models.DateTimeField(_("återlämnat"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("avrop")
        verbose_name_plural = _("avrop")
        constraints = (
            models.CheckConstraint(
                name="calloff_amount_not_negative", condition=Q(amount_sek__gte=0)
            ),
            models.CheckConstraint(
                name="calloff_times_match_state",
                condition=(
                    Q(state="reserved", used_at__isnull=True, released_at__isnull=True)
                    | Q(state="used", used_at__isnull=False, released_at__isnull=True)
                    | Q(state="settled", settled_at__isnull=False, released_at__isnull=True)
                    | Q(state="released", released_at__isnull=False)
                ),
            ),
            models.UniqueConstraint(
                fields=["case_number"],
                condition=~Q(state="released"),
                name="calloff_one_live_per_case",
            ),
        )
        indexes = (models.Index(fields=["line", "state"], name="calloff_by_line"),)

    def __str__(self) -> str:
        return f"{self.case_number} {self.get_state_display()}"
