"""The clinic's form: drafts, attachments, submission and completion."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.selectors import median_wait_days
from contracts.selectors import procedure_name
from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import emit
from organisations.models import CareUnit, Municipality, Role
from organisations.uploads import checked_type, safe_name
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.services import ContactDetails, register_patient
from referral.access_log import record_form_access
from referral.guarantee import last_day
from referral.machine import SUBMIT, append_log, perform
from referral.models import (
    Attachment,
    Case,
    CaseState,
    Consent,
    IntakeForm,
    IntakeFormVersion,
    Phase,
)
from referral.numbers import draw_case_number
from referral.services.consents import add_consent
from referral.submission import ADDRESS_FIELDS, Submission, check

# The MVO group that the agreement on 30 days concerns (organisations/reference/mvo.csv).
CHILD_PSYCHIATRY_GROUP = "Barn- och ungdomspsykiatri"
MAX_TYPED_LENGTH = 20_000
MAX_ATTACHMENTS = 20
NewAttachment = tuple[str, bytes]  # name and content


@transaction.atomic
@as_product("intake form")
def create_draft(*, actor: Actor, sending_unit: CareUnit, now: datetime) -> IntakeForm:
    """Begin a form for the actor's clinic."""
    _require_sender(actor, sending_unit)
    return IntakeForm.objects.create(
        sending_unit=sending_unit, created_by_id=actor.user_id, created_at=now, saved_at=now
    )


@transaction.atomic
@as_product("intake form")
def save_draft(
    form: IntakeForm, *, typed: dict[str, Any], actor: Actor, now: datetime
) -> IntakeForm:
    """Keep what has been typed, valid or not, so that nothing is lost.

    Only while the form is open: a draft, or one that was returned for completion. The address of
    somebody with protected identity is not kept (design 5.6).
    """
    form = _open_form(form, actor)
    allowed = set(Submission.field_names())
    form.typed = {
        name: value[:MAX_TYPED_LENGTH] if isinstance(value, str) else value
        for name, value in typed.items()
        if name in allowed
    }
    if str(form.typed.get("protection")) in Patient.PROTECTED:
        for name in ADDRESS_FIELDS:
            form.typed.pop(name, None)
    form.saved_at = now
    form.save(update_fields=["typed", "saved_at"])
    record_form_access(actor, form, what="draft_saved", now=now, of_change=True)
    return form


@transaction.atomic
@as_product("intake form")
def discard_draft(form: IntakeForm, *, actor: Actor, now: datetime) -> None:
    """Throw away a draft that was never submitted, with its attachments."""
    form = _open_form(form, actor)
    if form.case_id is not None:
        raise WrongState(_("En inskickad blankett kan inte kastas."))
    for attachment in form.attachments.all():
        _delete_attachment(attachment)
    record_form_access(actor, form, what="draft_discarded", now=now, of_change=True)
    form.delete()


@transaction.atomic
@as_product("intake form")
def add_attachment(
    form: IntakeForm, *, name: str, content: bytes, actor: Actor, now: datetime
) -> Attachment:
    """Put a PDF, JPEG or PNG on the form. The content decides the type, not the name.

    Raises :class:`InvalidInput` for other types, empty files, files over 20 MB and active content.
    """
    form = _open_form(form, actor)
    attachment = _attach(form, name=name, content=content, now=now)
    record_form_access(actor, form, what="attachment_added", now=now, of_change=True)
    return attachment


def _attach(form: IntakeForm, *, name: str, content: bytes, now: datetime) -> Attachment:
    if not content:
        raise InvalidInput(_("Filen är tom."), fields={"file": _("Filen är tom.")})
    if len(content) > Attachment.MAX_BYTES:
        text = _("Filen är större än 20 MB.")
        raise InvalidInput(text, fields={"file": text})
    if form.attachments.count() >= MAX_ATTACHMENTS:
        text = _("En blankett kan ha högst 20 bilagor.")
        raise InvalidInput(text, fields={"file": text})
    content_type = _content_type(content)
    attachment = Attachment(
        form=form,
        name=safe_name(name, otherwise=_("bilaga")),
        content_type=content_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_at=now,
    )
    attachment.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    attachment.save()
    return attachment


@transaction.atomic
@as_product("intake form")
def remove_attachment(attachment: Attachment, *, actor: Actor, now: datetime) -> None:
    """Take an attachment off a form that is still open."""
    form = _open_form(attachment.form, actor)
    _delete_attachment(attachment)
    record_form_access(actor, form, what="attachment_removed", now=now, of_change=True)


