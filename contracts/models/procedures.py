"""Procedures by KVÅ code."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, validate_kva
from organisations.models import MedicalArea


class Procedure(models.Model):
    """A KVÅ code with its Swedish name from the shipped list; other well-shaped codes are valid."""

    kva = models.CharField(_("KVÅ-kod"), max_length=5, primary_key=True, validators=[validate_kva])
    name = models.CharField(_("namn"), max_length=160)
    medical_area = models.ForeignKey(MedicalArea, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(_("område"), max_length=40)
    diagnoses = ArrayField(models.CharField(max_length=8), default=list)

    class Meta:
        ordering = ("kva",)
        verbose_name = _("åtgärd")
        verbose_name_plural = _("åtgärder")
        constraints = (
            models.CheckConstraint(name="procedure_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
        )

    def __str__(self) -> str:
        return f"{self.kva} {self.name}"
