"""Caps: what a contract or a line may be called off for, in all and per period.

The cap is held by the database (design 5.5): a trigger on ``CallOff`` (migrations 0002 and 0004)
keeps the counters on line, contract and period equal to the ledger's sum under row locks, and
CHECK constraints refuse a counter above its cap. The counters can be changed by that trigger only.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _


def cap_checks(prefix: str) -> tuple[models.CheckConstraint, ...]:
    """The constraints that hold a cap in volume and in SEK, the same wherever a cap stands."""
    return (
        models.CheckConstraint(
            name=f"{prefix}_volume_within_cap",
            condition=Q(cap_volume__isnull=True) | Q(taken_volume__lte=F("cap_volume")),
            violation_error_message=_("Taket kan inte vara lägre än det som redan är avropat."),
        ),
        models.CheckConstraint(
            name=f"{prefix}_sek_within_cap",
            condition=Q(cap_sek__isnull=True) | Q(taken_sek__lte=F("cap_sek")),
            violation_error_message=_("Taket kan inte vara lägre än det som redan är avropat."),
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


class Period(models.TextChoices):
    """How long a period is. A week begins on Monday (ISO 8601); the names are PostgreSQL's."""

    WEEK = "week", _("vecka")
    MONTH = "month", _("månad")
    YEAR = "year", _("år")

    def start(self, day: date) -> date:
        """The first day of the period that ``day`` lies in."""
        if self == Period.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self == Period.MONTH else day.replace(month=1, day=1)


class PeriodCapQuerySet(models.QuerySet["PeriodCap"]):
    def on(self, day: date) -> Self:
        """With ``taken_volume`` and ``taken_sek`` of the period that ``day`` lies in."""
        starts = Case(
            *(When(period=period, then=Value(period.start(day))) for period in Period),
            output_field=models.DateField(),
        )
        counts = PeriodCount.objects.filter(
            period_cap=OuterRef("pk"), starts_on=OuterRef("starts_on")
        )
        return self.annotate(starts_on=starts).annotate(
            taken_volume=Coalesce(Subquery(counts.values("taken_volume")[:1]), 0),
            taken_sek=Coalesce(
                Subquery(counts.values("taken_sek")[:1]), Value(Decimal(0)), output_field=_SEK
            ),
        )


_SEK = models.DecimalField(max_digits=14, decimal_places=2)


class PeriodCap(models.Model):
    """Periodtak: the most that may be called off in any one week, month or calendar year.

    A new figure holds for the period that ``applies_from`` lies in and those after; periods that
    had ended keep the figure they had.
    """

    contract = models.ForeignKey(
        "contracts.Contract", models.PROTECT, null=True, blank=True, related_name="period_caps"
    )
    line = models.ForeignKey(
        "contracts.ContractLine", models.PROTECT, null=True, blank=True, related_name="period_caps"
    )
    period = models.CharField(_("period"), max_length=5, choices=Period)
    cap_volume = models.PositiveIntegerField(_("tak per period, antal"), null=True, blank=True)
    cap_sek = models.DecimalField(
        _("tak per period, kronor"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    applies_from = models.DateField(_("gäller från"))

    objects = PeriodCapQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("periodtak")
        verbose_name_plural = _("periodtak")
        constraints = (
            models.CheckConstraint(
                name="periodcap_on_contract_or_line",
                condition=Q(contract__isnull=True, line__isnull=False)
                | Q(contract__isnull=False, line__isnull=True),
            ),
            models.CheckConstraint(
                name="periodcap_has_a_figure",
                condition=Q(cap_volume__isnull=False) | Q(cap_sek__isnull=False),
            ),
            models.CheckConstraint(
                name="periodcap_known_period", condition=Q(period__in=["week", "month", "year"])
            ),
            models.UniqueConstraint(
                fields=["contract", "period"], name="periodcap_once_per_contract"
            ),
            models.UniqueConstraint(fields=["line", "period"], name="periodcap_once_per_line"),
        )

    def __str__(self) -> str:
        return f"{self.get_period_display()}: {self.cap_volume or ''} {self.cap_sek or ''}".strip()

    def has_room_for(self, amount: Decimal) -> bool:
        """Whether one more fits in the period; of use on rows that ``on(day)`` returned."""
        taken_volume: int = self.taken_volume  # type: ignore[attr-defined]
        taken_sek: Decimal = self.taken_sek  # type: ignore[attr-defined]
        return (self.cap_volume is None or taken_volume + 1 <= self.cap_volume) and (
            self.cap_sek is None or taken_sek + amount <= self.cap_sek
        )


class PeriodCount(models.Model):
    """What live call-offs take in one period under one period cap. Written by the database only."""

    # The database deletes the counts with their cap; nobody else may.
    period_cap = models.ForeignKey(PeriodCap, models.DO_NOTHING, related_name="counts")
    starts_on = models.DateField(_("periodens första dag"))
    cap_volume = models.PositiveIntegerField(null=True, editable=False)
    cap_sek = models.DecimalField(max_digits=14, decimal_places=2, null=True, editable=False)
    taken_volume = models.IntegerField(default=0, editable=False)
    taken_sek = models.DecimalField(
        max_digits=14, decimal_places=2, default=Decimal(0), editable=False
    )

    class Meta:
        ordering = ("period_cap", "starts_on")
        verbose_name = _("avrop i period")
        verbose_name_plural = _("avrop i period")
        constraints = (
            *cap_checks("periodcount"),
            models.UniqueConstraint(
                fields=["period_cap", "starts_on"], name="periodcount_once_per_period"
            ),
        )

    def __str__(self) -> str:
        return f"{self.period_cap} {self.starts_on}: {self.taken_volume}"
