"""Call-offs: the ledger of each cap."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models.papers import ContractVersion
from contracts.models.registry import ContractLine
from organisations.models import Region


class CallOff(models.Model):
    """Avrop: one place on a contract line, reserved for a case and perhaps used.

    Reserved, used and settled call-offs are live and count against the cap; a released one does
    not. ``amount_sek`` is the line's price when reserved, the invoiced amount when settled.
    ``counts_on`` decides the period (docs/decisions/0011): the day of the reservation until the
    patient is treated, then the day of the treatment.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserverat")
        USED = "used", _("Använt")
        SETTLED = "settled", _("Slutreglerat")
        RELEASED = "released", _("Återlämnat")

    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, related_name="call_offs")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="call_offs")
    case_number = models.CharField(_("ärendenummer"), max_length=15)
    state = models.CharField(_("status"), max_length=8, choices=State, default=State.RESERVED)
    version = models.ForeignKey(
        ContractVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="call_offs",
        verbose_name=_("avtalets version"),
        help_text=_("Avtalet som det löd när platsen reserverades."),
    )
    counts_on = models.DateField(_("räknas i perioden för"))
    amount_sek = models.DecimalField(_("belopp, kronor"), max_digits=12, decimal_places=2)
    reserved_at = models.DateTimeField(_("reserverat"))
    used_at = models.DateTimeField(_("använt"), null=True, blank=True)
    settled_at = models.DateTimeField(_("slutreglerat"), null=True, blank=True)
    released_at = models.DateTimeField(_("återlämnat"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("avrop")
        verbose_name_plural = _("avrop")
        constraints = (
            models.CheckConstraint(
                name="calloff_amount_not_negative", condition=Q(amount_sek__gte=0)
            ),
            models.CheckConstraint(
                name="calloff_times_match_state",
                condition=(
                    Q(state="reserved", used_at__isnull=True, released_at__isnull=True)
                    | Q(state="used", used_at__isnull=False, released_at__isnull=True)
                    | Q(state="settled", settled_at__isnull=False, released_at__isnull=True)
                    | Q(state="released", released_at__isnull=False)
                ),
            ),
            models.UniqueConstraint(
                fields=["case_number"],
                condition=~Q(state="released"),
                name="calloff_one_live_per_case",
            ),
        )
        indexes = (
            models.Index(fields=["line", "state"], name="calloff_by_line"),
            models.Index(fields=["region", "state"], name="calloff_by_region"),
        )

    def __str__(self) -> str:
        return f"{self.case_number} {self.get_state_display()}"
