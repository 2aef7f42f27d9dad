"""Notices to patients and providers, letter batches and what the gateway called back."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notices.callbacks.models import CallBack, PhoneTime
from notices.campaigns.models import Answer, Campaign, CampaignLog, CampaignRecipient
from notices.own_page.models import AnswerCode
from notices.printing.models import PrintedLetter, PrintReport
from notices.texts.models import TextVersion, WrittenOffer
from organisations.encrypted import EncryptedJSONField
from organisations.models import CareUnit
from organisations.tracing import MAX_LENGTH, current_request_id
from referral.models import Case, Offer

__all__ = [
    "Answer",
    "AnswerCode",
    "CallBack",
    "Campaign",
    "CampaignLog",
    "CampaignRecipient",
    "GatewayCallback",
    "LetterBatch",
    "Notice",
    "PhoneTime",
    "PrintReport",
    "PrintedLetter",
    "StaffMail",
    "TextVersion",
    "WrittenOffer",
]


class LetterBatch(models.Model):
    """A delivery to the print provider: a folder of PDF files with an index file.

    The row comes first and its number names the folder, so that a crash between writing and
    recording writes the same folder again and never a second one.
    """

    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    delivered_at = models.DateTimeField(_("lämnad"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("försök"), default=0, db_default=0)
    # When the print provider first told something of it.
    told_at = models.DateTimeField(_("kvitterad"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("brevleverans")
        verbose_name_plural = _("brevleveranser")
        indexes = (
            models.Index(
                fields=["due_at"],
                name="letter_batch_due",
                condition=Q(delivered_at__isnull=True),
            ),
            models.Index(
                fields=["delivered_at"],
                name="letter_batch_untold",
                condition=Q(told_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.folder_name

    @property
    def folder_name(self) -> str:
        return f"brev-{timezone.localdate(self.created_at):%Y%m%d}-{self.pk:08d}"


class Notice(models.Model):
    """One message to one recipient through one channel, due at a time, sent exactly once.

    The idempotency key goes to the outside gateway too (design 5.3).
    """

    class Kind(models.TextChoices):
        OFFER = "offer", _("Erbjudande")
        OFFER_LETTER = "offer_letter", _("Erbjudande som brev")
        OFFER_REMINDER = "offer_reminder", _("Påminnelse om erbjudande")
        BOOKED_TIME = "booked_time", _("Bokad tid")
        CONFIRMATION = "confirmation", _("Remissbekräftelse")
        GUARANTEE = "guarantee", _("Om vårdgarantin")
        ANSWER_CODE = "answer_code", _("Ny svarskod")
        PROVIDER_NEW_CASE = "provider_new_case", _("Ny patient till vårdgivare")
        CLINIC_RETURNED = "clinic_returned", _("Blankett åter till kliniken")
        CLINIC_REJECTED = "clinic_rejected", _("Remiss avvisad")
        CAMPAIGN = "campaign", _("Kampanj")
        CLINIC_LEFT = "clinic_left", _("Patienten har lämnat väntelistan")
        EMERGENCY_OPENING = "emergency_opening", _("Nödöppning att följa upp")

    class Channel(models.TextChoices):
        INBOX = "1177", "1177"
        DIGITAL = "digital", _("Digital post")
        LETTER = "letter", _("Brev")
        EMAIL = "email", _("E-post")

    # What the patient gets; the rest goes to units and administrators.
    TO_PATIENT = frozenset({Channel.INBOX, Channel.DIGITAL, Channel.LETTER})
    # About an offer, and needless once it is answered.
    OF_OFFER = frozenset({Kind.OFFER, Kind.OFFER_LETTER, Kind.OFFER_REMINDER})
    # Of these the channel is chosen when the notice is sent (notices.channels).
    CHOSEN = frozenset({Channel.INBOX, Channel.DIGITAL})

    class Why(models.TextChoices):
        """Why the notice goes the way it goes."""

        INBOX = "inbox", _("Patienten är ansluten till 1177.")
        MAILBOX = "mailbox", _("Patienten saknar 1177 men har digital brevlåda.")
        NEITHER = "neither", _("Patienten har varken 1177 eller digital brevlåda.")
        PROTECTED = "protected", _("Skyddad identitet: bara brev, genom Skatteverket.")
        UNANSWERED = "unanswered", _("Brev när erbjudandet inte har besvarats i tid.")
        REFUSED = "refused", _("Mottagaren tog inte emot det digitala meddelandet.")
        UNREAD = "unread", _("Brev när meddelandet inte har lästs i 1177 i tid.")
        BY_HAND = "by_hand", _("Vårdlotsen valde brev.")

    class State(models.TextChoices):
        WAITING = "waiting", _("Väntar")
        HELD = "held", _("Hålls inne")
        BATCHED = "batched", _("Lämnas till tryckeri")
        SENT = "sent", _("Skickat")
        READ = "read", _("Läst")
        ANSWERED = "answered", _("Besvarat")
        CANCELLED = "cancelled", _("Behövdes inte")
        FAILED = "failed", _("Kunde inte skickas")
        RETURNED = "returned", _("Kom i retur")

    class Priority(models.IntegerChoices):
        """Of those that are due, which go first."""

        FIRST = 0, _("Först")
        AFTER_OFFERS = 1, _("När erbjudandena har gått")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    # Of a campaign: the row of its patient, which no second notice can have.
    recipient = models.OneToOneField(
        CampaignRecipient, on_delete=models.PROTECT, null=True, blank=True, related_name="notice"
    )
    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, blank=True, related_name="notices"
    )
    # Of a letter: the message in 1177 that it follows unless that is read (notices.unread).
    unread = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="letter_if_unread"
    )
    kind = models.CharField(_("slag"), max_length=20, choices=Kind)
    channel = models.CharField(_("kanal"), max_length=8, choices=Channel)
    why_channel = models.CharField(
        _("varför kanalen"), max_length=10, choices=Why, blank=True, default="", db_default=""
    )
    state = models.CharField(_("status"), max_length=9, choices=State, default=State.WAITING)
    # 1177's inbox serves the relation between patient and clinic: the clinic is the sender.
    sender = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="+")
    email_to = models.EmailField(_("till"), blank=True)
    subject = models.CharField(_("ämne"), max_length=200)
    body = models.TextField(_("text"))
    # The version the text was written from, where it was, and the language it is in.
    text_version = models.ForeignKey(
        TextVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="notices"
    )
    language = models.CharField(_("språk"), max_length=3, default="sv", db_default="sv")
    # What the text is to be written from, while a field that it needs is missing.
    to_write = models.JSONField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(_("ska skickas"))
    sent_at = models.DateTimeField(_("skickat"), null=True, blank=True)
    read_at = models.DateTimeField(_("läst"), null=True, blank=True)
    receipt = models.CharField(_("kvittens"), max_length=80, blank=True)
    # How often 1177 has been asked what became of the message (notices.threads).
    asked = models.PositiveSmallIntegerField(default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(_("försök"), default=0)
    priority = models.PositiveSmallIntegerField(
        choices=Priority, default=Priority.FIRST, db_default=Priority.FIRST
    )
    last_error = models.CharField(_("senaste fel"), max_length=300, blank=True)
    batch = models.ForeignKey(
        LetterBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="letters"
    )
    # Of the request that led to it; the gateway gets it too.
    request_id = models.CharField(
        max_length=MAX_LENGTH, blank=True, default=current_request_id, db_default=""
    )

    # Which of the case's answer codes it bears, once read (notices.outgoing).
    answer_serial: int | None = None

    class Meta:
        ordering = ("pk",)
        verbose_name = _("meddelande")
        verbose_name_plural = _("meddelanden")
        constraints = (
            models.UniqueConstraint(
                fields=["offer", "kind", "channel"],
                condition=Q(kind__in=["offer", "offer_letter"]),
                name="notice_once_per_offer_kind_channel",
            ),
            models.CheckConstraint(
                name="notice_sent_has_time",
                condition=~Q(state__in=["sent", "read", "answered"]) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_batched_has_batch",
                condition=~Q(state="batched") | Q(batch__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_of_campaign_has_recipient",
                condition=Q(kind="campaign", recipient__isnull=False)
                | ~Q(kind="campaign") & Q(recipient__isnull=True),
            ),
            models.CheckConstraint(
                name="notice_after_unread_is_letter",
                condition=Q(unread__isnull=True) | Q(channel="letter"),
            ),
            models.CheckConstraint(
                name="notice_unwritten_is_not_sent",
                condition=Q(to_write__isnull=True) | Q(state__in=["failed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="notice_email_has_address",
                condition=~Q(channel="email") | ~Q(email_to=""),
            ),
        )
        indexes = (
            models.Index(
                fields=["channel", "due_at", "id"],
                name="notice_due",
                condition=Q(state="waiting"),
            ),
            models.Index(
                fields=["priority", "channel", "due_at", "id"],
                name="notice_most_urgent",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["channel"], name="notice_failed", condition=Q(state="failed")),
            models.Index(fields=["case", "id"], name="notice_by_case"),
            models.Index(fields=["receipt"], name="notice_by_receipt"),
            models.Index(
                fields=["asked", "sent_at"],
                name="notice_to_ask",
                condition=Q(channel="1177", state__in=["sent", "read"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.case} {self.get_kind_display()}"


class GatewayCallback(models.Model):
    """What the gateway called back with, kept once per delivery id so that replays do nothing."""

    delivery_id = models.CharField(max_length=80, unique=True)
    received_at = models.DateTimeField(_("mottaget"))
    payload = EncryptedJSONField()
    outcome = models.CharField(_("utfall"), max_length=200)
    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, null=True, related_name="callbacks"
    )

    class Meta:
        ordering = ("pk",)
        verbose_name = _("återkoppling från 1177")
        verbose_name_plural = _("återkopplingar från 1177")
        constraints = (
            models.CheckConstraint(
                name="callback_payload_encrypted", condition=Q(payload__sealed=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.outcome}"


class StaffMail(models.Model):
    """An e-mail to staff about something other than a case, sent exactly once. No patient in it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Väntar")
        SENT = "sent", _("Skickat")
        FAILED = "failed", _("Kunde inte skickas")

    to = models.EmailField(_("till"))
    subject = models.CharField(_("ämne"), max_length=200)
    body = models.TextField(_("text"))
    idempotency_key = models.CharField(max_length=160, unique=True)
    state = models.CharField(_("status"), max_length=7, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(_("ska skickas"))
    sent_at = models.DateTimeField(_("skickat"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("försök"), default=0)
    last_error = models.CharField(_("senaste fel"), max_length=300, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("e-post till personal")
        verbose_name_plural = _("e-post till personal")
        constraints = (
            models.CheckConstraint(
                name="staff_mail_sent_has_time",
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], name="staff_mail_due", condition=Q(state="waiting")),
        )

    def __str__(self) -> str:
        return self.subject
