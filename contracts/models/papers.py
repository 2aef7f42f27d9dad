"""What belongs to a contract: people, documents, the checklist, versions and imports."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models.registry import Contract
from organisations.models import Region


class ContractVersion(models.Model):
    """Avtalet som det löd, each time it was changed. Append-only in the database.

    A call-off names the version it was made under, so that what was agreed when an offer was
    made can always be read.
    """

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    made_at = models.DateTimeField(_("när"))
    made_by = models.CharField(_("vem"), max_length=120)
    why = models.CharField(_("varför"), max_length=300)
    content = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("contract", "-number")
        verbose_name = _("avtalsversion")
        verbose_name_plural = _("avtalsversioner")
        constraints = (
            models.UniqueConstraint(fields=["contract", "number"], name="contract_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.contract.number} v{self.number}"


class ContractContact(models.Model):
    """Kontaktperson: whom to ask, on the owner's or the provider's side."""

    class About(models.TextChoices):
        CONTRACT = "contract", _("Avtalet")
        CAP = "cap", _("Takvolym")
        BOOKING = "booking", _("Bokning och remisser")
        MEDICAL = "medical", _("Medicinska frågor")
        INVOICE = "invoice", _("Fakturor")

    class Side(models.TextChoices):
        OWNER = "owner", _("Avtalsägaren")
        PROVIDER = "provider", _("Vårdgivaren")

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(_("namn"), max_length=120)
    side = models.CharField(_("hos"), max_length=8, choices=Side)
    about = models.CharField(_("svarar för"), max_length=8, choices=About)
    email = models.EmailField(_("e-post"), blank=True)
    phone = models.CharField(_("telefon"), max_length=30, blank=True)

    class Meta:
        ordering = ("side", "about", "name")
        verbose_name = _("kontaktperson")
        verbose_name_plural = _("kontaktpersoner")
        constraints = (
            models.CheckConstraint(
                name="contact_can_be_reached",
                condition=~Q(email="") | ~Q(phone=""),
                violation_error_message=_("Ange e-post eller telefon."),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ContractDocument(models.Model):
    """A document of the contract. Stored outside the web root under a random name."""

    MAX_BYTES = 20 * 1024 * 1024

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="documents")
    file = models.FileField(max_length=120)
    name = models.CharField(_("filnamn"), max_length=150)
    content_type = models.CharField(_("filtyp"), max_length=90)
    size = models.PositiveIntegerField(_("storlek, byte"))
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(_("inlagt"))
    # A document that was agreed stays for the versions that name it; it is only put aside.
    removed_at = models.DateTimeField(_("borttaget"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("avtalsdokument")
        verbose_name_plural = _("avtalsdokument")
        constraints = (
            models.CheckConstraint(
                name="contract_document_within_20_mb",
                condition=Q(size__range=(1, 20 * 1024 * 1024)),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ChecklistItem(models.Model):
    """One question to settle before a new collaboration starts.

    The questions are what pilot 2 found unsettled (Socialstyrelsen and E-hälsomyndigheten, final
    report on the national situation view): who tells results, which steps are included, how
    deviations and information are handled, who follows the cap.
    """

    class Question(models.TextChoices):
        RESULTS = "results", _("Vem meddelar patienten resultat och provsvar?")
        STEPS = "steps", _("Vilka vårdmoment ingår?")
        DEVIATIONS = "deviations", _("Hur hanteras avvikelser?")
        INFORMATION = "information", _("Hur överförs information mellan vårdenheterna?")
        CAP = "cap", _("Vem följer takvolymen, och hur får de andra veta?")

    class Status(models.TextChoices):
        OPEN = "open", _("Inte klart")
        AGREED = "agreed", _("Överenskommet")
        NOT_NEEDED = "not_needed", _("Behövs inte")

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="checklist")
    question = models.CharField(_("fråga"), max_length=12, choices=Question)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    answer = models.TextField(_("svar"), blank=True, max_length=2000)
    settled_at = models.DateTimeField(_("klart"), null=True, blank=True)
    settled_by = models.CharField(_("av"), max_length=120, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("punkt på checklistan")
        verbose_name_plural = _("checklista")
        constraints = (
            models.UniqueConstraint(
                fields=["contract", "question"], name="checklist_question_once"
            ),
            models.CheckConstraint(
                name="checklist_settled_has_answer",
                condition=Q(status="open", settled_at__isnull=True)
                | Q(status__in=["agreed", "not_needed"], settled_at__isnull=False) & ~Q(answer=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_question_display()} {self.get_status_display()}"


class ContractImport(models.Model):
    """An imported file with its row-by-row report, kept so that it can be fetched again."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="contract_imports")
    made_at = models.DateTimeField(_("när"))
    made_by = models.CharField(_("vem"), max_length=120)
    file_name = models.CharField(_("fil"), max_length=150)
    good_rows_only = models.BooleanField(_("goda rader lästes in"), default=False)
    rows = models.PositiveIntegerField(_("rader"))
    stored = models.PositiveIntegerField(_("inlästa rader"))
    # A list of {"row": int, "contract": str, "outcome": str, "errors": [str]}.
    report = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("import av avtal")
        verbose_name_plural = _("importer av avtal")
        constraints = (
            models.CheckConstraint(
                name="contract_import_stored_within_rows", condition=Q(stored__lte=models.F("rows"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.file_name} {self.made_at:%Y-%m-%d}"
