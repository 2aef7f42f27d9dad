"""What a region tells about the pathways: maximum lead times, its cancer cases, its lead times.

The tables can only be added to, and the newest row holds: a limit explains the shares of its time,
and what was told before stays readable. Nothing holds where the newest row withdraws what the one
before it told. An empty pathway stands for all of them together.
"""

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region
from referral.pathways import FirstTreatment

HALF_YEAR = Q(period__regex=r"^2[01][0-9]{2}H[12]$")
MOST_MEDIAN = 3650


class OwnStep(models.TextChoices):
    """The lead times that a region measures at home; named as those of the brokered patients."""

    TO_TREATMENT = "suspicion_to_treatment", _("Hela ledtiden: misstanke till behandling")
    TO_VISIT = "suspicion_to_visit", _("Misstanke till första besök")
    TO_DECISION = "suspicion_to_decision", _("Misstanke till beslut")


class PathwayFile(models.Model):
    """A file that was handed in, with what is wrong in which row; read in or not."""

    class Kind(models.TextChoices):
        LIMITS = "limits", _("Längsta ledtider")
        COUNTS = "counts", _("Antal")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("slag"), max_length=6, choices=Kind)
    file_name = models.CharField(_("fil"), max_length=150)
    good_rows_only = models.BooleanField(_("goda rader lästes in"))
    rows = models.PositiveIntegerField(_("rader"))
    stored = models.PositiveIntegerField(_("inlästa rader"))
    unchanged = models.PositiveIntegerField(_("rader som redan gällde"))
    # [[row number, [what is wrong, …]], …]; never a cell's content but what the words quote of it.
    faults = models.JSONField(encoder=DjangoJSONEncoder)
    made_at = models.DateTimeField(_("när"))
    made_by = models.CharField(_("vem"), max_length=120)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("fil om vårdförlopp")
        verbose_name_plural = _("filer om vårdförlopp")
        constraints = (
            models.CheckConstraint(
                name="pathway_file_kind_known", condition=Q(kind__in=["limits", "counts"])
            ),
            models.CheckConstraint(
                name="pathway_file_stores_no_more_than_it_has",
                condition=Q(rows__gte=F("stored") + F("unchanged")),
            ),
        )

    def __str__(self) -> str:
        return self.file_name


class ToldQuerySet(models.QuerySet[Any]):
    def of(self, region: str) -> Self:
        return self.filter(region_id=region)

    def holding(self) -> Self:
        """What holds: the newest row about each thing, unless it is withdrawn."""
        return self._newest().filter(is_withdrawn=False)

    def withdrawn(self) -> Self:
        """What is withdrawn and not told anew."""
        return self._newest().filter(is_withdrawn=True)

    def _newest(self) -> Self:
        about = ("region_id", *self.model.ABOUT)
        rows = self.order_by(*about, "-pk").distinct(*about)
        return self.filter(pk__in=rows.values("pk")).order_by("pk")


class Told(models.Model):
    """Who told it, when, and by which file; by hand without one.

    A row that is withdrawn repeats what the newest row told: the database holds that
    (``statistics/migrations/0007_pathways_rules.py``).
    """

    # The columns that, with the region, say what is told: two rows about the same cannot both hold.
    ABOUT: ClassVar[tuple[str, ...]]
    pathway: Any

    is_withdrawn = models.BooleanField(_("återtaget"), default=False)
    file = models.ForeignKey(
        PathwayFile, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("fil")
    )
    entered_at = models.DateTimeField(_("angivet"))
    entered_by = models.CharField(_("av"), max_length=120)

    objects = ToldQuerySet.as_manager()

    class Meta:
        abstract = True


