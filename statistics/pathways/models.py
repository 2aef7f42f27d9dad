"""What a region enters about the pathways: maximum lead times, and its cancer cases.

Both tables can only be added to, and the newest row holds: a limit explains the shares of its time.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region
from referral.pathways import FirstTreatment


class PathwayLimit(models.Model):
    """The maximum lead time, calendar days, from suspicion to start of the treatment."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="pathway_limits")
    pathway = models.CharField(_("vårdförlopp"), max_length=40)
    treatment = models.CharField(_("första behandling"), max_length=16, choices=FirstTreatment)
    days = models.PositiveSmallIntegerField(_("längsta ledtid, dagar"))
    entered_at = models.DateTimeField(_("angivet"))
    entered_by = models.CharField(_("av"), max_length=120)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("längsta ledtid")
        verbose_name_plural = _("längsta ledtider")
        constraints = (
            models.CheckConstraint(
                name="pathway_limit_within_a_year", condition=Q(days__range=(1, 365))
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.pathway} {self.treatment}: {self.days}"


class InclusionCount(models.Model):
    """A region's new cancer cases of a half-year, and how many were investigated in a pathway.

    All pathways together, as the national goal is told. Both numbers are the region's own: most
    of these patients never meet care brokering, so that they cannot be counted here.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="inclusion_counts")
    period = models.CharField(_("halvår"), max_length=6)
    new_cases = models.PositiveIntegerField(_("insjuknade i cancer"))
    included = models.PositiveIntegerField(_("utredda i standardiserat vårdförlopp"))
    source = models.CharField(_("källa"), max_length=160)
    entered_at = models.DateTimeField(_("angivet"))
    entered_by = models.CharField(_("av"), max_length=120)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("inklusion i vårdförlopp")
        verbose_name_plural = _("inklusion i vårdförlopp")
        constraints = (
            models.CheckConstraint(
                name="inclusion_period_is_half_year",
                condition=Q(period__regex=r"^2[01][0-9]{2}H[12]$"),
            ),
            models.CheckConstraint(name="inclusion_of_somebody", condition=Q(new_cases__gt=0)),
            models.CheckConstraint(name="inclusion_has_source", condition=~Q(source="")),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.period}"
