"""Blocked information, consents, emergency openings, corrections and stops of thinning.

Patientdatalagen (2008:355) 4 kap. 4–5 §§; lagen (2022:913) om sammanhållen vård- och
omsorgsdokumentation 2–3 kap.; docs/decisions/0007-blocked-information.md.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from organisations.encrypted import EncryptedJSONField
from organisations.models import CareUnit, Region, User
from patients.models import Patient
from patients.selectors import label_of
from referral.models.cases import BlockReach, Case
from referral.pathways import FirstTreatment, pathway_names


class Recorded(models.Model):
    """Who wrote the row, in what role and where; names are kept as they were then."""

    at = models.DateTimeField(_("tidpunkt"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("vem"), max_length=120)
    role = models.CharField(_("roll"), max_length=16)
    place = models.CharField(_("enhet"), max_length=120, blank=True)

    class Meta:
        abstract = True


class Block(Recorded):
    """Spärr: the patient keeps one sending unit's information from others. Lifted, never deleted.

    Whether a case is blocked stands on the case too (``Case.blocked``), where the database's
    trigger keeps it.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="blocks")
    care_unit = models.ForeignKey(CareUnit, on_delete=models.PROTECT, related_name="blocks")
    reach = models.CharField(_("gäller mot"), max_length=9, choices=BlockReach)
    reason = models.TextField(_("anteckning"), blank=True)
    lifted_at = models.DateTimeField(_("hävd"), null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_by_name = models.CharField(_("hävd av"), max_length=120, blank=True)
    lift_reason = models.TextField(_("varför hävd"), blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("spärr")
        verbose_name_plural = _("spärrar")
        constraints = (
            models.CheckConstraint(
                name="block_reach_known", condition=Q(reach__in=["units", "providers"])
            ),
            models.UniqueConstraint(
                fields=["patient", "care_unit"],
                condition=Q(lifted_at__isnull=True),
                name="block_one_in_force_per_patient_and_unit",
            ),
            models.CheckConstraint(
                name="block_lifted_after_made",
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("at")),
            ),
            models.CheckConstraint(
                name="block_lifted_says_why",
                condition=Q(lifted_at__isnull=True) | ~Q(lift_reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.care_unit} {self.get_reach_display()}"


class Consent(Recorded):
    """Samtycke, or the patient's no, that information in a case is read by somebody else.

    A yes opens a blocked case for those it names; a no, or a yes that was taken back or has run
    out, keeps new offers from being made (referral.services.consents).
    """

    class Audience(models.TextChoices):
        NAVIGATORS = "navigator", _("Regionens vårdlotsar")
        PROVIDER = "provider", _("Mottagande vårdgivare")

    class How(models.TextChoices):
        ORAL = "oral", _("Muntligt på plats")
        PHONE = "phone", _("Telefon")
        WRITTEN = "written", _("Skriftligt")
        INBOX = "1177", "1177"
        OWN_PAGE = "page", _("Egen sida")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="consents")
    audience = models.CharField(_("gäller"), max_length=9, choices=Audience)
    # Empty: the provider that the patient says yes to, whichever it is.
    care_unit = models.ForeignKey(
        CareUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    given = models.BooleanField(_("patienten samtycker"))
    how = models.CharField(_("hur"), max_length=7, choices=How)
    given_on = models.DateField(_("lämnat"))
    until = models.DateField(_("gäller till och med"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("återkallat"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_by_name = models.CharField(_("återkallat hos"), max_length=120, blank=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("samtycke")
        verbose_name_plural = _("samtycken")
        constraints = (
            models.CheckConstraint(
                name="consent_audience_known", condition=Q(audience__in=["navigator", "provider"])
            ),
            models.CheckConstraint(
                name="consent_unit_is_a_providers",
                condition=Q(care_unit__isnull=True) | Q(audience="provider"),
            ),
            models.CheckConstraint(
                name="consent_until_not_before_given",
                condition=Q(until__isnull=True) | Q(until__gte=F("given_on")),
            ),
        )
        indexes = (models.Index(fields=["case", "id"], name="consent_by_case"),)

    def __str__(self) -> str:
        return f"{self.case} {self.get_audience_display()}"


class EmergencyOpening(Recorded):
    """Nödöppning: one person reads a blocked case without consent, for a written reason.

    Patientdatalagen 4 kap. 5 §. It ends by itself and is followed up by the region's
    administrator, who sees the case's number and nothing of the patient.
    """

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", _("Motiverad")
        NOT_JUSTIFIED = "unjustified", _("Inte motiverad, utreds vidare")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="emergency_openings")
    case_number = models.CharField(_("ärendenummer"), max_length=14)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("skäl"))
    ends_at = models.DateTimeField(_("gäller till"))
    followed_up_at = models.DateTimeField(_("uppföljd"), null=True, blank=True)
    followed_up_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(_("bedömning"), max_length=11, choices=Outcome, blank=True)
    follow_up = models.TextField(_("uppföljning"), blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("nödöppning")
        verbose_name_plural = _("nödöppningar")
        constraints = (
            models.CheckConstraint(name="opening_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="opening_at_most_a_day",
                condition=Q(ends_at__gt=F("at"))
                & Q(ends_at__lte=F("at") + models.Value("1 day", models.DurationField())),
            ),
            models.CheckConstraint(
                name="opening_followed_up_whole",
                condition=Q(followed_up_at__isnull=True, outcome="")
                | (
                    Q(followed_up_at__isnull=False, followed_up_by__isnull=False)
                    & ~Q(outcome="")
                    & ~Q(follow_up="")
                ),
            ),
        )
        indexes = (
            models.Index(fields=["case", "user", "ends_at"], name="opening_by_case_and_user"),
            models.Index(fields=["region", "-id"], name="opening_by_region"),
        )

    def __str__(self) -> str:
        return f"{self.case_number} {self.actor_name}"


class Correction(Recorded):
    """Rättelse: what was wrong and what stands instead. Append-only.

    Patientdatalagen 3 kap. 14 §: what is in a record is not erased; the correction says who made
    it, when and why, and what stood before stays readable.
    """

    class Kind(models.TextChoices):
        DETAILS = "details", _("Patientuppgifter")
        PATIENT = "patient", _("Fel patient i ärendet")
        PROTECTION = "protection", _("Skyddad identitet")
        DEPARTURE = "departure", _("Avliden eller utflyttad")
        PATHWAY = "pathway", _("Vårdförlopp (SVF)")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="corrections")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="corrections")
    wrong_patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="wrong_cases"
    )
    kind = models.CharField(_("slag"), max_length=10, choices=Kind)
    reason = models.TextField(_("skäl"))
    # {field: [before, after]}; nothing of an address once an identity is protected.
    changes = EncryptedJSONField(blank=True, default=dict)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("rättelse")
        verbose_name_plural = _("rättelser")
        constraints = (
            models.CheckConstraint(name="correction_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="correction_changes_encrypted",
                condition=Q(changes="") | Q(changes__sealed=True),
            ),
            models.CheckConstraint(
                name="correction_of_patient_names_the_wrong_one",
                condition=~Q(kind="patient") | Q(wrong_patient__isnull=False),
            ),
        )
        indexes = (models.Index(fields=["case", "id"], name="correction_by_case"),)

    def __str__(self) -> str:
        return f"{self.case} {self.get_kind_display()}"

    @property
    def rows(self) -> list[dict[str, str]]:
        """What changed, with the fields' Swedish names and words."""
        return [
            {
                "label": _label(name),
                "before": _in_words(name, before),
                "after": _in_words(name, after),
            }
            for name, (before, after) in self.changes.items()
        ]


# The case's own columns among those that are corrected; the others are the patient's.
OF_PATHWAY = ("svf", "svf_pathway", "suspicion_date", "svf_treatment")


def _label(name: str) -> str:
    if name not in OF_PATHWAY:
        return label_of(name)
    label = str(getattr(Case._meta.get_field(name), "verbose_name", name))
    return label[:1].upper() + label[1:]


def _in_words(name: str, value: Any) -> str:
    if name == "protection" and value in Patient.Protection.values:
        return str(Patient.Protection(value).label)
    if name == "svf":
        return str(_("Ja") if value else _("Nej"))
    if name == "svf_pathway":
        return pathway_names().get(value, value or "")
    if name == "svf_treatment" and value in FirstTreatment.values:
        return str(FirstTreatment(value).label)
    return value or ""


class RetentionHold(Recorded):
    """Gallringsstopp: a case that must be kept past its time, as in a dispute or an inspection."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="holds")
    case_number = models.CharField(_("ärendenummer"), max_length=14)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("skäl"))
    lifted_at = models.DateTimeField(_("hävt"), null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("gallringsstopp")
        verbose_name_plural = _("gallringsstopp")
        constraints = (
            models.CheckConstraint(name="hold_has_reason", condition=~Q(reason="")),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(lifted_at__isnull=True),
                name="hold_one_in_force_per_case",
            ),
        )

    def __str__(self) -> str:
        return self.case_number
