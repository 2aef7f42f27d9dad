"""The case, its number and the pauses of its guarantee clock."""

from datetime import date, timedelta
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from contracts.codes import KVA_PATTERN, validate_kva
from organisations.access import PATIENT, SYSTEM, Actor
from organisations.models import CareUnit, Region, Role, User
from patients.models import Patient
from referral.codes import ICD10_PATTERN, validate_icd10
from referral.guarantee import GuaranteeClock
from referral.numbers import NUMBER_PATTERN
from referral.pathways import FirstTreatment


class CaseState(models.TextChoices):
    RECEIVED = "received", _("Inkommet")
    RETURNED = "returned", _("Åter till kliniken")
    IN_PROGRESS = "in_progress", _("Under handläggning")
    WATCHED = "watched", _("Bevakas")
    OFFERED = "offered", _("Väntar på svar")
    ACCEPTED = "accepted", _("Väntar på remissbekräftelse")
    CONFIRMED = "confirmed", _("Remiss bekräftad")
    BOOKED = "booked", _("Tid bokad")
    TREATED = "treated", _("Behandlad")
    CLOSED = "closed", _("Avslutat")


# How a state is marked in lists: what waits for somebody, what is done.
STATE_TONES = {
    CaseState.RETURNED: "warning",
    CaseState.RECEIVED: "accent",
    CaseState.IN_PROGRESS: "accent",
    CaseState.WATCHED: "outline",
    CaseState.OFFERED: "outline",
    CaseState.ACCEPTED: "outline",
    CaseState.CONFIRMED: "success",
    CaseState.BOOKED: "success",
    CaseState.TREATED: "success",
    CaseState.CLOSED: "plain",
}


class Phase(models.TextChoices):
    """Vårdgarantins delar i specialiserad vård (HSL 9 kap. 1 §)."""

    FIRST_VISIT = "first_visit", _("Första besök")
    TREATMENT = "treatment", _("Behandling")


class ReferralCause(models.TextChoices):
    """Why the patient gets care from another provider. Only the first is nationell vårdförmedling
    (Socialstyrelsen 2025: the national sources do not tell the causes apart)."""

    WAITING_TIME = "waiting_time", _("Väntetiden")
    FREE_CHOICE = "free_choice", _("Fritt vårdval")
    HIGHLY_SPECIALISED = "highly_specialised", _("Högspecialiserad vård")
    OTHER = "other", _("Annat skäl")


class CloseReason(models.TextChoices):
    TREATED = "treated", _("Behandlad och återremitterad")
    HOME_CLINIC = "home_clinic", _("Får vård på hemkliniken")
    WAITS_BY_CHOICE = "waits_by_choice", _("Patienten väljer att vänta")
    ALREADY_TREATED = "already_treated", _("Redan behandlad")
    NOT_TRANSFERABLE = "not_transferable", _("Kan inte förmedlas av medicinska skäl")
    NO_LONGER_NEEDED = "no_longer_needed", _("Behöver inte längre vården")
    DECEASED = "deceased", _("Avliden")
    OTHER = "other", _("Annat skäl")


class WatchKind(models.TextChoices):
    """What a case on the watch list waits for."""

    ASA = "asa", _("Vårdgivare som tar emot patientens ASA-klass")
    NO_CONTRACT = "no_contract", _("Ovanlig åtgärd, avtal saknas")
    SPECIAL_NEED = "special_need", _("Språk, utrustning eller annat särskilt behov")
    DISTANCE = "distance", _("Vårdgivare på rimligt avstånd")
    WAIT = "wait", _("Kortare väntetid")
    OTHER = "other", _("Annat")


# Kronoberg: whoever nobody can take now is seen again within a month.
MOST_DAYS_UNSEEN = 30


class BlockReach(models.TextChoices):
    """Whom a patient's block keeps out (patientdatalagen 4 kap. 4 §; lagen 2022:913 2 kap. 3 §)."""

    UNITS = "units", _("Andra enheter i regionen och andra vårdgivare")
    PROVIDERS = "providers", _("Andra vårdgivare")


