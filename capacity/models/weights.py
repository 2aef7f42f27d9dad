"""What each region lets the criteria of matching count for."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region


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
