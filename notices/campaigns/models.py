"""Campaigns: one notice to each of many patients, approved by a second person, and the answers."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.models import Region, User
from patients.models import Patient
from referral.models import AnswerChannel, Case

MOST_PER_HOUR = 50_000
MOST_ANSWER_DAYS = 120


class Answer(models.TextChoices):
    """What a patient can answer to a campaign; the codes go over the wire to 1177."""

    ELSEWHERE = "elsewhere", _("Jag vill ha ett erbjudande om vård hos en annan vårdgivare")
    STILL_NEEDED = "still_needed", _("Jag vill vänta kvar på vården hemma")
    CALL = "call", _("Jag vill bli uppringd")
    NOT_NEEDED = "not_needed", _("Jag behöver inte längre vården")


def choices() -> tuple[tuple[str, str], ...]:
    """What a campaign's message in 1177 can be answered with, in the words of the moment."""
    return tuple((answer.value, str(answer.label)) for answer in Answer)


class Campaign(models.Model):
    """Kampanj: who is told what, at which pace, and how far it has come.

    What was approved is what is sent: the database refuses a change of it that leaves the approval
    standing, and an approver who prepared or last changed it (migration 0006_campaigns_hold).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Utkast")
        APPROVED = "approved", _("Godkänd")
        RUNNING = "running", _("Pågår")
        PAUSED = "paused", _("Pausad")
        STOPPED = "stopped", _("Stoppad")
        DONE = "done", _("Klar")
        DISCARDED = "discarded", _("Kasserad")

    # Its recipients are fixed.
    STARTED = (State.RUNNING, State.PAUSED, State.STOPPED, State.DONE)

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="campaigns")
    state = models.CharField(_("status"), max_length=9, choices=State, default=State.DRAFT)
    name = models.CharField(_("namn"), max_length=120)
    # The filter's own values (notices.campaigns.filters), checked when written and when used.
    criteria = models.JSONField(_("urval"), default=dict, encoder=DjangoJSONEncoder)
    # The easy-to-read text, in the languages that have one.
    easy = models.BooleanField(_("lättläst"), default=False)
    message = models.CharField(_("egen rad"), max_length=500, blank=True, default="")
    answer_days = models.PositiveSmallIntegerField(_("dagar att svara"), default=21)
    # So that the phones cope; empty: as fast as it goes.
    per_hour = models.PositiveIntegerField(_("meddelanden i timmen"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    prepared_at = models.DateTimeField(_("förberedd"))
    prepared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(_("godkänd"), null=True, blank=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # As the approver found them: patients, those of them who are reached by letter only, the
    # versions of the text in all languages, prices.
    patients = models.PositiveIntegerField(_("patienter"), null=True, blank=True)
    by_letter = models.PositiveIntegerField(null=True, blank=True)
    text_versions = ArrayField(models.BigIntegerField(), default=list)
    letter_sek = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    digital_sek = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)

    started_at = models.DateTimeField(_("startad"), null=True, blank=True)
    ended_at = models.DateTimeField(_("klar"), null=True, blank=True)
    # When the sweep writes the next notices.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("kampanj")
        verbose_name_plural = _("kampanjer")
        constraints = (
            models.CheckConstraint(
                name="campaign_approved_by_another",
                condition=Q(approved_by__isnull=True)
                | ~Q(approved_by=F("prepared_by")) & ~Q(approved_by=F("changed_by")),
            ),
            models.CheckConstraint(
                name="campaign_approval_is_whole",
                condition=Q(
                    approved_at__isnull=True,
                    approved_by__isnull=True,
                    patients__isnull=True,
                    by_letter__isnull=True,
                    letter_sek__isnull=True,
                    digital_sek__isnull=True,
                )
                | Q(
                    approved_at__isnull=False,
                    approved_by__isnull=False,
                    patients__isnull=False,
                    by_letter__isnull=False,
                    letter_sek__isnull=False,
                    digital_sek__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="campaign_sent_only_approved",
                condition=Q(state__in=["draft", "discarded"], approved_at__isnull=True)
                | Q(state__in=["approved", "running", "paused", "stopped", "done"])
                & Q(approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_started_has_time",
                condition=Q(state__in=["draft", "approved", "discarded"], started_at__isnull=True)
                | Q(state__in=["running", "paused", "stopped", "done"])
                & Q(started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_running_is_due",
                condition=Q(state="running", due_at__isnull=False)
                | ~Q(state="running") & Q(due_at__isnull=True),
            ),
            models.CheckConstraint(
                name="campaign_pace_within_reason",
                condition=Q(per_hour__isnull=True) | Q(per_hour__range=(1, MOST_PER_HOUR)),
            ),
            models.CheckConstraint(
                name="campaign_days_to_answer_within_reason",
                condition=Q(answer_days__range=(1, MOST_ANSWER_DAYS)),
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], name="campaign_due", condition=Q(state="running")),
            models.Index(fields=["region", "-id"], name="campaign_by_region"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_started(self) -> bool:
        return self.state in self.STARTED


class CampaignRecipient(models.Model):
    """One patient of a campaign: told at most once, by the notice that names this row.

    The row is made once per campaign and patient, and a campaign's notice bears one row, so that
    no restart can tell anybody twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Väntar")
        TOLD = "told", _("Meddelande skrivet")
        SKIPPED = "skipped", _("Behövdes inte")
        STOPPED = "stopped", _("Uppgift saknas")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="recipients")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    # The case that the notice is about: of several, the one that has waited longest.
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="campaigns")
    state = models.CharField(_("status"), max_length=7, choices=State, default=State.WAITING)
    why = models.CharField(_("varför"), max_length=200, blank=True, default="")
    told_at = models.DateTimeField(_("skrivet"), null=True, blank=True)
    answer = models.CharField(_("svar"), max_length=12, choices=Answer, blank=True, default="")
    answer_channel = models.CharField(
        _("svar genom"), max_length=6, choices=AnswerChannel, blank=True, default=""
    )
    answered_at = models.DateTimeField(_("svarade"), null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("mottagare")
        verbose_name_plural = _("mottagare")
        constraints = (
            models.UniqueConstraint(
                fields=["campaign", "patient"], name="campaign_one_row_per_patient"
            ),
            models.CheckConstraint(
                name="campaign_told_has_time",
                condition=Q(state="told", told_at__isnull=False)
                | ~Q(state="told") & Q(told_at__isnull=True),
            ),
            models.CheckConstraint(
                name="campaign_not_told_says_why",
                condition=~Q(state__in=["skipped", "stopped"]) | ~Q(why=""),
            ),
            models.CheckConstraint(
                name="campaign_answer_is_whole",
                condition=Q(answer="", answer_channel="", answered_at__isnull=True)
                | ~Q(answer="") & ~Q(answer_channel="") & Q(answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_answered_was_told", condition=Q(answer="") | Q(state="told")
            ),
        )
        indexes = (
            models.Index(
                fields=["campaign", "id"],
                name="campaign_recipient_waits",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["case"], name="campaign_recipient_case"),
            models.Index(
                fields=["patient", "told_at"],
                name="campaign_recipient_told",
                condition=Q(told_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.case_id}"


class CampaignLog(models.Model):
    """Who did what to a campaign; append-only. No patient in it."""

    class Verb(models.TextChoices):
        PREPARE = "prepare", _("Förberedd")
        CHANGE = "change", _("Ändrad")
        APPROVE = "approve", _("Godkänd")
        START = "start", _("Startad")
        PAUSE = "pause", _("Pausad")
        RESUME = "resume", _("Återupptagen")
        STOP = "stop", _("Stoppad")
        DONE = "done", _("Klar")
        DISCARD = "discard", _("Kasserad")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="log")
    at = models.DateTimeField(_("tidpunkt"))
    verb = models.CharField(_("vad"), max_length=8, choices=Verb)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("händelse i kampanj")
        verbose_name_plural = _("kampanjlogg")
        indexes = (models.Index(fields=["campaign", "id"], name="campaign_log_by_campaign"),)

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.verb}"