class CaseNumberCounter(models.Model):
    """The last running number given in a region and year."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("nummerserie")
        verbose_name_plural = _("nummerserier")
        constraints = (
            models.UniqueConstraint(fields=["region", "year"], name="one_counter_per_region_year"),
        )

    def __str__(self) -> str:
        return f"{self.region_id}-{self.year % 100:02d}: {self.last}"


def _kept_from(actor: Actor) -> Q:
    """What is blocked for the actor's role and not opened. ``case_is_opened`` is the policies'
    own function; asked for blocked cases only, it leaves a page its index."""
    reaches = {
        Role.NAVIGATOR: [BlockReach.UNITS],
        Role.PROVIDER: [BlockReach.UNITS, BlockReach.PROVIDERS],
        Role.INTEGRATION: [] if actor.care_unit_id else [BlockReach.UNITS],
    }.get(Role(actor.role) if actor.role in Role.values else Role.OPERATOR, [])
    if not reaches:
        return Q(pk__in=[])
    opened = Func(
        F("pk"),
        Value(actor.role),
        Value(actor.care_unit_id, models.BigIntegerField()),
        Value(actor.provider_id, models.BigIntegerField()),
        Value(actor.user_id, models.BigIntegerField()),
        function="case_is_opened",
        output_field=models.BooleanField(),
    )
    return Q(blocked__in=reaches) & Q(Exact(opened, Value(False)))


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, actor: Actor) -> Self:
        """The cases the actor may see (design 5.6). Contract owners, managers: none.

        A case that the patient has blocked is seen by its own clinic, and by others only with
        the patient's consent or in an emergency (docs/decisions/0007-blocked-information.md).
        """
        return self.within_reach_of(actor).exclude(_kept_from(actor))

    def kept_from(self, actor: Actor) -> Self:
        """The cases that would be the actor's, had the patient not blocked them."""
        return self.within_reach_of(actor).filter(_kept_from(actor))

    def within_reach_of(self, actor: Actor) -> Self:
        """The cases of the actor's place, blocked ones too."""
        if actor.role == SYSTEM:
            return self
        if actor.role == PATIENT and actor.case_id:
            return self.filter(pk=actor.case_id)
        if actor.role == Role.NAVIGATOR and actor.region:
            return self.filter(region_id=actor.region)
        if actor.role == Role.CLINIC and actor.care_unit_id:
            return self.filter(sending_unit_id=actor.care_unit_id)
        if actor.role == Role.PROVIDER and actor.provider_id:
            cases = self.filter(receiving_unit__provider_id=actor.provider_id)
            return (
                cases.filter(receiving_unit_id=actor.care_unit_id) if actor.care_unit_id else cases
            )
        if actor.role == Role.INTEGRATION and actor.region:
            cases = self.filter(region_id=actor.region)
            return cases.filter(sending_unit_id=actor.care_unit_id) if actor.care_unit_id else cases
        return self.none()

    def open(self) -> Self:
        return self.exclude(state=CaseState.CLOSED)