@transaction.atomic
@as_product("intake form")
def submit(
    submission: Submission,
    *,
    sending_unit: CareUnit,
    actor: Actor,
    now: datetime,
    form: IntakeForm | None = None,
    attachments: Sequence[NewAttachment] = (),
) -> Case:
    """Submit the form: the case is born with its number and its guarantee clock.

    ``attachments`` are names and contents of files that come along with the submission.

    Raises :class:`InvalidInput` with what is wrong by field, and :class:`WrongState` when the
    form was submitted before or a running case exists for the same patient and procedure.
    """
    _require_sender(actor, sending_unit)
    today = timezone.localdate(now)
    _refuse_problems(submission, today=today)
    if form is None:
        form = create_draft(actor=actor, sending_unit=sending_unit, now=now)
    form = _open_form(form, actor)
    if form.case_id is not None:
        raise WrongState(_("Blanketten är redan inskickad."), code="already_submitted")
    patient = _patient(submission, now=now)
    start = _guarantee_start(submission)
    days = _guarantee_days(sending_unit)
    case = Case(
        number=draw_case_number(county=sending_unit.region_id, year=today.year).value,
        region=sending_unit.region,
        patient=patient,
        sending_unit=sending_unit,
        state=CaseState.RECEIVED,
        received_at=now,
        guarantee_start=start,
        guarantee_days=days,
        last_day=last_day(start=start, days=days, pauses=()),
    )
    _take_over(case, submission, today=today)
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError as error:
        raise _running_case_error(error, patient, submission, actor) from error
    _attach_all(form, attachments, now=now)
    _store_form(form, case, submission, now=now)
    _take_consent(case, submission, actor=actor, now=now)
    append_log(
        case,
        verb=SUBMIT,
        from_state="",
        actor=actor,
        now=now,
        details={"version": form.version},
    )
    emit("case.submitted", now=now, case_number=case.number)
    return case


@transaction.atomic
@as_product("intake form")
def resubmit(
    case: Case,
    submission: Submission,
    *,
    actor: Actor,
    now: datetime,
    attachments: Sequence[NewAttachment] = (),
) -> Case:
    """Submit the mended form of a returned case; number, receipt and clock start stay.

    Raises as :func:`submit`. The patient of a case cannot be exchanged.
    """
    today = timezone.localdate(now)
    _refuse_problems(submission, today=today)
    identity = IdentityNumber.parse(submission.identity_number, today=today)
    if identity.value != case.patient.identity_number:
        text = _("Ärendet gäller en annan patient. Skicka in en ny blankett för denna patient.")
        raise InvalidInput(text, fields={"identity_number": text})
    details: dict[str, Any] = {}

    def change(locked: Case) -> None:
        locked.patient = _patient(submission, now=now)
        _take_over(locked, submission, today=today)
        locked.guarantee_start = _guarantee_start(submission)
        locked.last_day = last_day(
            start=locked.guarantee_start,
            days=locked.guarantee_days,
            pauses=locked.finished_pauses(),
        )
        _attach_all(locked.form, attachments, now=now)
        _store_form(locked.form, locked, submission, now=now)
        _take_consent(locked, submission, actor=actor, now=now)
        details["version"] = locked.form.version

    try:
        with transaction.atomic():
            return perform(case, "resubmit", actor=actor, now=now, details=details, change=change)
    except IntegrityError as error:
        raise _running_case_error(error, case.patient, submission, actor) from error


def _attach_all(form: IntakeForm, attachments: Sequence[NewAttachment], *, now: datetime) -> None:
    """Put the files on the form; all or none, and a refusal says which one it means.

    The rows taken before a refusal go with the caller's transaction; their files are deleted here.
    """
    stored: list[Attachment] = []
    for index, (name, content) in enumerate(attachments):
        try:
            stored.append(_attach(form, name=name, content=content, now=now))
        except InvalidInput as error:
            for attachment in stored:
                attachment.file.delete(save=False)
            field = f"attachments.{index}"
            raise InvalidInput(str(error.message), fields={field: error.message}) from error


def _refuse_problems(submission: Submission, *, today: date) -> None:
    problems = check(submission, today=today)
    if problems:
        raise InvalidInput(_("Blanketten behöver rättas."), fields=problems)


def _require_sender(actor: Actor, unit: CareUnit) -> None:
    own_unit = actor.role == Role.CLINIC and actor.care_unit_id == unit.pk
    integration = (
        actor.role == Role.INTEGRATION
        and actor.region == unit.region_id
        and actor.care_unit_id in {None, unit.pk}
    )
    if not (own_unit or integration or actor.is_system):
        raise NotAllowed(_("Bara den avsändande kliniken kan skicka in blanketten."))
    if not unit.is_active:
        raise NotAllowed(_("Enheten är stängd och skickar inga nya ärenden."))
    if not unit.sends:
        raise NotAllowed(_("Enheten skickar inte patienter till förmedling."))


