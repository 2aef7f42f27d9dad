"""What submissions become: patient, case, form, version, consent, log and event.

The form that is sent in and the file with a whole waiting list both come here, so that a case is
the same whichever way it came. Who may submit, and whether a submission holds, is asked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.selectors import median_wait_days
from contracts.selectors import procedure_name
from organisations.access import Actor
from organisations.errors import WrongState
from organisations.events import emit_all
from organisations.models import CareUnit, Municipality
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.selectors import identity_hashes
from patients.services import ContactDetails, register_patients
from referral.guarantee import last_day
from referral.machine import SUBMIT, Entry, append_logs
from referral.models import Case, CaseState, Consent, IntakeForm, IntakeFormVersion, Phase
from referral.numbers import CaseNumber
from referral.services.consents import consent_row
from referral.submission import Submission

# The MVO group that the agreement on 30 days concerns (organisations/reference/mvo.csv).
CHILD_PSYCHIATRY_GROUP = "Barn- och ungdomspsykiatri"
ONE_RUNNING = "case_one_running_per_patient_and_procedure"


class Surroundings:
    """What a unit's submissions of one day share; each thing is looked up once."""

    def __init__(self, unit: CareUnit, *, today: date) -> None:
        self.unit = unit
        self.today = today
        self.guarantee_days = _guarantee_days(unit)
        self.procedure_name = cache(procedure_name)
        self.municipality = cache(_municipality)
        self.median_wait_days = cache(self._median_wait_days)

    def _median_wait_days(self, kva: str) -> int | None:
        return median_wait_days(self.unit, kva=kva, today=self.today)


@dataclass(frozen=True)
class Submitted:
    """A submission that holds, and the form that it stands on."""

    submission: Submission
    form: IntakeForm


def store_submitted(
    wanted: Sequence[Submitted],
    *,
    numbers: Sequence[CaseNumber],
    surroundings: Surroundings,
    actor: Actor,
    now: datetime,
) -> list[Case]:
    """Make the case of each submission, in order, with everything that belongs to it.

    As many ``numbers`` as submissions. Raises :class:`IntegrityError` (``ONE_RUNNING``) when a
    case runs for one of the patients and its procedure; then only patients have been written.
    """
    patients = register([one.submission for one in wanted], surroundings=surroundings, now=now)
    cases = [
        _new_case(one.submission, patient, number, surroundings=surroundings, now=now)
        for one, patient, number in zip(wanted, patients, numbers, strict=True)
    ]
    with transaction.atomic():
        Case.objects.bulk_create(cases)
    submissions = [one.submission for one in wanted]
    forms = [one.form for one in wanted]
    store_forms(list(zip(forms, cases, submissions, strict=True)), now=now)
    Consent.objects.bulk_create(
        consent_row(case, **said, actor=actor, now=now)
        for case, submission in zip(cases, submissions, strict=True)
        if (said := consent_in(submission))
    )
    append_logs(
        [
            Entry(
                case=case,
                verb=SUBMIT,
                from_state="",
                to_state=case.state,
                details={"version": form.version},
            )
            for case, form in zip(cases, forms, strict=True)
        ],
        actor=actor,
        now=now,
    )
    emit_all("case.submitted", now=now, told=[(case.number, {}) for case in cases])
    return cases


def new_form(unit: CareUnit, *, actor: Actor, now: datetime) -> IntakeForm:
    """An empty form of the unit's, not yet saved."""
    return IntakeForm(sending_unit=unit, created_by_id=actor.user_id, created_at=now, saved_at=now)


def _new_case(
    submission: Submission,
    patient: Patient,
    number: CaseNumber,
    *,
    surroundings: Surroundings,
    now: datetime,
) -> Case:
    unit = surroundings.unit
    case = Case(
        number=number.value,
        region=unit.region,
        patient=patient,
        sending_unit=unit,
        state=CaseState.RECEIVED,
        received_at=now,
        guarantee_start=guarantee_start(submission),
        guarantee_days=surroundings.guarantee_days,
    )
    case.last_day = last_day(start=case.guarantee_start, days=case.guarantee_days, pauses=())
    take_over(case, submission, surroundings=surroundings)
    return case


