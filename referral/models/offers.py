"""Offers, certificates and the referral to the receiving provider."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models import CallOff, ContractLine
from organisations.encrypted import EncryptedJSONField
from organisations.models import CareUnit, Funding, User
from referral.models.cases import Case


class AnswerChannel(models.TextChoices):
    INBOX = "1177", "1177"
    PHONE = "phone", _("Telefon")
    LETTER = "letter", _("Brev")
    OWN_PAGE = "page", _("Egen sida")


# Where only the patient answers; staff write down what was said or sent.
PATIENTS_OWN = frozenset({AnswerChannel.INBOX, AnswerChannel.OWN_PAGE})
TOLD_TO_STAFF = [c for c in AnswerChannel.choices if c[0] not in PATIENTS_OWN]


class DeclineReason(models.TextChoices):
    TRAVEL = "travel", _("Resan")
    WANTS_HOME_CLINIC = "wants_home_clinic", _("Vill till hemkliniken")
    WAITS_BY_CHOICE = "waits_by_choice", _("Väljer att vänta")
    ALREADY_TREATED = "already_treated", _("Redan behandlad")
    OTHER = "other", _("Annat")


class RejectionReason(models.TextChoices):
    """Why a receiving provider says no; always shown to navigator and clinic."""

    NO_CAPACITY = "no_capacity", _("Ingen ledig tid")
    MEDICAL_RISK = "medical_risk", _("För hög medicinsk risk för enheten")
    WRONG_PROCEDURE = "wrong_procedure", _("Åtgärden utförs inte här")
    INCOMPLETE = "incomplete", _("Underlaget räcker inte")
    NO_INDICATION = "no_indication", _("Indikation saknas")
    PATIENT_ABSENT = "patient_absent", _("Patienten uteblev")
    OTHER = "other", _("Annat skäl")


class Offer(models.Model):
    """Erbjudande: one provider offered to one patient. Terms are kept as they were offered."""

    class State(models.TextChoices):
        SENT = "sent", _("Väntar på svar")
        ACCEPTED = "accepted", _("Ja")
        DECLINED = "declined", _("Nej")
        EXPIRED = "expired", _("Utan svar")
        WITHDRAWN = "withdrawn", _("Återtaget")
        REJECTED = "rejected", _("Avvisat av vårdgivaren")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="offers")
    serial = models.PositiveSmallIntegerField(_("löpnummer"))
    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, related_name="offers")
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="offers")
    call_off = models.OneToOneField(CallOff, on_delete=models.PROTECT, related_name="offer")
    state = models.CharField(_("status"), max_length=9, choices=State, default=State.SENT)
    contract_number = models.CharField(_("avtal"), max_length=40)
    price_sek = models.DecimalField(_("pris, kronor"), max_digits=12, decimal_places=2)
    included = models.TextField(_("vad priset omfattar"), blank=True)
    expected_wait_days = models.PositiveIntegerField(
        _("förväntad väntan, dagar"), null=True, blank=True
    )
    home_wait_days = models.PositiveIntegerField(
        _("förväntad väntan hemma, dagar"), null=True, blank=True
    )
    text = models.TextField(_("text till patienten"))
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(_("skickat"))
    due_at = models.DateTimeField(_("står till"))
    answered_at = models.DateTimeField(_("svar"), null=True, blank=True)
    answer_channel = models.CharField(
        _("svar genom"), max_length=6, choices=AnswerChannel, blank=True
    )
    decline_reason = models.CharField(
        _("skäl till nej"), max_length=20, choices=DeclineReason, blank=True
    )
    # Who pays, as the region had it when the offer was sent.
    funding = models.CharField(
        _("betalas av"), max_length=7, choices=Funding, blank=True, default="", db_default=""
    )
    answer_comment = models.TextField(_("patientens kommentar"), blank=True)

    class Meta:
        ordering = ("case", "serial")
        verbose_name = _("erbjudande")
        verbose_name_plural = _("erbjudanden")
        constraints = (
            models.UniqueConstraint(fields=["case", "serial"], name="offer_serial_once"),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(state__in=["sent", "accepted"]),
                name="offer_one_live_per_case",
            ),
            models.CheckConstraint(
                name="offer_funding_known", condition=Q(funding__in=["", *Funding.values])
            ),
            models.CheckConstraint(
                name="offer_answer_is_whole",
                condition=(
                    Q(state__in=["accepted", "declined"], answered_at__isnull=False)
                    & ~Q(answer_channel="")
                )
                | ~Q(state__in=["accepted", "declined"]),
            ),
            models.CheckConstraint(
                name="offer_decline_has_reason",
                condition=~Q(state="declined") | ~Q(decline_reason=""),
            ),
            models.CheckConstraint(
                name="offer_stands_after_sent", condition=Q(due_at__gt=models.F("sent_at"))
            ),
        )
        indexes = (models.Index(fields=["due_at"], name="offer_due", condition=Q(state="sent")),)

    def __str__(self) -> str:
        return f"{self.case} erbjudande {self.serial}"

    @property
    def reference(self) -> str:
        """What outside systems call this offer: case number and serial."""
        return f"{self.case.number}/{self.serial}"

    @property
    def days_gained(self) -> int | None:
        """Expected days gained against waiting at home; ``None`` when either is unknown."""
        if self.expected_wait_days is None or self.home_wait_days is None:
            return None
        return self.home_wait_days - self.expected_wait_days


class Certificate(models.Model):
    """Vårdgarantiintyg: issued on acceptance; its number is quoted on invoices (Region Halland).

    ``content`` is what was certified at issue; the PDF is rendered from it and never changes.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="certificates")
    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="certificate")
    serial = models.PositiveSmallIntegerField()
    number = models.CharField(_("intygsnummer"), max_length=20, unique=True)
    issued_at = models.DateTimeField(_("utfärdat"))
    valid_to = models.DateField(_("gäller till och med"))
    content = EncryptedJSONField()
    revoked_at = models.DateTimeField(_("återkallat"), null=True, blank=True)

    class Meta:
        ordering = ("case", "serial")
        verbose_name = _("vårdgarantiintyg")
        verbose_name_plural = _("vårdgarantiintyg")
        constraints = (
            models.UniqueConstraint(fields=["case", "serial"], name="certificate_serial_once"),
            models.CheckConstraint(
                name="certificate_content_encrypted", condition=Q(content__sealed=True)
            ),
            models.CheckConstraint(
                name="certificate_number_shape",
                condition=Q(number__regex=r"^[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]/[0-9]{1,3}$"),
            ),
        )

    def __str__(self) -> str:
        return self.number


