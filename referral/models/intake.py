"""The standardised form with its drafts, versions and attachments."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organisations.encrypted import EncryptedJSONField
from organisations.models import (
    CareUnit,
    Equipment,
    User,
    equipment_field,
    equipment_in_words,
)
from referral.models.cases import Case

# Smygehuk to Treriksröset is some 1 570 km.
MAX_DISTANCE_KM = 2000


class IntakeForm(models.Model):
    """Blankett: what the clinic tells so that a provider can be found (Region Blekinge).

    While it is typed everything stands in ``typed`` as the person wrote it, valid or not. At
    submission the checked values go to the columns here and to the case.
    """

    class Mobility(models.TextChoices):
        WALKS = "walks", _("Går själv")
        AID = "aid", _("Går med hjälpmedel")
        WHEELCHAIR = "wheelchair", _("Rullstol")
        STRETCHER = "stretcher", _("Behöver ligga under transport")

    sending_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="forms")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="forms")
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField(_("sparat"))
    typed = EncryptedJSONField(default=dict, blank=True)
    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, null=True, blank=True, related_name="form"
    )
    submitted_at = models.DateTimeField(_("inskickat"), null=True, blank=True)
    version = models.PositiveSmallIntegerField(_("version"), default=0)

    medications = models.TextField(_("läkemedel"), blank=True)
    anticoagulants = models.BooleanField(_("blodförtunnande läkemedel"), default=False)
    bmi = models.DecimalField(_("BMI"), max_digits=4, decimal_places=1, null=True, blank=True)
    interpreter = models.CharField(_("tolk, språk"), max_length=40, blank=True)
    equipment = equipment_field()
    # The patient's own limit on the way to a provider; empty when the patient has set none.
    max_distance_km = models.PositiveSmallIntegerField(
        _("längsta avstånd, km"), null=True, blank=True
    )
    mobility = models.CharField(_("rörlighet"), max_length=10, choices=Mobility, blank=True)
    escort = models.BooleanField(_("behöver ledsagare"), default=False)
    transferable = models.BooleanField(_("kan förmedlas"), null=True, blank=True)
    not_transferable_reason = models.TextField(_("varför inte"), blank=True)
    clinician = models.CharField(_("bedömande läkare"), max_length=120, blank=True)
    free_text = models.TextField(_("övrigt"), blank=True)

    class Meta:
        ordering = ("-saved_at",)
        verbose_name = _("blankett")
        verbose_name_plural = _("blanketter")
        constraints = (
            models.CheckConstraint(
                name="form_submitted_has_case",
                condition=Q(submitted_at__isnull=True) | Q(case__isnull=False),
            ),
            models.CheckConstraint(
                name="form_typed_encrypted", condition=Q(typed="") | Q(typed__sealed=True)
            ),
            models.CheckConstraint(
                name="form_bmi_plausible", condition=Q(bmi__isnull=True) | Q(bmi__range=(8, 99))
            ),
            models.CheckConstraint(
                name="form_equipment_known",
                condition=Q(equipment__contained_by=Equipment.values),
            ),
            models.CheckConstraint(
                name="form_max_distance_in_sweden",
                condition=Q(max_distance_km__isnull=True)
                | Q(max_distance_km__range=(1, MAX_DISTANCE_KM)),
            ),
            models.CheckConstraint(
                name="form_why_not_transferable",
                condition=~Q(transferable=False) | ~Q(not_transferable_reason=""),
            ),
        )

    def __str__(self) -> str:
        return str(self.case or _("Utkast"))

    @property
    def equipment_in_words(self) -> list[str]:
        return equipment_in_words(self.equipment)

    @property
    def is_draft(self) -> bool:
        return self.case_id is None


class IntakeFormVersion(models.Model):
    """The form as it was submitted, each time. Append-only in the database."""

    form = models.ForeignKey(IntakeForm, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveSmallIntegerField()
    submitted_at = models.DateTimeField()
    content = EncryptedJSONField()

    class Meta:
        ordering = ("form", "version")
        verbose_name = _("inskickad version")
        verbose_name_plural = _("inskickade versioner")
        constraints = (
            models.UniqueConstraint(fields=["form", "version"], name="form_version_once"),
            models.CheckConstraint(
                name="form_version_encrypted", condition=Q(content__sealed=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.form} v{self.version}"


class Attachment(models.Model):
    """A PDF or picture on the form. Stored outside the web root under a random name."""

    class ContentType(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"

    MAX_BYTES = 20 * 1024 * 1024

    form = models.ForeignKey(IntakeForm, on_delete=models.PROTECT, related_name="attachments")
    file = models.FileField(max_length=120)
    name = models.CharField(_("filnamn"), max_length=150)
    content_type = models.CharField(_("filtyp"), max_length=20, choices=ContentType)
    size = models.PositiveIntegerField(_("storlek, byte"))
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("bilaga")
        verbose_name_plural = _("bilagor")
        constraints = (
            models.CheckConstraint(
                name="attachment_type_allowed",
                condition=Q(content_type__in=["application/pdf", "image/jpeg", "image/png"]),
            ),
            models.CheckConstraint(
                name="attachment_within_20_mb", condition=Q(size__range=(1, 20 * 1024 * 1024))
            ),
        )

    def __str__(self) -> str:
        return self.name
