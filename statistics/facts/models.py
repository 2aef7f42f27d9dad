"""Facts: what the figures are counted from, one narrow row per case and one per offer.

A fact is always made anew from its sources (statistics.facts.build) and never changed by hand. It
holds no name, no identity number and no free text; the case number names nobody (design 5.1).
References have no constraint of their own: the sources hold them.
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models import Contract
from organisations.models import CareUnit, Funding, Municipality, Provider, Region
from patients.models import Patient
from referral.models import Case, CaseState, CloseReason, DeclineReason, Offer, Phase


class AgeGroup(models.TextChoices):
    """Whole years on the day the form came in (Europe/Stockholm)."""

    CHILD = "0-17", _("0–17 år")
    YOUNG = "18-39", _("18–39 år")
    MIDDLE = "40-64", _("40–64 år")
    OLD = "65-79", _("65–79 år")
    OLDEST = "80-", _("80 år och äldre")
    UNKNOWN = "", _("Uppgift saknas")


class ContractKind(models.TextChoices):
    """Whose contract the care is given under, seen from the patient's home region."""

    OWN = "own", _("Regionens eget avtal")
    OTHERS = "others", _("Annan regions avtal")
    FREE_CHOICE = "free_choice", _("Vårdval")
    NONE = "", _("Inget avtal")


class Furthest(models.TextChoices):
    """The last stage that a case has reached, though it may have gone back since."""

    FORM = "form", _("Blankett inkommen")
    TAKEN = "taken", _("Tagen av vårdlots")
    OFFERED = "offered", _("Fått erbjudande")
    ACCEPTED = "accepted", _("Tackat ja")
    CONFIRMED = "confirmed", _("Remiss bekräftad")
    BOOKED = "booked", _("Tid bokad")
    TREATED = "treated", _("Behandlad")


def _to(model: type[models.Model], **options: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        model,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        **options,
    )


