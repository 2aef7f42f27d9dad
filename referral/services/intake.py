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

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import CareUnit, Role
from organisations.uploads import checked_type, safe_name
from patients.identity import IdentityNumber
from patients.models import Patient
from referral.access_log import record_form_access
from referral.guarantee import last_day
from referral.machine import perform
from referral.models import Attachment, Case, CaseState, IntakeForm
from referral.numbers import draw_case_number
from referral.services.consents import add_consent
from referral.services.submitted import (
    Submitted,
    Surroundings,
    consent_in,
    guarantee_start,
    new_form,
    register,
    running_case_error,
    store_forms,
    store_submitted,
    take_over,
)
from referral.submission import ADDRESS_FIELDS, Submission, check

MAX_TYPED_LENGTH = 20_000
MAX_ATTACHMENTS = 20
NewAttachment = tuple[str, bytes]  # name and content


@transaction.atomic
@as_product("intake form")
def create_draft(*, actor: Actor, sending_unit: CareUnit, now: datetime) -> IntakeForm:
    """Begin a form for the actor's clinic."""
    _require_sender(actor, sending_unit)
    form = new_form(sending_unit, actor=actor, now=now)
    form.save()
    return form


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
    _attach_all(form, attachments, now=now)
    number = draw_case_number(county=sending_unit.region_id, year=today.year)
    try:
        (case,) = store_submitted(
            [Submitted(submission, form)],
            numbers=[number],
            surroundings=Surroundings(sending_unit, today=today),
            actor=actor,
            now=now,
        )
    except IntegrityError as error:
        raise running_case_error(error, submission, actor=actor, today=today) from error
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

    surroundings = Surroundings(case.sending_unit, today=today)

    def change(locked: Case) -> None:
        (locked.patient,) = register([submission], surroundings=surroundings, now=now)
        take_over(locked, submission, surroundings=surroundings)
        locked.guarantee_start = guarantee_start(submission)
        locked.last_day = last_day(
            start=locked.guarantee_start,
            days=locked.guarantee_days,
            pauses=locked.finished_pauses(),
        )
        _attach_all(locked.form, attachments, now=now)
        store_forms([(locked.form, locked, submission)], now=now)
        _take_consent(locked, submission, actor=actor, now=now)
        details["version"] = locked.form.version

    try:
        with transaction.atomic():
            return perform(case, "resubmit", actor=actor, now=now, details=details, change=change)
    except IntegrityError as error:
        raise running_case_error(error, submission, actor=actor, today=today) from error


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
    if not sends_for(actor, unit):
        raise NotAllowed(_("Bara den avsändande kliniken kan skicka in blanketten."))
    require_open_sender(unit)


def sends_for(actor: Actor, unit: CareUnit) -> bool:
    """Whether the actor is the unit's own, or a system that may speak for it."""
    own_unit = actor.role == Role.CLINIC and actor.care_unit_id == unit.pk
    integration = (
        actor.role == Role.INTEGRATION
        and actor.region == unit.region_id
        and actor.care_unit_id in {None, unit.pk}
    )
    return own_unit or integration or actor.is_system


def require_open_sender(unit: CareUnit) -> None:
    """Raise :class:`NotAllowed` for a unit that is closed or sends nobody."""
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


def _take_consent(case: Case, submission: Submission, *, actor: Actor, now: datetime) -> None:
    """What the form says of the patient's consent becomes a row of its own, once."""
    said = consent_in(submission)
    if said and not case.consents.filter(care_unit__isnull=True, **said).exists():
        add_consent(case, **said, actor=actor, now=now)


def _content_type(content: bytes) -> str:
    text = _("Bilagor ska vara PDF, JPEG eller PNG. Den här filen är något annat.")
    return checked_type(content, allowed=Attachment.ContentType.values, refusal=text)


def _delete_attachment(attachment: Attachment) -> None:
    """Delete the row now and the file once the row is gone for good."""
    storage, name = attachment.file.storage, str(attachment.file.name)
    attachment.delete()
    transaction.on_commit(lambda: storage.delete(name))
