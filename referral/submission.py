"""What a clinic submits, as typed values, and the rules it must hold.

The web form, the API and later the waiting-list file all give a ``Submission``; ``check`` answers
for all of them, so that the rules stand once. The database holds the same limits as constraints.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from contracts.codes import validate_kva
from organisations.models import Equipment, Municipality
from patients.identity import IdentityNumber, InvalidIdentityNumber
from patients.models import Patient
from referral.codes import validate_icd10
from referral.models import Consent, IntakeForm, Phase, ReferralCause
from referral.models.intake import MAX_DISTANCE_KM
from referral.pathways import FirstTreatment, pathway_names

# American Society of Anesthesiologists: 5 is moribund, 6 brain-dead; neither can be transferred.
ASA_NOT_TRANSFERABLE = 5
OLDEST_REFERRAL_YEARS = 10
MAX_TEXT = 10_000
# ``values`` of an enumeration is made anew each time; a file asks for each of its rows.
_PROTECTIONS = frozenset(Patient.Protection.values)
_PHASES = frozenset(Phase.values)
_TREATMENTS = frozenset(FirstTreatment.values)
_CAUSES = frozenset(ReferralCause.values)
_MOBILITIES = frozenset(IntakeForm.Mobility.values)
_EQUIPMENT = frozenset(Equipment.values)
_HOW = frozenset(Consent.How.values)
# Never kept about somebody with protected identity (design 5.6).
ADDRESS_FIELDS = ("street", "postal_code", "town", "municipality")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Blanketten: patient, need and what a receiving provider has to know."""

    identity_number: str
    given_name: str
    family_name: str
    kva: str
    icd10: str
    phase: str
    referral_date: date
    decision_date: date
    asa: int
    transferable: bool
    protection: str = Patient.Protection.NONE
    street: str = ""
    postal_code: str = ""
    town: str = ""
    municipality: str = ""
    phone: str = ""
    language: str = ""
    medical_target_date: date | None = None
    svf: bool = False
    svf_pathway: str = ""
    suspicion_date: date | None = None
    svf_treatment: str = ""
    referral_cause: str = ReferralCause.WAITING_TIME
    home_wait_days: int | None = None
    medications: str = ""
    anticoagulants: bool = False
    bmi: Decimal | None = None
    interpreter: str = ""
    # Codes of Equipment; a stored version gives them as a list.
    equipment: Sequence[str] = ()
    max_distance_km: int | None = None
    mobility: str = ""
    escort: bool = False
    not_transferable_reason: str = ""
    clinician: str = ""
    free_text: str = ""
    # What the patient has said about information going to another provider: yes, no, or not asked.
    share_consent: str = ""
    share_consent_how: str = ""
    share_consent_on: date | None = None

    @classmethod
    def field_names(cls) -> list[str]:
        return [field.name for field in fields(cls)]

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def without_address(self) -> "Submission":
        """What may be kept about somebody with protected identity."""
        return replace(self, street="", postal_code="", town="", municipality="")


def municipality_exists(code: str) -> bool:
    return code.isdigit() and Municipality.objects.filter(code=code).exists()


def check(
    submission: Submission,
    *,
    today: date,
    is_municipality: Callable[[str], bool] = municipality_exists,
) -> dict[str, str]:
    """What does not hold, as Swedish text by field name; empty when all is well.

    ``is_municipality`` answers for who checks many and has read the codes already.
    """
    problems: dict[str, str] = {}
    _check_texts(submission, problems)
    _check_identity(submission, problems, today=today)
    if submission.municipality and not is_municipality(submission.municipality):
        problems.setdefault("municipality", _("Kommunkoden finns inte."))
    _check_codes(submission, problems)
    _check_dates(submission, problems, today=today)
    problems |= pathway_problems(
        svf=submission.svf,
        svf_pathway=submission.svf_pathway,
        suspicion_date=submission.suspicion_date,
        svf_treatment=submission.svf_treatment,
        decision_date=submission.decision_date,
    )
    _check_transfer(submission, problems)
    _check_needs(submission, problems)
    _check_consent(submission, problems, today=today)
    return problems


def _check_texts(s: Submission, problems: dict[str, str]) -> None:
    """Texts that the columns cannot hold."""
    for name, value in s.as_dict().items():
        if not isinstance(value, str) or name == "identity_number":
            continue
        longest = _longest(name)
        if "\x00" in value:
            problems[name] = _("Texten innehåller ett tecken som inte kan sparas.")
        elif len(value) > longest:
            problems[name] = _("Högst %(longest)s tecken.") % {"longest": longest}


@cache
def _longest(name: str) -> int:
    for model in (Patient, IntakeForm):
        if name in {field.name for field in model._meta.get_fields()}:
            return getattr(model._meta.get_field(name), "max_length", None) or MAX_TEXT
    return MAX_TEXT