class Case(models.Model):
    """Ärende: one patient's need that one clinic cannot meet in time."""

    number = models.CharField(_("ärendenummer"), max_length=14, unique=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cases")
    sending_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="sent_cases")
    # Set from acceptance on, cleared when the provider says no: who else sees the case.
    receiving_unit = models.ForeignKey(
        CareUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="received_cases"
    )
    navigator = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    state = models.CharField(_("status"), max_length=12, choices=CaseState)
    kva = models.CharField(_("åtgärd (KVÅ)"), max_length=5, validators=[validate_kva])
    procedure_name = models.CharField(_("åtgärd"), max_length=160)
    icd10 = models.CharField(_("diagnos (ICD-10-SE)"), max_length=8, validators=[validate_icd10])
    phase = models.CharField(_("vårdgarantins del"), max_length=12, choices=Phase)
    asa = models.PositiveSmallIntegerField(_("ASA-klass"))
    svf = models.BooleanField(_("standardiserat vårdförlopp"), default=False)
    # The cancer pathway, the day of well-founded suspicion and the expected first treatment.
    svf_pathway = models.CharField(
        _("vårdförlopp"), max_length=40, blank=True, default="", db_default=""
    )
    suspicion_date = models.DateField(_("välgrundad misstanke"), null=True, blank=True)
    svf_treatment = models.CharField(
        _("första behandling i vårdförloppet"),
        max_length=16,
        choices=FirstTreatment,
        blank=True,
        default="",
        db_default="",
    )
    referral_cause = models.CharField(
        _("skäl till vård hos annan vårdgivare"),
        max_length=18,
        choices=ReferralCause,
        default=ReferralCause.WAITING_TIME,
        db_default=ReferralCause.WAITING_TIME.value,
    )
    referral_date = models.DateField(_("remissdatum"))
    decision_date = models.DateField(_("beslutsdatum"))
    medical_target_date = models.DateField(_("medicinskt måldatum"), null=True, blank=True)
    home_wait_days = models.PositiveIntegerField(
        _("förväntad väntan på hemkliniken, dagar"), null=True, blank=True
    )
    received_at = models.DateTimeField(_("mottaget"))
    confirmed_at = models.DateTimeField(_("remiss bekräftad"), null=True, blank=True)
    closed_at = models.DateTimeField(_("avslutat"), null=True, blank=True)
    close_reason = models.CharField(
        _("skäl till avslut"), max_length=20, choices=CloseReason, blank=True
    )

    # The guarantee clock (referral.guarantee); kept by the services in the same transaction.
    guarantee_start = models.DateField(_("vårdgarantin räknas från"))
    guarantee_days = models.PositiveSmallIntegerField(_("vårdgaranti, dagar"))
    last_day = models.DateField(_("sista dag"))
    paused_from = models.DateField(_("paus sedan"), null=True, blank=True)
    clock_stopped_on = models.DateField(_("klockan stannad"), null=True, blank=True)

    # The reach of the patient's block on the sending unit; a trigger keeps it.
    blocked = models.CharField(
        _("spärrad mot"), max_length=9, choices=BlockReach, blank=True, default=""
    )
    # Out of the lists once it has rested (referral.retention); found by its number.
    archived_at = models.DateTimeField(_("arkiverat"), null=True, blank=True)

    watch_kind = models.CharField(
        _("slag av väntan"),
        max_length=12,
        choices=WatchKind,
        blank=True,
        default="",
        db_default="",
    )
    watch_reason = models.CharField(_("väntar på"), max_length=200, blank=True)
    # When the navigator last saw the watched case over; counts from there.
    reviewed_on = models.DateField(_("senast sett över"), null=True, blank=True)
    review_on = models.DateField(_("ses över senast"), null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("last_day", "pk")
        verbose_name = _("ärende")
        verbose_name_plural = _("ärenden")
        constraints = (
            models.CheckConstraint(
                name="case_number_shape_and_check_digit",
                condition=Q(number__regex=NUMBER_PATTERN)
                & Q(Func(F("number"), function="damm_holds", output_field=models.BooleanField())),
            ),
            models.CheckConstraint(
                name="case_number_begins_with_region", condition=Q(number__startswith=F("region"))
            ),
            models.CheckConstraint(
                name="case_state_known", condition=Q(state__in=CaseState.values)
            ),
            models.CheckConstraint(
                name="case_pathway_whole",
                condition=Q(svf=True, suspicion_date__isnull=False) & ~Q(svf_pathway="")
                | Q(svf_pathway="", svf_treatment="", suspicion_date__isnull=True),
            ),
            models.CheckConstraint(
                name="case_suspicion_not_after_decision",
                condition=Q(suspicion_date__isnull=True)
                | Q(suspicion_date__lte=F("decision_date")),
            ),
            models.CheckConstraint(
                name="case_referral_cause_known",
                condition=Q(referral_cause__in=ReferralCause.values),
            ),
            models.CheckConstraint(name="case_kva_shape", condition=Q(kva__regex=KVA_PATTERN)),
            models.CheckConstraint(
                name="case_icd10_shape", condition=Q(icd10__regex=ICD10_PATTERN)
            ),
            # ASA 5 (moribund) and 6 (brain-dead) are not transferable.
            models.CheckConstraint(name="case_asa_1_to_4", condition=Q(asa__range=(1, 4))),
            models.CheckConstraint(
                name="case_decision_not_before_referral",
                condition=Q(decision_date__gte=F("referral_date")),
            ),
            models.CheckConstraint(
                name="case_closed_has_time_and_reason",
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(close_reason="")
                | ~Q(state="closed") & Q(closed_at__isnull=True, close_reason=""),
            ),
            models.CheckConstraint(
                name="case_watched_is_reviewed",
                condition=~Q(state="watched") | (Q(review_on__isnull=False) & ~Q(watch_reason="")),
            ),
            models.CheckConstraint(
                name="case_watched_is_reviewed_within_30_days",
                condition=~Q(state="watched")
                | (
                    Q(reviewed_on__isnull=False, review_on__gt=F("reviewed_on"))
                    & Q(review_on__lte=F("reviewed_on") + timedelta(days=MOST_DAYS_UNSEEN))
                    & ~Q(watch_kind="")
                ),
            ),
            models.CheckConstraint(
                name="case_with_provider_has_receiving_unit",
                condition=~Q(state__in=["accepted", "confirmed", "booked", "treated"])
                | Q(receiving_unit__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["patient", "kva"],
                condition=~Q(state="closed"),
                name="case_one_running_per_patient_and_procedure",
            ),
        )
        indexes = (
            models.Index(
                fields=["region", "last_day", "id"],
                name="case_worklist",
                condition=~Q(state="closed"),
                # So that the views are counted from the index alone, row-level security included.
                include=[
                    *("state", "navigator", "sending_unit", "receiving_unit"),
                    *("paused_from", "clock_stopped_on", "review_on", "blocked"),
                ],
            ),
            models.Index(fields=["region", "state", "last_day", "id"], name="case_by_state"),
            models.Index(
                fields=["navigator", "last_day", "id"],
                name="case_by_navigator",
                condition=~Q(state="closed"),
            ),
            models.Index(fields=["sending_unit", "last_day", "id"], name="case_by_clinic"),
            models.Index(fields=["receiving_unit", "state", "id"], name="case_by_receiver"),
            models.Index(fields=["region", "received_at", "id"], name="case_by_receipt"),
            # Who waited at the end of a month: not closed then, and in by then.
            models.Index(fields=["region", "closed_at", "received_at"], name="case_by_closing"),
            models.Index(
                fields=["region", "last_day", "id"], name="case_blocked", condition=~Q(blocked="")
            ),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state != CaseState.CLOSED

    @property
    def state_label(self) -> str:
        """As ``get_state_display``, which builds all choices anew for each row of a list."""
        return str(CaseState(self.state).label)

    @property
    def state_tone(self) -> str:
        return STATE_TONES[CaseState(self.state)]

    def clock(self, today: date) -> GuaranteeClock:
        """The guarantee clock as it stands ``today`` (Europe/Stockholm)."""
        return GuaranteeClock(
            start=self.guarantee_start,
            days=self.guarantee_days,
            last_day=self.last_day,
            paused_from=self.paused_from,
            stopped_on=self.clock_stopped_on,
            today=today,
        )

    def finished_pauses(self) -> list[tuple[date, date]]:
        """First and last day of each pause that is over, in order."""
        return [(p.first_day, p.last_day) for p in self.pauses.all() if p.last_day]


class Pause(models.Model):
    """A stop of the guarantee clock, with first day and, once it is over, last day."""

    class Reason(models.TextChoices):
        PATIENT = "patient", _("Patientvald väntan")
        MEDICAL = "medical", _("Medicinskt orsakad väntan")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pauses")
    reason = models.CharField(_("orsak"), max_length=8, choices=Reason)
    first_day = models.DateField(_("från och med"))
    last_day = models.DateField(_("till och med"), null=True, blank=True)
    comment = models.CharField(_("kommentar"), max_length=300, blank=True)

    class Meta:
        ordering = ("first_day",)
        verbose_name = _("paus")
        verbose_name_plural = _("pauser")
        constraints = (
            models.CheckConstraint(
                name="pause_ends_after_start",
                condition=Q(last_day__isnull=True) | Q(last_day__gte=F("first_day")),
            ),
            ExclusionConstraint(
                name="pauses_of_a_case_do_not_overlap",
                expressions=[
                    ("case", RangeOperators.EQUAL),
                    (
                        Func(
                            F("first_day"),
                            F("last_day"),
                            RangeBoundary(inclusive_lower=True, inclusive_upper=True),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.first_day}–{self.last_day or ''}"
