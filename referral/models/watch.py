"""The watch list: what a parked case may be waiting for, and what has turned up for it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from capacity.models import FreeCapacity
from contracts.models import ContractLine
from organisations.models import User
from referral.models.cases import Case


class WatchHit(models.Model):
    """Träff: something changed so that a line may now take a case on the watch list.

    A to-do for the case's navigator until the case is resumed or closed, or the hit is dismissed
    with a reason. An event that is delivered twice makes one hit, and so do several events about
    a line while its hit is open.
    """

    class Cause(models.TextChoices):
        CAPACITY = "capacity", _("Lediga platser")
        CONTRACT = "contract", _("Nytt eller ändrat avtal")
        ROOM = "room", _("Plats under taket igen")
        WAIT = "wait", _("Kortare väntetid")
        UNIT = "unit", _("Enheten tar emot igen")

    class Outcome(models.TextChoices):
        RESUMED = "resumed", _("Ärendet återupptogs")
        DISMISSED = "dismissed", _("Avfärdad")
        CLOSED = "closed", _("Ärendet avslutades")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="watch_hits")
    cause = models.CharField(_("vad som ändrades"), max_length=8, choices=Cause)
    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, related_name="+")
    slot = models.ForeignKey(
        FreeCapacity, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # The event's key; events are thinned before cases are.
    event_id = models.BigIntegerField()
    found_at = models.DateTimeField(_("hittad"))
    seen_at = models.DateTimeField(_("sedd"), null=True, blank=True)
    handled_at = models.DateTimeField(_("hanterad"), null=True, blank=True)
    handled_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(_("utfall"), max_length=9, choices=Outcome, blank=True)
    reason = models.CharField(_("skäl"), max_length=300, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("träff på bevakningslistan")
        verbose_name_plural = _("träffar på bevakningslistan")
        constraints = (
            models.UniqueConstraint(fields=["case", "event_id"], name="watch_hit_once_per_event"),
            models.UniqueConstraint(
                fields=["case", "line"],
                condition=Q(handled_at__isnull=True),
                name="watch_hit_one_open_per_line",
            ),
            models.CheckConstraint(
                name="watch_hit_handled_is_whole",
                condition=Q(handled_at__isnull=True, outcome="")
                | (Q(handled_at__isnull=False) & ~Q(outcome="")),
            ),
            models.CheckConstraint(
                name="watch_hit_dismissed_with_reason",
                condition=~Q(outcome="dismissed") | ~Q(reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.case} {self.get_cause_display()}"