def _check_identity(s: Submission, problems: dict[str, str], *, today: date) -> None:
    try:
        IdentityNumber.parse(s.identity_number, today=today)
    except InvalidIdentityNumber as error:
        problems["identity_number"] = str(error)
    for name in ("given_name", "family_name"):
        if not getattr(s, name).strip():
            problems[name] = _("Fyll i namnet.")
    if s.protection not in _PROTECTIONS:
        problems["protection"] = _("Okänt val.")
    if s.postal_code and not re.fullmatch(r"[0-9]{5}", s.postal_code):
        problems["postal_code"] = _("Postnumret har fem siffror.")


def _check_codes(s: Submission, problems: dict[str, str]) -> None:
    for name, validate in (("kva", validate_kva), ("icd10", validate_icd10)):
        try:
            validate(getattr(s, name))
        except ValidationError as error:
            problems[name] = str(error.messages[0])
    if s.phase not in _PHASES:
        problems["phase"] = _("Välj första besök eller behandling.")
    if s.referral_cause not in _CAUSES:
        problems["referral_cause"] = _("Okänt val.")
    if s.mobility and s.mobility not in _MOBILITIES:
        problems["mobility"] = _("Okänt val.")


def _check_dates(s: Submission, problems: dict[str, str], *, today: date) -> None:
    if s.referral_date > today:
        problems["referral_date"] = _("Remissdatum kan inte ligga i framtiden.")
    elif s.referral_date.year < today.year - OLDEST_REFERRAL_YEARS:
        problems["referral_date"] = _("Remissdatum ligger för långt tillbaka.")
    if s.decision_date > today:
        problems["decision_date"] = _("Beslutsdatum kan inte ligga i framtiden.")
    elif s.decision_date < s.referral_date:
        problems["decision_date"] = _("Beslutsdatum kan inte ligga före remissdatum.")
    if s.medical_target_date and s.medical_target_date < s.decision_date:
        problems["medical_target_date"] = _("Måldatum kan inte ligga före beslutet.")


def pathway_problems(
    *,
    svf: bool,
    svf_pathway: str,
    suspicion_date: date | None,
    svf_treatment: str,
    decision_date: date,
) -> dict[str, str]:
    """A cancer pathway has its day of well-founded suspicion; nothing of it without SVF."""
    problems: dict[str, str] = {}
    if svf_pathway and svf_pathway not in pathway_names():
        problems["svf_pathway"] = _("Okänt val.")
    if svf_treatment and svf_treatment not in _TREATMENTS:
        problems["svf_treatment"] = _("Okänt val.")
    if not svf_pathway:
        if suspicion_date or svf_treatment:
            problems.setdefault("svf_pathway", _("Välj vårdförloppet."))
        return problems
    if not svf:
        problems.setdefault("svf_pathway", _("Gäller bara standardiserade vårdförlopp."))
    if suspicion_date is None:
        problems["suspicion_date"] = _("Ange dagen för välgrundad misstanke.")
    elif suspicion_date > decision_date:
        problems["suspicion_date"] = _("Välgrundad misstanke kan inte komma efter beslutet.")
    return problems


def _check_transfer(s: Submission, problems: dict[str, str]) -> None:
    if not 1 <= s.asa <= 6:
        problems["asa"] = _("ASA-klass är 1 till 6.")
    elif s.asa >= ASA_NOT_TRANSFERABLE:
        problems["asa"] = _("Patienter i ASA-klass 5 och 6 kan inte förmedlas.")
    if s.bmi is not None and not (s.bmi.is_finite() and Decimal(8) <= s.bmi <= Decimal(99)):
        problems["bmi"] = _("BMI ska vara mellan 8 och 99.")
    if s.home_wait_days is not None and not 0 <= s.home_wait_days <= 3650:
        problems["home_wait_days"] = _("Ange ett antal dagar mellan 0 och 3650.")
    if not s.transferable and not s.not_transferable_reason.strip():
        problems["not_transferable_reason"] = _("Skriv varför patienten inte kan förmedlas.")


def _check_needs(s: Submission, problems: dict[str, str]) -> None:
    """What the patient needs of a unit, and how far the patient travels."""
    if isinstance(s.equipment, str) or not set(map(str, s.equipment)) <= _EQUIPMENT:
        problems["equipment"] = _("Okänt val.")
    if s.max_distance_km is not None and not 1 <= s.max_distance_km <= MAX_DISTANCE_KM:
        problems["max_distance_km"] = _("Ange ett antal kilometer mellan 1 och %(most)s.") % {
            "most": MAX_DISTANCE_KM
        }


def _check_consent(s: Submission, problems: dict[str, str], *, today: date) -> None:
    """A word about consent says how and when it was given; no word is no problem."""
    if s.share_consent not in {"", "yes", "no"}:
        problems["share_consent"] = _("Okänt val.")
    if s.share_consent_how and s.share_consent_how not in _HOW:
        problems["share_consent_how"] = _("Okänt val.")
    if s.share_consent_on and s.share_consent_on > today:
        problems["share_consent_on"] = _("Datumet kan inte ligga i framtiden.")
    if not s.share_consent:
        return
    if not s.share_consent_how:
        problems["share_consent_how"] = _("Välj hur patienten lämnade sitt besked.")
    if s.share_consent_on is None:
        problems["share_consent_on"] = _("Ange dagen då patienten lämnade sitt besked.")