class CaseFact(models.Model):
    """One case. Times are the sources' own; days are calendar days in Europe/Stockholm.

    The receiving side and everything about it is that of the offer the patient has said yes to and
    the provider has not rejected; empty until there is one.
    """

    case = models.OneToOneField(
        Case, on_delete=models.CASCADE, primary_key=True, related_name="fact"
    )
    number = models.CharField(max_length=14)
    state = models.CharField(max_length=12, choices=CaseState)
    furthest = models.CharField(max_length=9, choices=Furthest)
    region = _to(Region)
    clinic = _to(CareUnit)
    kva = models.CharField(max_length=5)
    # Of the procedure; where the list does not have it, of the clinic.
    mvo = models.CharField(max_length=3, blank=True)
    municipality = _to(Municipality, null=True)
    age = models.SmallIntegerField(null=True)
    age_group = models.CharField(max_length=5, choices=AgeGroup, blank=True)
    sex = models.CharField(max_length=1, choices=Patient.Sex, blank=True)
    svf = models.BooleanField()
    phase = models.CharField(max_length=12, choices=Phase)
    asa = models.SmallIntegerField()
    funding = models.CharField(max_length=7, choices=Funding, blank=True, default="")

    care_unit = _to(CareUnit, null=True)
    provider = _to(Provider, null=True)
    # Where the receiving unit lies.
    provider_region = _to(Region, null=True)
    contract = _to(Contract, null=True)
    contract_owner = _to(Region, null=True)
    contract_kind = models.CharField(max_length=11, choices=ContractKind, blank=True)
    # As the crow flies from the home municipality, else the region's seat (capacity.distance).
    distance_km = models.IntegerField(null=True)

    referred_on = models.DateField()
    decided_on = models.DateField()
    received_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    first_offer_at = models.DateTimeField(null=True)
    # The latest answer of the patient's.
    answered_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    # When the provider first booked a time, and the time itself.
    booked_at = models.DateTimeField(null=True)
    booked_for = models.DateTimeField(null=True)
    treated_on = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=20, choices=CloseReason, blank=True)

    offers = models.SmallIntegerField()
    accepted = models.SmallIntegerField()
    declined = models.SmallIntegerField()
    expired = models.SmallIntegerField()
    withdrawn = models.SmallIntegerField()
    rejected = models.SmallIntegerField()
    declined_travel = models.SmallIntegerField()
    declined_wants_home_clinic = models.SmallIntegerField()
    declined_waits_by_choice = models.SmallIntegerField()
    declined_already_treated = models.SmallIntegerField()
    declined_other = models.SmallIntegerField()

    # Expected at home: of the accepted offer, else of the form.
    home_wait_days = models.IntegerField(null=True)
    days_gained = models.IntegerField(null=True)
    guarantee_start = models.DateField()
    guarantee_days = models.SmallIntegerField()
    last_day = models.DateField()
    stopped_on = models.DateField(null=True)
    paused_from = models.DateField(null=True)
    # Whether the clock stood past the last day when it stopped; unknown while it runs.
    breached = models.BooleanField(null=True)
    # Treated in time, where the wait at home would have passed the last day.
    breach_avoided = models.BooleanField(default=False)
    # Days of pauses that are over, and of one that ran when the clock stopped.
    pause_patient_days = models.IntegerField()
    pause_medical_days = models.IntegerField()
    amount_sek = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    # The amount is the approved invoice's, not the agreed price.
    settled = models.BooleanField(default=False)

    class Meta:
        ordering = ("case",)
        verbose_name = _("ärendets uppgifter för statistik")
        verbose_name_plural = _("ärendenas uppgifter för statistik")
        indexes = (
            # With all that the funnel of a year asks for.
            models.Index(
                fields=["region", "received_at"],
                name="casefact_received",
                include=["case", "clinic", "furthest", "state", "close_reason"],
            ),
            models.Index(fields=["region", "taken_at"], name="casefact_taken"),
            models.Index(fields=["region", "first_offer_at"], name="casefact_offered"),
            models.Index(fields=["region", "booked_at"], name="casefact_booked"),
            # Who had come in and was not closed at a month's end, and why others were.
            models.Index(
                fields=["region", "closed_at", "received_at"],
                name="casefact_closed",
                include=["case", "clinic", "close_reason"],
            ),
            models.Index(fields=["region", "stopped_on"], name="casefact_stopped"),
            # With all that the flows of a year ask for.
            models.Index(
                fields=["region", "treated_on"],
                name="casefact_treated",
                include=["case", "clinic", "kva", "care_unit"],
            ),
            # With all that is asked of those who wait: by the care guarantee, and where a contract
            # is missing.
            models.Index(
                fields=["region", "received_at"],
                name="casefact_open",
                condition=Q(closed_at__isnull=True),
                include=[
                    *("case", "clinic", "state", "kva", "asa", "phase"),
                    *("guarantee_start", "guarantee_days", "stopped_on"),
                    *("paused_from", "pause_patient_days", "pause_medical_days"),
                ],
            ),
        )

    def __str__(self) -> str:
        return self.number


