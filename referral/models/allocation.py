"""Allocation of a waiting list: a run, what it gave each case, and drafts of offers from it."""

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models import ContractLine
from organisations.models import CareUnit, Region, User
from referral.models.cases import Case


class AllocationRun(models.Model):
    """Fördelning av en väntelista: what was asked, when it is due, and what it came to.

    A small list is allocated at once, a large one by the sweep (design 5.3). The figures and the
    lines' use name no patient; what concerns a case stands in ``AllocationRow``.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Väntar på beräkning")
        DONE = "done", _("Klar")
        FAILED = "failed", _("Misslyckades")

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("status"), max_length=6, choices=State, default=State.QUEUED)
    clinics = models.ManyToManyField(CareUnit, related_name="+")
    # Empty: every procedure.
    kva_codes = ArrayField(models.CharField(max_length=5), default=list)
    case_states = ArrayField(models.CharField(max_length=12))
    max_km = models.PositiveIntegerField(_("högsta avstånd, km"), null=True, blank=True)
    cases = models.PositiveIntegerField(_("ärenden"))
    made_at = models.DateTimeField(_("begärd"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_by_name = models.CharField(_("av"), max_length=120)
    due_at = models.DateTimeField(_("beräknas"))
    done_at = models.DateTimeField(_("klar"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("godkänd"), null=True, blank=True)
    accepted_by_name = models.CharField(_("godkänd av"), max_length=120, blank=True)
    # {"home": {…}, "first": {…}, "best": {…}}: capacity.allocation.Figures of each.
    figures = models.JSONField(encoder=DjangoJSONEncoder, default=dict)
    # [{"name", "places", "best", "first"}]: how much of each limit is used.
    limits = models.JSONField(encoder=DjangoJSONEncoder, default=list)
    is_best = models.BooleanField(default=False)
    is_cheapest = models.BooleanField(default=False)
    # The least total wait that could at all be reached, in days.
    bound_days = models.PositiveIntegerField(null=True, blank=True)
    # What an unknown wait at home was counted as, in days.
    unknown_home_days = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("fördelning")
        verbose_name_plural = _("fördelningar")
        constraints = (
            models.CheckConstraint(
                name="allocation_done_has_time",
                condition=Q(state="queued", done_at__isnull=True)
                | Q(state__in=["done", "failed"], done_at__isnull=False),
            ),
            models.CheckConstraint(
                name="allocation_accepted_is_done",
                condition=Q(accepted_at__isnull=True) | Q(state="done"),
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], name="allocation_due", condition=Q(state="queued")),
            models.Index(fields=["region", "-id"], name="allocation_by_region"),
        )

    def __str__(self) -> str:
        return f"{_('Fördelning')} {self.pk}"


class AllocationRow(models.Model):
    """What a run gave one case: a line, or why none."""

    class Outcome(models.TextChoices):
        PLACED = "placed", _("Föreslagen plats")
        FULL = "full", _("Platserna räcker inte")
        NO_SHORTER = "no_shorter", _("Väntan är inte kortare hos någon än hemma")
        NO_LINE = "no_line", _("Inget avtal med plats kan ta emot")
        TOO_FAR = "too_far", _("Alla ligger längre bort än gränsen")
        UNKNOWN_WAIT = "unknown_wait", _("Väntetiden är okänd hos dem som kan ta emot")
        NO_CONSENT = "no_consent", _("Patienten samtycker inte")
        NOT_TRANSFERABLE = "not_transfer", _("Kan inte förmedlas enligt kliniken")
        MOVED_ON = "moved_on", _("Läget i ärendet har ändrats")

    run = models.ForeignKey(AllocationRun, on_delete=models.CASCADE, related_name="rows")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    # The queue's order: by the day of decision, then by number.
    position = models.PositiveIntegerField(_("plats i kön"))
    outcome = models.CharField(_("utfall"), max_length=12, choices=Outcome, blank=True)
    line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_line = models.ForeignKey(
        ContractLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    home_days = models.PositiveIntegerField(_("väntan hemma, dagar"), null=True, blank=True)
    home_is_known = models.BooleanField(default=True)
    wait_days = models.PositiveIntegerField(_("väntan hos vårdgivaren, dagar"), null=True)
    distance_km = models.PositiveIntegerField(_("avstånd, km"), null=True)

    class Meta:
        ordering = ("run", "position")
        verbose_name = _("fördelat ärende")
        verbose_name_plural = _("fördelade ärenden")
        constraints = (
            models.UniqueConstraint(fields=["run", "case"], name="allocation_case_once"),
            models.CheckConstraint(
                name="allocation_placed_has_line",
                condition=Q(outcome="placed", line__isnull=False, wait_days__isnull=False)
                | ~Q(outcome="placed") & Q(line__isnull=True),
            ),
            models.CheckConstraint(
                name="allocation_shorter_than_home",
                condition=Q(wait_days__isnull=True) | Q(wait_days__lt=models.F("home_days")),
            ),
        )
        indexes = (
            models.Index(fields=["run", "outcome", "position"], name="allocation_row_in_order"),
        )

    def __str__(self) -> str:
        return f"{self.run} {self.case}"


class OfferDraft(models.Model):
    """Utkast till erbjudande: proposed, not sent. Reserves nothing.

    A case has one at the most, and only while it is under handling: the database takes it away
    when the case moves on (migration 0006). Whether the line still can is found out when it is
    sent, by the ordinary checks.
    """

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="offer_draft")
    line = models.ForeignKey(ContractLine, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(
        AllocationRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="drafts"
    )
    wait_days = models.PositiveIntegerField(_("väntan hos vårdgivaren, dagar"))
    home_days = models.PositiveIntegerField(_("väntan hemma, dagar"))
    distance_km = models.PositiveIntegerField(_("avstånd, km"))
    made_at = models.DateTimeField(_("gjort"))
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_by_name = models.CharField(_("av"), max_length=120)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("utkast till erbjudande")
        verbose_name_plural = _("utkast till erbjudanden")

    def __str__(self) -> str:
        return f"{_('Utkast')} {self.case}"