class Referral(models.Model):
    """Vårdgarantiremiss: what the receiving provider has said and done about an accepted offer."""

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="referral")
    sent_at = models.DateTimeField(_("skickad"))
    confirmed_at = models.DateTimeField(_("bekräftad"), null=True, blank=True)
    rejected_at = models.DateTimeField(_("avvisad"), null=True, blank=True)
    rejection_reason = models.CharField(
        _("skäl till avvisning"), max_length=16, choices=RejectionReason, blank=True
    )
    rejection_comment = models.TextField(_("kommentar"), blank=True)
    booked_for = models.DateTimeField(_("bokad tid"), null=True, blank=True)
    treated_on = models.DateField(_("behandlad"), null=True, blank=True)
    treatment_reported_at = models.DateTimeField(null=True, blank=True)
    back_referred_at = models.DateTimeField(_("återremitterad"), null=True, blank=True)
    back_referral = models.TextField(_("återremiss"), blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("vårdgarantiremiss")
        verbose_name_plural = _("vårdgarantiremisser")
        constraints = (
            models.CheckConstraint(
                name="referral_rejection_has_reason",
                condition=Q(rejected_at__isnull=True)
                | (~Q(rejection_reason="") & ~Q(rejection_comment="")),
            ),
            models.CheckConstraint(
                name="referral_not_treated_and_rejected",
                condition=Q(rejected_at__isnull=True) | Q(treated_on__isnull=True),
            ),
        )
        # Who was treated in a month: figures that are counted from the cases themselves.
        indexes = (
            models.Index(
                fields=["treated_on"],
                name="referral_treated",
                condition=Q(treated_on__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{_('Remiss')} {self.offer}"