def _open_form(form: IntakeForm, actor: Actor) -> IntakeForm:
    """Lock the form and see that the actor may still change it."""
    form = IntakeForm.objects.select_for_update(of=("self",)).select_related("case").get(pk=form.pk)
    _require_sender(actor, form.sending_unit)
    if form.case is not None and form.case.state != CaseState.RETURNED:
        raise WrongState(_("Blanketten är inskickad och kan inte ändras."), code="form_closed")
    return form


def _patient(submission: Submission, *, now: datetime) -> Patient:
    municipality = Municipality.objects.filter(code=submission.municipality).first()
    return register_patient(
        IdentityNumber.parse(submission.identity_number, today=timezone.localdate(now)),
        contact=ContactDetails(
            given_name=submission.given_name.strip(),
            family_name=submission.family_name.strip(),
            municipality=municipality,
            protection=submission.protection,
            street=submission.street.strip(),
            postal_code=submission.postal_code,
            town=submission.town.strip(),
            phone=submission.phone.strip(),
            language=submission.language.strip(),
        ),
        now=now,
    )


def _guarantee_start(submission: Submission) -> date:
    """A first visit is counted from the referral, a treatment from the decision to treat."""
    if submission.phase == Phase.FIRST_VISIT:
        return submission.referral_date
    return submission.decision_date


def _guarantee_days(unit: CareUnit) -> int:
    if unit.medical_area is not None and unit.medical_area.group == CHILD_PSYCHIATRY_GROUP:
        return unit.region.child_psychiatry_days
    return unit.region.guarantee_days


def _take_over(case: Case, submission: Submission, *, today: date) -> None:
    case.kva = submission.kva
    case.procedure_name = procedure_name(submission.kva)
    case.icd10 = submission.icd10
    case.phase = submission.phase
    case.asa = submission.asa
    case.svf = submission.svf
    case.referral_date = submission.referral_date
    case.decision_date = submission.decision_date
    case.medical_target_date = submission.medical_target_date
    case.home_wait_days = submission.home_wait_days
    if case.home_wait_days is None:
        case.home_wait_days = median_wait_days(case.sending_unit, kva=case.kva, today=today)


_FORM_FIELDS = (
    "medications",
    "anticoagulants",
    "bmi",
    "interpreter",
    "max_distance_km",
    "mobility",
    "escort",
    "transferable",
    "not_transferable_reason",
    "clinician",
    "free_text",
)


def _store_form(form: IntakeForm, case: Case, submission: Submission, *, now: datetime) -> None:
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
    form.save()
    IntakeFormVersion.objects.create(
        form=form, version=form.version, submitted_at=now, content=content
    )


def _take_consent(case: Case, submission: Submission, *, actor: Actor, now: datetime) -> None:
    """What the form says of the patient's consent becomes a row of its own, once."""
    if not submission.share_consent or submission.share_consent_on is None:
        return
    said: dict[str, Any] = {
        "audience": Consent.Audience.PROVIDER,
        "given": submission.share_consent == "yes",
        "how": submission.share_consent_how,
        "given_on": submission.share_consent_on,
    }
    if not case.consents.filter(care_unit__isnull=True, **said).exists():
        add_consent(case, **said, actor=actor, now=now)


def _running_case_error(
    error: IntegrityError, patient: Patient, submission: Submission, actor: Actor
) -> Exception:
    """What the unique constraint's refusal means; the number only for who may see the case."""
    if "case_one_running_per_patient_and_procedure" not in str(error):
        return error
    running = (
        Case.objects.visible_to(actor).open().filter(patient=patient, kva=submission.kva).first()
    )
    text = _("Patienten har redan ett pågående ärende för åtgärden hos en annan enhet.")
    if running:
        text = _("Patienten har redan ett pågående ärende för åtgärden: %(number)s.") % {
            "number": running.number
        }
    return WrongState(text, code="case_running", fields={"kva": text})


def _content_type(content: bytes) -> str:
    text = _("Bilagor ska vara PDF, JPEG eller PNG. Den här filen är något annat.")
    return checked_type(content, allowed=Attachment.ContentType.values, refusal=text)


def _delete_attachment(attachment: Attachment) -> None:
    """Delete the row now and the file once the row is gone for good."""
    storage, name = attachment.file.storage, str(attachment.file.name)
    attachment.delete()
    transaction.on_commit(lambda: storage.delete(name))
