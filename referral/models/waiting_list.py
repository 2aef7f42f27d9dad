"""A clinic's waiting list as it was handed in, and what became of its rows."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.encrypted import EncryptedJSONField
from organisations.models import CareUnit, Region, User


class WaitingListFile(models.Model):
    """Väntelista: the file, encrypted under a random name, and the outcome of each row.

    A small file is read at once, a large one by the sweep (design 5.3). ``file`` and ``report``
    hold what is known of patients, and are emptied when their time is over; the hash and the
    figures stay longer, so that the same file makes nothing new.
    """

    MAX_BYTES = 20 * 1024 * 1024

    class State(models.TextChoices):
        QUEUED = "queued", _("Väntar på att läsas")
        CHECKED = "checked", _("Kontrollerad, inget inläst")
        DONE = "done", _("Inläst")
        FAILED = "failed", _("Gick inte att läsa")

    class Outcome(models.TextChoices):
        """What a row is, or became."""

        NEW = "new", _("nytt ärende")
        KNOWN = "known", _("finns redan")
        FAULT = "fault", _("fel")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    sending_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    file = models.FileField(max_length=120, blank=True)
    name = models.CharField(_("filnamn"), max_length=150)
    size = models.PositiveIntegerField(_("storlek, byte"))
    handed_in_at = models.DateTimeField(_("lämnad"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)

    state = models.CharField(_("status"), max_length=7, choices=State, default=State.QUEUED)
    # Whether the rows are to become cases, or are only checked.
    to_store = models.BooleanField(default=False)
    good_rows_only = models.BooleanField(_("goda rader läses in"), default=False)
    due_at = models.DateTimeField(_("läses"))
    done_at = models.DateTimeField(_("läst"), null=True, blank=True)

    rows = models.PositiveIntegerField(_("rader"), default=0)
    new = models.PositiveIntegerField(_("nya"), default=0)
    known = models.PositiveIntegerField(_("finns redan"), default=0)
    faulty = models.PositiveIntegerField(_("rader med fel"), default=0)
    stored = models.PositiveIntegerField(_("inlästa rader"), default=0)
    # Why the file could not be read at all; says nothing of what stands in it.
    refusal = models.CharField(_("varför inte"), max_length=300, blank=True)
    # {"rows": [[row number, outcome, case number, [[column's key, what is wrong], …]], …]}
    report = EncryptedJSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("väntelista från fil")
        verbose_name_plural = _("väntelistor från fil")
        constraints = (
            models.UniqueConstraint(
                fields=["sending_unit", "role", "sha256"], name="waiting_list_file_once"
            ),
            models.CheckConstraint(
                name="waiting_list_within_20_mb", condition=Q(size__range=(1, 20 * 1024 * 1024))
            ),
            models.CheckConstraint(
                name="waiting_list_done_has_time",
                condition=Q(state="queued", done_at__isnull=True)
                | ~Q(state="queued") & Q(done_at__isnull=False),
            ),
            models.CheckConstraint(
                name="waiting_list_rows_add_up",
                condition=Q(rows=F("new") + F("known") + F("faulty"), stored__lte=F("new")),
            ),
            models.CheckConstraint(
                name="waiting_list_stored_when_done", condition=Q(stored=0) | Q(state="done")
            ),
            models.CheckConstraint(
                name="waiting_list_report_encrypted",
                condition=Q(report="") | Q(report__sealed=True),
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], name="waiting_list_due", condition=Q(state="queued")),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_kept(self) -> bool:
        """Whether the file and its report are still there."""
        return bool(self.file)
