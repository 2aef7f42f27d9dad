"""Deliveries of the monthly file with their receipts, and how far each variable was reported."""

from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region, User
from statistics.months import Month
from statistics.waiting_times.layout import DONE, WAITING, Model
from statistics.waiting_times.validation import Verdict

# How many months back a month may still be corrected.
WINDOW = 3


def _month_of(column: str, back: int) -> Func:
    """The first day of the month ``back`` months before the day in the column."""
    first_day = "date_trunc('month', %(expressions)s::timestamp)"
    return Func(
        F(column),
        template=f"({first_day} - interval '{back} months')::date",
        output_field=models.DateField(),
    )


class WaitingTimeDelivery(models.Model):
    """Leverans: a month's file, its verdict and its receipt. Never changed or removed.

    A delivery that is not refused is a version of its month, and the highest version is what the
    region has reported. ``file`` holds what is known of patients and is emptied once the month can
    no longer be corrected; all else stays.
    """

    MAX_BYTES = 20 * 1024 * 1024

    class Origin(models.TextChoices):
        OWN = "own", _("Gjord ur regionens ärenden")
        UPLOADED = "uploaded", _("Lämnad som fil")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(_("år"))
    serial = models.PositiveIntegerField(_("löpnummer"))
    number = models.CharField(_("leveransnummer"), max_length=20, unique=True)
    origin = models.CharField(_("ursprung"), max_length=8, choices=Origin)
    name = models.CharField(_("filnamn"), max_length=150)
    size = models.PositiveIntegerField(_("storlek, byte"))
    sha256 = models.CharField(_("kontrollsumma (SHA-256)"), max_length=64)
    file = models.FileField(max_length=120, blank=True)

    delivered_at = models.DateTimeField(_("lämnad"))
    # The day in Europe/Stockholm, which decides what may still be corrected.
    delivered_on = models.DateField(_("lämnad den"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)

    verdict = models.CharField(_("utfall"), max_length=10, choices=Verdict)
    # Empty for a file that tells neither.
    model = models.CharField(_("modell"), max_length=11, choices=Model, blank=True)
    month = models.DateField(_("rapportmånad"), null=True)
    version = models.PositiveSmallIntegerField(_("version"), null=True)
    rows = models.PositiveIntegerField(_("rader"))
    done = models.PositiveIntegerField(_("genomförda"))
    waiting = models.PositiveIntegerField(_("väntande"))
    errors = models.PositiveIntegerField(_("fel"))
    lacks = models.PositiveIntegerField(_("brister"))
    remarks = models.PositiveIntegerField(_("anmärkningar"))
    # [[variable, code, how often], …] and [[row, variable, code, first row of a duplicate], …]:
    # never a value.
    faults = models.JSONField(default=list)
    first_faults = models.JSONField(default=list)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("leverans till väntetidsdatabasen")
        verbose_name_plural = _("leveranser till väntetidsdatabasen")
        constraints = (
            models.UniqueConstraint(
                fields=["region", "year", "serial"], name="waiting_delivery_serial_once"
            ),
            models.UniqueConstraint(
                fields=["region", "model", "month", "version"], name="waiting_delivery_version_once"
            ),
            models.CheckConstraint(
                name="waiting_delivery_verdict_known", condition=Q(verdict__in=Verdict.values)
            ),
            models.CheckConstraint(
                name="waiting_delivery_refused_is_no_version",
                condition=Q(verdict="refused", version__isnull=True)
                | (~Q(verdict="refused") & Q(version__isnull=False, version__gte=1)),
            ),
            models.CheckConstraint(
                name="waiting_delivery_counts_when_whole",
                condition=Q(verdict="refused", errors__gte=1)
                | (
                    ~Q(verdict="refused")
                    & ~Q(model="")
                    & Q(month__isnull=False, errors=0, rows=F("done") + F("waiting"))
                ),
            ),
            models.CheckConstraint(name="waiting_delivery_month_begins", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="waiting_delivery_within_window",
                condition=Q(verdict="refused")
                | Q(
                    month__gte=_month_of("delivered_on", WINDOW),
                    month__lt=_month_of("delivered_on", 0),
                ),
            ),
            models.CheckConstraint(
                name="waiting_delivery_within_20_mb",
                condition=Q(size__range=(0, 20 * 1024 * 1024)),
            ),
            models.CheckConstraint(
                name="waiting_delivery_checksum_shape", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
        )
        indexes = (
            models.Index(
                fields=["region", "model", "month", "-version"], name="waiting_delivery_by_month"
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def reported_month(self) -> Month | None:
        return Month.of(self.month) if self.month else None

    @property
    def is_kept(self) -> bool:
        """Whether the file is still there."""
        return bool(self.file)


class WaitingTimeDegree(models.Model):
    """How many rows of a delivery have, lack and cannot have a variable. Never changed."""

    delivery = models.ForeignKey(
        WaitingTimeDelivery, on_delete=models.PROTECT, related_name="degrees"
    )
    status = models.CharField(max_length=1)
    variable = models.CharField(_("variabel"), max_length=40)
    values = models.PositiveIntegerField(_("har uppgift"))
    missing = models.PositiveIntegerField(_("uppgift saknas"))
    not_applicable = models.PositiveIntegerField(_("ej aktuell"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("inrapporteringsgrad")
        verbose_name_plural = _("inrapporteringsgrader")
        constraints = (
            models.UniqueConstraint(
                fields=["delivery", "status", "variable"], name="waiting_degree_once"
            ),
            models.CheckConstraint(
                name="waiting_degree_status_known", condition=Q(status__in=[DONE, WAITING])
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery} {self.status} {self.variable}"
