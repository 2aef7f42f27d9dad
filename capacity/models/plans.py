"""Delivery plans: weekly volumes for a year, agreed with a provider (Västra Götaland's way)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    IntegerRangeField,
    RangeOperators,
)
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Left, NullIf, Substr
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, validate_kva
from contracts.models import Contract
from organisations.models import CareUnit, Provider, Region

FIRST_YEAR, LAST_YEAR = 2020, 2100
MOST_PER_WEEK = 10_000


def _one_or_all(value: object, *, function: str, field: type[models.Field]) -> Func:
    """A range that holds one value alone, or all when the value is null."""
    return Func(value, value, Value("[]"), function=function, output_field=field())


class DeliveryPlan(models.Model):
    """Leveransplan: how many patients a region means to send a provider each week of an ISO year.

    What is agreed stands in versions; the newest agreed one holds. ``kva`` is a code of a line on
    the contract; a three-character group covers the finer codes of its group. Without ``care_unit``
    the plan is for all the provider's units.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Utkast")
        AGREED = "agreed", _("Avtalad")
        ENDED = "ended", _("Avslutad")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="delivery_plans")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="delivery_plans")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="delivery_plans")
    care_unit = models.ForeignKey(
        CareUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="delivery_plans"
    )
    kva = models.CharField(_("KVÅ-kod"), max_length=5, validators=[validate_kva])
    year = models.PositiveSmallIntegerField(_("år"))
    state = models.CharField(_("status"), max_length=6, choices=State, default=State.DRAFT)
    behind_percent = models.PositiveSmallIntegerField(
        _("flagga under, %"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    behind_weeks = models.PositiveSmallIntegerField(
        _("räknat över, veckor"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(26)],
    )
    made_at = models.DateTimeField(_("upplagd"))
    ended_at = models.DateTimeField(_("avslutad"), null=True, blank=True)
    ended_by = models.CharField(_("avslutad av"), max_length=120, blank=True)
    end_reason = models.CharField(_("varför"), max_length=300, blank=True)
    # When the deliveries are next held against the plan, and when they were last found behind.
    due_at = models.DateTimeField(null=True, blank=True)
    flagged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-year", "provider", "kva", "pk")
        verbose_name = _("leveransplan")
        verbose_name_plural = _("leveransplaner")
        constraints = (
            models.CheckConstraint(
                name="plan_state_known", condition=Q(state__in=["draft", "agreed", "ended"])
            ),
            models.CheckConstraint(name="plan_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
            models.CheckConstraint(
                name="plan_year_known", condition=Q(year__range=(FIRST_YEAR, LAST_YEAR))
            ),
            models.CheckConstraint(
                name="plan_ended_has_time_and_reason",
                condition=Q(state="ended", ended_at__isnull=False)
                & ~Q(end_reason="")
                & ~Q(ended_by="")
                | ~Q(state="ended") & Q(ended_at__isnull=True, end_reason="", ended_by=""),
            ),
            models.CheckConstraint(
                name="plan_flag_limits",
                condition=Q(behind_percent__range=(1, 100), behind_weeks__range=(1, 26)),
            ),
            # Nobody is counted in two plans: a plan for the provider overlaps one for its unit,
            # and one for a group of codes overlaps one for a code in it.
            ExclusionConstraint(
                name="plan_one_live_per_place_code_and_year",
                expressions=[
                    ("region", RangeOperators.EQUAL),
                    ("provider", RangeOperators.EQUAL),
                    ("year", RangeOperators.EQUAL),
                    (Left("kva", 3), RangeOperators.EQUAL),
                    (
                        _one_or_all(
                            Cast(
                                NullIf(Substr("kva", 4), Value("")),
                                output_field=models.IntegerField(),
                            ),
                            function="INT4RANGE",
                            field=IntegerRangeField,
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _one_or_all(
                            F("care_unit"), function="INT8RANGE", field=BigIntegerRangeField
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=~Q(state="ended"),
            ),
        )
        indexes = (
            models.Index(fields=["region", "-year"], name="plan_by_region"),
            models.Index(fields=["provider", "-year"], name="plan_by_provider"),
            models.Index(fields=["due_at"], name="plan_due", condition=Q(due_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.year} {self.kva} {self.place}"

    @property
    def place(self) -> str:
        """The unit, or the provider when the plan is for all its units."""
        return self.care_unit.name if self.care_unit else self.provider.name


class PlanVersion(models.Model):
    """The weekly volumes as they were drafted or agreed; an agreed version never changes."""

    plan = models.ForeignKey(DeliveryPlan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField(_("version"))
    reason = models.CharField(_("varför planen ändras"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("när"))
    made_by = models.CharField(_("av"), max_length=120)
    agreed_at = models.DateTimeField(_("avtalad"), null=True, blank=True)
    agreed_by = models.CharField(_("avtalad av"), max_length=120, blank=True)
    agreed_with = models.CharField(_("avtalad med"), max_length=120, blank=True)

    class Meta:
        ordering = ("plan", "-number")
        verbose_name = _("planversion")
        verbose_name_plural = _("planversioner")
        constraints = (
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once"),
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(agreed_at__isnull=True),
                name="plan_version_one_draft",
            ),
            models.CheckConstraint(
                name="plan_version_agreed_by_somebody",
                condition=Q(agreed_at__isnull=True, agreed_by="", agreed_with="")
                | Q(agreed_at__isnull=False) & ~Q(agreed_by="") & ~Q(agreed_with=""),
            ),
            models.CheckConstraint(
                name="plan_version_change_has_reason", condition=Q(number=1) | ~Q(reason="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"

    @property
    def is_agreed(self) -> bool:
        return self.agreed_at is not None


class PlannedWeek(models.Model):
    """How many patients are planned in one ISO week of the plan's year.

    That the year has the week, and that an agreed version stays, is held by a trigger.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="weeks")
    week = models.PositiveSmallIntegerField(_("vecka"))
    volume = models.PositiveIntegerField(_("volym"))

    class Meta:
        ordering = ("version", "week")
        verbose_name = _("planerad vecka")
        verbose_name_plural = _("planerade veckor")
        constraints = (
            models.UniqueConstraint(fields=["version", "week"], name="planned_week_once"),
            models.CheckConstraint(name="planned_week_1_to_53", condition=Q(week__range=(1, 53))),
            models.CheckConstraint(
                name="planned_week_volume", condition=Q(volume__range=(0, MOST_PER_WEEK))
            ),
        )

    def __str__(self) -> str:
        return f"{self.week}: {self.volume}"
