"""Letters as they were handed to the print provider, and its acknowledgement files."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PrintedLetter(models.Model):
    """A letter in a delivery, and the last that the print provider has told of it.

    One that has come back is a task until somebody has handled it.
    """

    class State(models.TextChoices):
        HANDED_OVER = "handed", _("Lämnat till tryckeriet")
        ACCEPTED = "accepted", _("Mottaget av tryckeriet")
        PRINTED = "printed", _("Tryckt")
        POSTED = "posted", _("Postat")
        REJECTED = "rejected", _("Avvisat av tryckeriet")
        RETURNED = "returned", _("Kom i retur")

    case = models.ForeignKey("referral.Case", on_delete=models.PROTECT, related_name="+")
    notice = models.ForeignKey("notices.Notice", on_delete=models.PROTECT, related_name="printed")
    batch = models.ForeignKey(
        "notices.LetterBatch", on_delete=models.PROTECT, related_name="printed"
    )
    file = models.CharField(_("fil"), max_length=120)
    sha256 = models.CharField(_("kontrollsumma"), max_length=64)
    state = models.CharField(_("status"), max_length=8, choices=State, default=State.HANDED_OVER)
    reason = models.CharField(_("skäl"), max_length=200, blank=True)
    told_on = models.DateField(_("dag"), null=True, blank=True)
    handled_at = models.DateTimeField(_("omhändertagen"), null=True, blank=True)
    handled_by = models.ForeignKey(
        "organisations.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("brev hos tryckeriet")
        verbose_name_plural = _("brev hos tryckeriet")
        constraints = (
            models.UniqueConstraint(fields=["batch", "file"], name="printed_letter_file_once"),
            models.UniqueConstraint(fields=["batch", "notice"], name="printed_letter_notice_once"),
            models.CheckConstraint(
                name="printed_letter_handled_when_returned",
                condition=Q(handled_at__isnull=True) | Q(state="returned"),
            ),
            models.CheckConstraint(
                name="printed_letter_handled_by_someone",
                condition=Q(handled_at__isnull=True, handled_by__isnull=True)
                | Q(handled_at__isnull=False, handled_by__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=["case"],
                name="printed_letter_to_handle",
                condition=Q(state="returned", handled_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.file


class PrintReport(models.Model):
    """An acknowledgement file, read once by name and content; what was wrong in it, by row."""

    name = models.CharField(_("fil"), max_length=160)
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(_("läst"))
    batch = models.ForeignKey(
        "notices.LetterBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reports",
    )
    taken = models.PositiveIntegerField(_("rader som togs emot"), default=0)
    fault_count = models.PositiveIntegerField(_("rader med fel"), default=0)
    # The first of them, as {"row": 3, "why": "…"}.
    faults = models.JSONField(_("fel"), default=list)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("kvittensfil")
        verbose_name_plural = _("kvittensfiler")
        constraints = (
            models.UniqueConstraint(fields=["name", "sha256"], name="print_report_once"),
        )
        indexes = (
            models.Index(
                fields=["received_at"],
                name="print_report_faulty",
                condition=Q(fault_count__gt=0),
            ),
        )

    def __str__(self) -> str:
        return self.name