def register(
    submissions: Sequence[Submission], *, surroundings: Surroundings, now: datetime
) -> list[Patient]:
    """The patients as the submissions tell of them."""
    today = timezone.localdate(now)
    return register_patients(
        [
            (
                IdentityNumber.parse(submission.identity_number, today=today),
                ContactDetails(
                    given_name=submission.given_name.strip(),
                    family_name=submission.family_name.strip(),
                    municipality=surroundings.municipality(submission.municipality),
                    protection=submission.protection,
                    street=submission.street.strip(),
                    postal_code=submission.postal_code,
                    town=submission.town.strip(),
                    phone=submission.phone.strip(),
                    language=submission.language.strip(),
                ),
            )
            for submission in submissions
        ],
        now=now,
    )


def _municipality(code: str) -> Municipality | None:
    return Municipality.objects.filter(code=code).first() if code else None


def guarantee_start(submission: Submission) -> date:
    """A first visit is counted from the referral, a treatment from the decision to treat."""
    if submission.phase == Phase.FIRST_VISIT:
        return submission.referral_date
    return submission.decision_date


def _guarantee_days(unit: CareUnit) -> int:
    if unit.medical_area is not None and unit.medical_area.group == CHILD_PSYCHIATRY_GROUP:
        return unit.region.child_psychiatry_days
    return unit.region.guarantee_days


def take_over(case: Case, submission: Submission, *, surroundings: Surroundings) -> None:
    """Put the case's own columns to what the submission says."""
    case.kva = submission.kva
    case.procedure_name = surroundings.procedure_name(submission.kva)
    case.icd10 = submission.icd10
    case.phase = submission.phase
    case.asa = submission.asa
    case.svf = submission.svf
    case.svf_pathway = submission.svf_pathway
    case.suspicion_date = submission.suspicion_date
    case.svf_treatment = submission.svf_treatment
    case.referral_cause = submission.referral_cause
    case.referral_date = submission.referral_date
    case.decision_date = submission.decision_date
    case.medical_target_date = submission.medical_target_date
    case.home_wait_days = submission.home_wait_days
    if case.home_wait_days is None:
        case.home_wait_days = surroundings.median_wait_days(case.kva)


_FORM_FIELDS = (
    *("medications", "anticoagulants", "bmi", "interpreter", "max_distance_km", "mobility"),
    *("escort", "transferable", "not_transferable_reason", "clinician", "free_text"),
)


def store_forms(submitted: Sequence[tuple[IntakeForm, Case, Submission]], *, now: datetime) -> None:
    """Write each form as it was submitted in its case, and the version that stays as it was."""
    versions = [_fill(form, case, submission, now=now) for form, case, submission in submitted]
    forms = [form for form, _case, _submission in submitted]
    for form in forms:
        if form.pk is not None:
            form.save()
    IntakeForm.objects.bulk_create(form for form in forms if form.pk is None)
    IntakeFormVersion.objects.bulk_create(versions)


def _fill(
    form: IntakeForm, case: Case, submission: Submission, *, now: datetime
) -> IntakeFormVersion:
    if case.patient.is_protected:
        submission = submission.without_address()
    for name in _FORM_FIELDS:
        setattr(form, name, getattr(submission, name))
    form.equipment = sorted(set(submission.equipment))
    form.case = case
    form.submitted_at = now
    form.saved_at = now
    form.version += 1
    content = submission.as_dict()
    form.typed = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in content.items()
        if value is not None
    }
    if form.bmi is not None:
        form.typed["bmi"] = str(form.bmi)
    return IntakeFormVersion(form=form, version=form.version, submitted_at=now, content=content)


def consent_in(submission: Submission) -> dict[str, Any]:
    """What the form says of the patient's consent, as a row has it; empty for no word."""
    if not submission.share_consent or submission.share_consent_on is None:
        return {}
    return {
        "audience": Consent.Audience.PROVIDER,
        "given": submission.share_consent == "yes",
        "how": submission.share_consent_how,
        "given_on": submission.share_consent_on,
    }


def running_case_error(
    error: IntegrityError, submission: Submission, *, actor: Actor, today: date
) -> Exception:
    """What the unique constraint's refusal means; the number only for who may see the case."""
    if ONE_RUNNING not in str(error):
        return error
    identity = IdentityNumber.parse(submission.identity_number, today=today)
    running = (
        Case.objects.visible_to(actor)
        .open()
        .filter(patient__identity_hash__in=identity_hashes(identity), kva=submission.kva)
        .first()
    )
    text = runs_elsewhere()
    if running:
        text = _("Patienten har redan ett pågående ärende för åtgärden: %(number)s.") % {
            "number": running.number
        }
    return WrongState(text, code="case_running", fields={"kva": text})


def runs_elsewhere() -> str:
    return _("Patienten har redan ett pågående ärende för åtgärden hos en annan enhet.")
