"""How often a code has been guessed at, and which code holds now."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.case_numbers import NUMBER_PATTERN


class AnswerCode(models.Model):
    """The tries at one case number, and the serial of its code.

    There is a row once somebody has tried, or a new code was made; also for numbers that no case
    has, so that what happens after many tries tells nobody which numbers there are. The code
    itself is nowhere (notices.own_page.codes).
    """

    case_number = models.CharField(_("ärendenummer"), max_length=14, unique=True)
    serial = models.PositiveSmallIntegerField(_("löpnummer"), default=1)
    wrong = models.PositiveSmallIntegerField(_("fel försök"), default=0)
    locked_until = models.DateTimeField(_("låst till"), null=True, blank=True)
    barred_at = models.DateTimeField(_("spärrad"), null=True, blank=True)
    tried_at = models.DateTimeField(_("senast prövad"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("svarskod")
        verbose_name_plural = _("svarskoder")
        constraints = (
            models.CheckConstraint(
                name="answer_code_number_shape", condition=Q(case_number__regex=NUMBER_PATTERN)
            ),
            models.CheckConstraint(
                name="answer_code_barred_after_many",
                condition=Q(wrong__lt=20) | Q(barred_at__isnull=False),
            ),
        )
        indexes = (models.Index(fields=["tried_at"], name="answer_code_by_try"),)

    def __str__(self) -> str:
        return self.case_number

    def is_locked(self, now: datetime) -> bool:
        """Whether even the right code does not open now."""
        return self.barred_at is not None or bool(self.locked_until and now < self.locked_until)
