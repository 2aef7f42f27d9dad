"""The access log, its seals and its reviews (patientdatalagen 4 kap. 3 §, HSLF-FS 2016:40)."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.models.places import Region
from organisations.models.users import User


class AccessLog(models.Model):
    """One look at, or change of, a patient's data: who, in what role and unit, which case, when.

    Append-only: the database refuses UPDATE, DELETE and TRUNCATE. ``mac`` is a keyed hash of the
    row, made where the row is written: whoever holds the database but not the key can neither
    change a row nor make one (organisations.access_log).
    """

    at = models.DateTimeField(_("tidpunkt"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    unit = models.CharField(_("enhet"), max_length=120, blank=True)
    # Of the one who looked, and of the patient's case: a region reviews both.
    region = models.CharField(_("region"), max_length=2, blank=True)
    home_region = models.CharField(_("hemregion"), max_length=2, blank=True)
    case_number = models.CharField(_("ärendenummer"), max_length=15, blank=True)
    # A draft has no case yet; its patient is found once it has been submitted.
    form_id = models.BigIntegerField(_("blankett"), null=True)
    patient_id = models.BigIntegerField(_("patient"), null=True)
    what = models.CharField(_("vad"), max_length=60)
    key_id = models.CharField(max_length=16, blank=True)
    mac = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("åtkomst")
        verbose_name_plural = _("åtkomstlogg")
        indexes = (
            models.Index(fields=["case_number", "at"], name="access_by_case"),
            models.Index(fields=["user", "at"], name="access_by_user"),
            models.Index(fields=["patient_id", "at"], name="access_by_patient"),
            models.Index(fields=["home_region", "id"], name="access_by_home_region"),
            BrinIndex(fields=["at"], name="access_by_time", autosummarize=True),
            # Most people look at their own region's patients; the index holds the others.
            models.Index(
                fields=["region", "id"],
                name="access_by_other_region",
                condition=~Q(region=models.F("home_region")),
            ),
            models.Index(
                fields=["form_id"],
                name="access_by_form",
                condition=Q(form_id__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.what}"


class AccessLogSeal(models.Model):
    """A link of the log's hash chain: which rows it covers, and its place after the one before.

    Append-only like the log. Rows are written without regard to each other; a sweep seals those
    that have come since (organisations.access_log.sealing).
    """

    number = models.BigIntegerField(_("nummer"), primary_key=True)
    sealed_at = models.DateTimeField(_("förseglad"))
    last_id = models.BigIntegerField()
    row_count = models.PositiveIntegerField(_("antal rader"))
    # First and last id of each unbroken run: a number that was drawn and rolled back is no row.
    runs = ArrayField(models.BigIntegerField())
    # Eight bytes for each row, so that a broken block also tells which row broke it.
    marks = models.BinaryField()
    previous = models.BinaryField(max_length=32, unique=True)
    key_id = models.CharField(max_length=16)
    mac = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("number",)
        verbose_name = _("försegling")
        verbose_name_plural = _("förseglingar")
        indexes = (models.Index(fields=["sealed_at"], name="seal_by_time"),)

    def __str__(self) -> str:
        return f"{self.number}: {bytes(self.mac).hex()}"


class AccessSample(models.Model):
    """A random draw of log rows to review: systematic and recurring (HSLF-FS 2016:40 4 kap. 9 §).

    The same seed over the same rows draws the same sample, so that anyone can show afterwards
    that nobody chose what was looked at.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField(_("dragen"))
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField(_("från och med"))
    last_day = models.DateField(_("till och med"))
    last_log_id = models.BigIntegerField()
    population = models.PositiveIntegerField(_("åtkomster i perioden"))
    size = models.PositiveSmallIntegerField(_("antal att granska"))
    seed = models.BigIntegerField(_("slumpfrö"))

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("stickprov")
        verbose_name_plural = _("stickprov")
        constraints = (
            models.CheckConstraint(
                name="access_sample_days_in_order", condition=Q(last_day__gte=models.F("first_day"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.first_day} – {self.last_day}"


class AccessSampleRow(models.Model):
    """A row of the log that was drawn."""

    sample = models.ForeignKey(AccessSample, on_delete=models.PROTECT, related_name="rows")
    access = models.ForeignKey(AccessLog, on_delete=models.PROTECT, related_name="draws")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        verbose_name = _("rad i stickprov")
        verbose_name_plural = _("rader i stickprov")
        constraints = (
            models.UniqueConstraint(
                fields=["sample", "position"], name="one_row_per_place_in_sample"
            ),
            models.UniqueConstraint(fields=["sample", "access"], name="one_draw_per_row_in_sample"),
        )

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.position}"


class AccessReview(models.Model):
    """What a reviewer found. Append-only: a second thought is a new row, and the latest counts."""

    class Outcome(models.TextChoices):
        NO_REMARK = "no_remark", _("Utan anmärkning")
        FOLLOW_UP = "follow_up", _("Behöver följas upp")

    access = models.ForeignKey(AccessLog, on_delete=models.PROTECT, related_name="reviews")
    outcome = models.CharField(_("utfall"), max_length=12, choices=Outcome)
    comment = models.CharField(_("kommentar"), max_length=300, blank=True)
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(_("granskad"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("granskning")
        verbose_name_plural = _("granskningar")
        constraints = (
            models.CheckConstraint(
                name="access_review_outcome_known",
                condition=Q(outcome__in=["no_remark", "follow_up"]),
            ),
            # What is to be followed up says why.
            models.CheckConstraint(
                name="access_review_follow_up_says_why",
                condition=~Q(outcome="follow_up") | ~Q(comment=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.access_id}: {self.get_outcome_display()}"
