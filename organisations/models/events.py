"""Domain events and their deliveries (design 5.4).

An event is a row written in the same transaction as the change it tells of. For every consumer
that subscribes to its kind there is a delivery row, due at once; the sweep hands it over and
records the outcome in one transaction, so that a crash anywhere neither loses nor doubles it.
"""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from organisations.tracing import MAX_LENGTH, current_request_id


class DomainEvent(models.Model):
    kind = models.CharField(_("händelse"), max_length=60)
    case_number = models.CharField(_("ärendenummer"), max_length=15, blank=True)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    happened_at = models.DateTimeField()
    # Of the request that made it happen: whoever handles it logs under the same id.
    request_id = models.CharField(
        max_length=MAX_LENGTH, blank=True, default=current_request_id, db_default=""
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("händelse")
        verbose_name_plural = _("händelser")
        indexes = (models.Index(fields=["case_number", "id"], name="event_by_case"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.case_number}".strip()


class EventDelivery(models.Model):
    event = models.ForeignKey(DomainEvent, on_delete=models.PROTECT, related_name="deliveries")
    consumer = models.CharField(max_length=80)
    due_at = models.DateTimeField(_("ska lämnas"))
    done_at = models.DateTimeField(_("lämnad"), null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("händelseleverans")
        verbose_name_plural = _("händelseleveranser")
        constraints = (
            models.UniqueConstraint(fields=["event", "consumer"], name="event_delivered_once"),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                name="event_delivery_due",
                condition=models.Q(done_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} → {self.consumer}"


class SweepRun(models.Model):
    """When a sweep last ran to its end and when it last failed: what the operator looks at."""

    name = models.CharField(_("svep"), max_length=40, primary_key=True)
    done_at = models.DateTimeField(_("senast klart"), null=True, blank=True)
    failed_at = models.DateTimeField(_("senast misslyckat"), null=True, blank=True)
    # The exception's class alone: its text may quote a patient's data.
    error = models.CharField(_("fel"), max_length=80, blank=True)
    # Since the beginning, for the metrics (config/monitoring).
    runs = models.BigIntegerField(default=0, db_default=0)
    failures = models.BigIntegerField(default=0, db_default=0)
    seconds = models.FloatField(default=0, db_default=0)
    last_seconds = models.FloatField(default=0, db_default=0)

    class Meta:
        ordering = ("name",)
        verbose_name = _("svep")
        verbose_name_plural = _("svep")

    def __str__(self) -> str:
        return self.name
