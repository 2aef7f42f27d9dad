"""Invoices: the file as it came, what it says line by line, and what became of each line."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from contracts.models.call_offs import CallOff
from organisations.case_numbers import NUMBER_PATTERN
from organisations.models import Provider, Region, User


class Deviation(models.TextChoices):
    """What differs between an invoice line and what was agreed and done."""

    CASE_MISSING = "case_missing", _("Ärendenummer saknas")
    CASE_WRONG = "case_wrong", _("Ärendenumret stämmer inte (kontrollsiffran)")
    NO_CALL_OFF = "no_call_off", _("Inget avrop på ärendet")
    NOT_TREATED = "not_treated", _("Patienten är inte rapporterad som behandlad")
    OTHER_PROVIDER = "other_provider", _("En annan vårdgivare än den som avropet gäller")
    PRICE = "price", _("Ett annat pris än det avtalade")
    DATE_MISSING = "date_missing", _("Behandlingsdatum saknas")
    DATE = "date", _("Ett annat behandlingsdatum än det rapporterade")
    CERTIFICATE_MISSING = "certificate_missing", _("Vårdgarantiintygets nummer saknas")
    CERTIFICATE_OTHER = "certificate_other", _("Ett annat intyg än det som gäller avropet")
    CERTIFICATE_INVALID = "certificate_invalid", _("Intyget gällde inte behandlingsdagen")
    DOUBLE = "double", _("Ärendet är redan fakturerat")
    VAT = "vat", _("Moms på vård som är momsfri")
    QUANTITY = "quantity", _("Ett annat antal än 1")
    NEGATIVE = "negative", _("Negativt belopp, ska komma som kreditfaktura")
    IDENTITY = "identity", _("Personnummer i fakturan")
    CAP = "cap", _("Beloppet ryms inte under taket i kronor")
    CREDIT_UNKNOWN = "credit_unknown", _("Ingen fakturarad finns att kreditera")
    CREDIT_AMOUNT = "credit_amount", _("Krediten är inte lika stor som fakturaraden")


class InvoiceFile(models.Model):
    """The file as it was received, encrypted under a random name; the same content once.

    After the time that accounting law asks for, the file is removed and ``file`` is empty.
    """

    MAX_BYTES = 10 * 1024 * 1024

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="invoice_files")
    sha256 = models.CharField(max_length=64, unique=True)
    file = models.FileField(max_length=120, blank=True)
    name = models.CharField(_("filnamn"), max_length=150)
    content_type = models.CharField(_("filtyp"), max_length=90)
    size = models.PositiveIntegerField(_("storlek, byte"))
    received_at = models.DateTimeField(_("mottagen"))
    received_by = models.CharField(_("mottagen av"), max_length=120)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("fakturafil")
        verbose_name_plural = _("fakturafiler")
        constraints = (
            models.CheckConstraint(
                name="invoice_file_within_10_mb", condition=Q(size__range=(1, 10 * 1024 * 1024))
            ),
        )

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    """Faktura or kreditfaktura from one provider to one region; its number once per provider."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Faktura")
        CREDIT_NOTE = "credit_note", _("Kreditfaktura")

    file = models.ForeignKey(InvoiceFile, on_delete=models.PROTECT, related_name="invoices")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="invoices")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="invoices")
    kind = models.CharField(_("slag"), max_length=11, choices=Kind)
    number = models.CharField(_("fakturanummer"), max_length=50)
    # What a credit note says that it credits.
    credits_number = models.CharField(_("krediterar faktura"), max_length=50, blank=True)
    issued_on = models.DateField(_("fakturadatum"))
    due_on = models.DateField(_("förfaller"), null=True, blank=True)
    total_sek = models.DecimalField(_("att betala, kronor"), max_digits=14, decimal_places=2)
    received_at = models.DateTimeField(_("mottagen"))

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("faktura")
        verbose_name_plural = _("fakturor")
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "number"], name="invoice_number_once_per_provider"
            ),
            models.CheckConstraint(
                name="invoice_credit_note_names_its_invoice",
                condition=Q(kind="invoice", credits_number="")
                | Q(kind="credit_note") & ~Q(credits_number=""),
            ),
        )
        indexes = (models.Index(fields=["region", "-id"], name="invoice_by_region"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE


class InvoiceLine(models.Model):
    """One line: what the provider asks for one case.

    What was invoiced never changes; the database refuses it. A settled line is the one that its
    call-off's amount comes from, so there is at most one for each call-off. ``agreed_sek`` is what
    the call-off stood for before, to go back to when the line is credited.
    """

    class State(models.TextChoices):
        DEVIATES = "deviates", _("Avvikelse")
        DISPUTED = "disputed", _("Bestridd")
        AWAITS_CREDIT = "awaits_credit", _("Väntar på kreditfaktura")
        SETTLED = "settled", _("Godkänd")
        CREDITED = "credited", _("Krediterad")

    # Waits for a person, or for the provider.
    OPEN = (State.DEVIATES, State.DISPUTED, State.AWAITS_CREDIT)

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField(_("rad"))
    line_id = models.CharField(_("radens nummer"), max_length=50)
    is_credit = models.BooleanField(_("kredit"), default=False)
    case_number = models.CharField(_("ärendenummer"), max_length=15, blank=True)
    quoted = models.CharField(_("angiven referens"), max_length=60, blank=True)
    certificate_number = models.CharField(_("intygsnummer"), max_length=20, blank=True)
    text = models.CharField(_("text"), max_length=200, blank=True)
    treated_from = models.DateField(_("vård från"), null=True, blank=True)
    treated_to = models.DateField(_("vård till"), null=True, blank=True)
    quantity = models.DecimalField(_("antal"), max_digits=12, decimal_places=3)
    amount_sek = models.DecimalField(_("belopp, kronor"), max_digits=12, decimal_places=2)
    vat_percent = models.DecimalField(_("moms, %"), max_digits=5, decimal_places=2)
    has_identity_number = models.BooleanField(_("personnummer i texten"), default=False)

    state = models.CharField(
        _("status"), max_length=13, choices=State, default=State.DEVIATES, db_index=True
    )
    deviations = ArrayField(
        models.CharField(max_length=20, choices=Deviation), default=list, blank=True
    )
    call_off = models.ForeignKey(
        CallOff, on_delete=models.PROTECT, null=True, blank=True, related_name="invoice_lines"
    )
    agreed_sek = models.DecimalField(
        _("avtalat, kronor"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    credits = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="credited_by"
    )
    credited_sek = models.DecimalField(
        _("krediterat, kronor"), max_digits=12, decimal_places=2, default=Decimal(0)
    )
    settled_at = models.DateTimeField(_("godkänd"), null=True, blank=True)

    class Meta:
        ordering = ("invoice", "position")
        verbose_name = _("fakturarad")
        verbose_name_plural = _("fakturarader")
        constraints = (
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_once"),
            models.UniqueConstraint(
                fields=["call_off"],
                condition=Q(state="settled", is_credit=False),
                name="invoice_line_settles_a_call_off_once",
            ),
            models.CheckConstraint(
                name="invoice_line_state_known",
                condition=Q(
                    state__in=["deviates", "disputed", "awaits_credit", "settled", "credited"]
                ),
            ),
            models.CheckConstraint(
                name="invoice_line_settled_has_call_off",
                condition=~Q(state="settled")
                | Q(is_credit=False, call_off__isnull=False, settled_at__isnull=False)
                & Q(amount_sek__gte=0, agreed_sek__isnull=False)
                | Q(is_credit=True, credits__isnull=False, settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="invoice_line_credits_only_as_credit",
                condition=Q(credits__isnull=True) | Q(is_credit=True),
            ),
            # Never credited by more than it was; a line credited in whole is nothing any more.
            models.CheckConstraint(
                name="invoice_line_credited_within_amount",
                condition=Q(credited_sek=0)
                | Q(credited_sek__gt=0, credited_sek__lt=F("amount_sek"))
                | Q(credited_sek=F("amount_sek"), state="credited"),
            ),
            models.CheckConstraint(
                name="invoice_line_case_number_holds",
                condition=Q(case_number="")
                | Q(case_number__regex=NUMBER_PATTERN)
                & Q(
                    Func(
                        F("case_number"),
                        function="damm_holds",
                        output_field=models.BooleanField(),
                    )
                ),
            ),
        )
        indexes = (models.Index(fields=["case_number"], name="invoice_line_by_case"),)

    def __str__(self) -> str:
        return f"{self.invoice} {self.position}"

    @property
    def deviation_labels(self) -> list[str]:
        return [str(Deviation(code).label) for code in self.deviations]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide, or the provider to send a credit note."""
        return self.state in {
            self.State.DEVIATES,
            self.State.DISPUTED,
            self.State.AWAITS_CREDIT,
        }

    @property
    def left_sek(self) -> Decimal:
        """What is left of the line after credits."""
        return self.amount_sek - self.credited_sek


class InvoiceLog(models.Model):
    """What was done with an invoice line: who, when, why. Append-only in the database."""

    class Verb(models.TextChoices):
        RECEIVE = "receive", _("Fakturan togs emot")
        SETTLE = "settle", _("Raden stämde och slutreglerades")
        DEVIATE = "deviate", _("Raden lades på avvikelselistan")
        APPROVE = "approve", _("Raden godkändes trots avvikelse")
        DISPUTE = "dispute", _("Raden bestreds")
        AWAIT_CREDIT = "await_credit", _("Raden väntar på kreditfaktura")
        CREDIT = "credit", _("Raden krediterades")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="log")
    line = models.ForeignKey(
        InvoiceLine, on_delete=models.PROTECT, null=True, blank=True, related_name="log"
    )
    at = models.DateTimeField(_("tidpunkt"))
    verb = models.CharField(_("vad"), max_length=12, choices=Verb)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)
    why = models.CharField(_("varför"), max_length=500, blank=True)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("händelse på faktura")
        verbose_name_plural = _("fakturalogg")

    def __str__(self) -> str:
        return f"{self.invoice} {self.verb}"

    @property
    def deviation_labels(self) -> list[str]:
        """The deviations at that moment, in words."""
        return [str(Deviation(code).label) for code in self.details.get("deviations", ())]