class OfferFact(models.Model):
    """One offer: what it was, how it ended, and what came of the referral.

    Answers, confirmations and treatments belong to months of their own and may be several in one
    case; hence a row of its own.
    """

    offer = models.OneToOneField(
        Offer, on_delete=models.CASCADE, primary_key=True, related_name="fact"
    )
    case = models.ForeignKey(CaseFact, on_delete=models.CASCADE, related_name="offer_facts")
    region = _to(Region)
    serial = models.SmallIntegerField()
    state = models.CharField(max_length=9, choices=Offer.State)
    care_unit = _to(CareUnit)
    provider = _to(Provider)
    provider_region = _to(Region)
    contract = _to(Contract)
    contract_owner = _to(Region)
    contract_kind = models.CharField(max_length=11, choices=ContractKind)
    distance_km = models.IntegerField()
    sent_at = models.DateTimeField()
    # The patient's own answer.
    answered_at = models.DateTimeField(null=True)
    decline_reason = models.CharField(max_length=20, choices=DeclineReason, blank=True)
    # Without answer: when it expired or was withdrawn.
    lapsed_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    rejected_at = models.DateTimeField(null=True)
    rejection_reason = models.CharField(max_length=16, blank=True)
    treated_on = models.DateField(null=True)
    home_wait_days = models.IntegerField(null=True)
    expected_wait_days = models.IntegerField(null=True)
    days_gained = models.IntegerField(null=True)
    breached = models.BooleanField(null=True)
    breach_avoided = models.BooleanField(default=False)
    amount_sek = models.DecimalField(max_digits=12, decimal_places=2)
    settled = models.BooleanField(default=False)

    class Meta:
        ordering = ("offer",)
        verbose_name = _("erbjudandets uppgifter för statistik")
        verbose_name_plural = _("erbjudandenas uppgifter för statistik")
        indexes = (
            models.Index(fields=["region", "sent_at"], name="offerfact_sent"),
            models.Index(fields=["region", "answered_at"], name="offerfact_answered"),
            models.Index(
                fields=["region", "lapsed_at"],
                name="offerfact_lapsed",
                condition=Q(lapsed_at__isnull=False),
            ),
            models.Index(fields=["region", "confirmed_at"], name="offerfact_confirmed"),
            models.Index(
                fields=["region", "rejected_at"],
                name="offerfact_rejected",
                condition=Q(rejected_at__isnull=False),
            ),
            models.Index(fields=["region", "treated_on"], name="offerfact_treated"),
        )

    def __str__(self) -> str:
        return f"{self.case_id}/{self.serial}"


class StaleCase(models.Model):
    """A case whose facts are to be made anew: something has happened to it or its patient.

    A case may stand here any number of times, so that nobody who adds a row waits for another.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField()

    class Meta:
        ordering = ("due_at",)
        verbose_name = _("ärende att räkna om")
        verbose_name_plural = _("ärenden att räkna om")
        indexes = (models.Index(fields=["due_at"], name="stalecase_due"),)

    def __str__(self) -> str:
        return str(self.case_id)


class MonthState(models.Model):
    """Whether a region's month is counted, and when it is to be counted anew."""

    region = _to(Region)
    month = models.DateField(_("månadens första dag"))
    due_at = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("region", "month")
        verbose_name = _("räknad månad")
        verbose_name_plural = _("räknade månader")
        constraints = (
            models.UniqueConstraint(fields=["region", "month"], name="month_state_once"),
            models.CheckConstraint(name="month_state_first_day", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="month_state_counted_or_due",
                condition=Q(due_at__isnull=False) | Q(counted_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"], name="month_state_due", condition=Q(due_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.region_id} {self.month:%Y-%m}"


class MonthRow(models.Model):
    """All measures of one region, month, dimension and key, as they were counted.

    ``figures``: measure to ``[n, value, median, p80, low, high]``, cut after the last known; money
    in öre. One row for many measures: a row for each would be some 17 million at national scale.
    """

    region = _to(Region)
    month = models.DateField()
    dimension = models.CharField(max_length=12)
    key = models.CharField(max_length=20, blank=True)
    figures = models.JSONField()

    class Meta:
        ordering = ("region", "month", "dimension", "key")
        verbose_name = _("månadens tal")
        verbose_name_plural = _("månadernas tal")
        constraints = (
            models.UniqueConstraint(
                fields=["region", "dimension", "key", "month"], name="month_row_once"
            ),
        )
        indexes = (models.Index(fields=["region", "month"], name="month_row_month"),)

    def __str__(self) -> str:
        return f"{self.region_id} {self.month:%Y-%m} {self.dimension} {self.key}"
