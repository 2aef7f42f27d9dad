"""What has been decided of the care guarantee's figures."""

from collections.abc import Collection

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region
from statistics.frozen.hiding import Node


class WithheldWaiting(models.Model):
    """Whose waiting at a month's end is not shown to those who see figures only: the clinics', or
    the region's own with its cases in work.

    Append-only: what has been shown cannot be taken back, and what is shown later depends on it. A
    month without a row is not decided, and no clinic's waiting is shown.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField(_("månad"))
    clinics = ArrayField(models.BigIntegerField(), verbose_name=_("kliniker"), default=list)
    region_withheld = models.BooleanField(_("regionens egna"), default=False)
    # Flows of the region that the month after hides with this one's few.
    hidden_next = ArrayField(
        models.CharField(max_length=8), verbose_name=_("döljs nästa månad"), default=list
    )
    # Flows of clinics that are hidden in the month itself since few wait when it ends, by kind.
    hidden_flows = models.JSONField(_("flöden som döljs"), default=dict)
    decided_at = models.DateTimeField(_("beslutat"))

    class Meta:
        ordering = ("region", "first_day")
        verbose_name = _("dolda väntande")
        verbose_name_plural = _("dolda väntande")
        constraints = (
            models.UniqueConstraint(fields=["region", "first_day"], name="withheld_waiting_once"),
            models.CheckConstraint(
                name="withheld_waiting_is_a_month", condition=Q(first_day__day=1)
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.first_day:%Y-%m}"

    @property
    def hidden_nodes(self) -> frozenset[Node]:
        return frozenset(
            (kind, "clinic", str(clinic))
            for kind, clinics in self.hidden_flows.items()
            for clinic in clinics
        )


def kept_nodes(nodes: Collection[Node]) -> dict[str, list[int]]:
    """Flows of clinics as ``WithheldWaiting.hidden_flows`` keeps them."""
    found: dict[str, list[int]] = {}
    for kind, _dimension, key in sorted(nodes):
        found.setdefault(kind, []).append(int(key))
    return found