class PathwayLimit(Told):
    """The maximum lead time, calendar days, from suspicion to start of the treatment."""

    ABOUT = ("pathway", "treatment")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="pathway_limits")
    pathway = models.CharField(_("vårdförlopp"), max_length=40)
    treatment = models.CharField(_("första behandling"), max_length=16, choices=FirstTreatment)
    days = models.PositiveSmallIntegerField(_("längsta ledtid, dagar"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("längsta ledtid")
        verbose_name_plural = _("längsta ledtider")
        constraints = (
            models.CheckConstraint(
                name="pathway_limit_within_a_year", condition=Q(days__range=(1, 365))
            ),
            models.CheckConstraint(name="pathway_limit_of_a_pathway", condition=~Q(pathway="")),
            models.CheckConstraint(
                name="pathway_limit_treatment_known",
                condition=Q(treatment__in=FirstTreatment.values),
            ),
        )
        indexes = (
            models.Index(
                fields=["region", "pathway", "treatment", "-id"], name="pathway_limit_newest"
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.pathway} {self.treatment}: {self.days}"


class InclusionCount(Told):
    """A region's new cancer cases of a half-year, and how many were investigated in a pathway.

    Both numbers are the region's own: most of these patients never meet care brokering, so that
    they cannot be counted here. More may be included than were expected to fall ill.
    """

    ABOUT = ("period", "pathway")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="inclusion_counts")
    period = models.CharField(_("halvår"), max_length=6)
    pathway = models.CharField(_("vårdförlopp"), max_length=40, blank=True)
    new_cases = models.PositiveIntegerField(_("insjuknade i cancer"))
    included = models.PositiveIntegerField(_("utredda i standardiserat vårdförlopp"))
    source = models.CharField(_("källa"), max_length=160)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("inklusion i vårdförlopp")
        verbose_name_plural = _("inklusion i vårdförlopp")
        constraints = (
            models.CheckConstraint(name="inclusion_period_is_half_year", condition=HALF_YEAR),
            models.CheckConstraint(name="inclusion_of_somebody", condition=Q(new_cases__gt=0)),
            models.CheckConstraint(name="inclusion_has_source", condition=~Q(source="")),
        )
        indexes = (models.Index(fields=["region", "period"], name="inclusion_by_period"),)

    def __str__(self) -> str:
        return f"{self.region_id} {self.period} {self.pathway}"


class LeadTimeCount(Told):
    """A region's own lead times of a half-year: all its patients, also those treated at home."""

    ABOUT = ("period", "pathway", "step")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="lead_time_counts")
    period = models.CharField(_("halvår"), max_length=6)
    pathway = models.CharField(_("vårdförlopp"), max_length=40, blank=True)
    step = models.CharField(_("steg"), max_length=24, choices=OwnStep)
    patients = models.PositiveIntegerField(_("patienter"))
    # Only the whole has a maximum in every pathway.
    within = models.PositiveIntegerField(_("inom längsta ledtid"), null=True)
    median_days = models.DecimalField(_("median, dagar"), max_digits=5, decimal_places=1, null=True)
    source = models.CharField(_("källa"), max_length=160)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("egna ledtider i vårdförlopp")
        verbose_name_plural = _("egna ledtider i vårdförlopp")
        constraints = (
            models.CheckConstraint(name="lead_count_period_is_half_year", condition=HALF_YEAR),
            models.CheckConstraint(
                name="lead_count_step_known", condition=Q(step__in=OwnStep.values)
            ),
            models.CheckConstraint(name="lead_count_of_somebody", condition=Q(patients__gt=0)),
            models.CheckConstraint(
                name="lead_count_within_is_a_part",
                condition=Q(within__isnull=True) | Q(within__lte=F("patients")),
            ),
            models.CheckConstraint(
                name="lead_count_whole_has_within",
                condition=~Q(step="suspicion_to_treatment") | Q(within__isnull=False),
            ),
            models.CheckConstraint(
                name="lead_count_median_can_be",
                condition=Q(median_days__isnull=True)
                | Q(median_days__range=(Decimal(0), Decimal(MOST_MEDIAN))),
            ),
            models.CheckConstraint(name="lead_count_has_source", condition=~Q(source="")),
        )
        indexes = (models.Index(fields=["region", "period"], name="lead_count_by_period"),)

    def __str__(self) -> str:
        return f"{self.region_id} {self.period} {self.pathway} {self.step}"


# By the names of the pages and of the API.
TOLD: dict[str, type[Told]] = {
    "limits": PathwayLimit,
    "inclusions": InclusionCount,
    "lead_times": LeadTimeCount,
}
