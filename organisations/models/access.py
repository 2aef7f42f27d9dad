"""The access log (patientdatalagen 4 kap. 3 §; HSLF-FS 2016:40 4 kap.)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from organisations.models.users import User


class AccessLog(models.Model):
    """One look at, or change of, a patient's data: who, in what role and unit, which case, when.

    Append-only: the database refuses UPDATE, DELETE and TRUNCATE.
    """

    at = models.DateTimeField(_("tidpunkt"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    unit = models.CharField(_("enhet"), max_length=120, blank=True)
    case_number = models.CharField(_("ärendenummer"), max_length=15, blank=True)
    patient_id = models.BigIntegerField(_("patient"), null=True)
    what = models.CharField(_("vad"), max_length=60)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("åtkomst")
        verbose_name_plural = _("åtkomstlogg")
        indexes = (
            models.Index(fields=["case_number", "at"], name="access_by_case"),
            models.Index(fields=["user", "at"], name="access_by_user"),
            models.Index(fields=["patient_id", "at"], name="access_by_patient"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.what}"
