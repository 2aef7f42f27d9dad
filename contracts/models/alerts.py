"""Alerts: a cap is near, or reached."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models.registry import Contract, ContractLine


class CapAlert(models.Model):
    """Larm: so many per cent of a contract's or a line's cap are taken.

    Open until the level has fallen well below again; then the same limit can give a new alert.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="alerts")
    line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    percent = models.PositiveSmallIntegerField(_("gräns, %"))
    raised_at = models.DateTimeField(_("när"))
    cleared_at = models.DateTimeField(_("över"), null=True, blank=True)

    class Meta:
        ordering = ("-raised_at", "-pk")
        verbose_name = _("takvarning")
        verbose_name_plural = _("takvarningar")
        constraints = (
            models.CheckConstraint(
                name="alert_is_a_per_cent", condition=Q(percent__range=(1, 100))
            ),
            models.UniqueConstraint(
                fields=["contract", "line", "percent"],
                condition=Q(cleared_at__isnull=True),
                nulls_distinct=False,
                name="alert_open_once_per_limit",
            ),
        )

    def __str__(self) -> str:
        return f"{self.contract.number} {self.percent} %"


class OpeningDay(models.Model):
    """A day for which it has been told which contracts and periods begin (services.openings)."""

    day = models.DateField(_("dag"), primary_key=True)

    class Meta:
        ordering = ("day",)
        verbose_name = _("dag då avtal börjar")
        verbose_name_plural = _("dagar då avtal börjar")

    def __str__(self) -> str:
        return str(self.day)
