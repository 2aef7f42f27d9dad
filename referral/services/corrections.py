"""Rättelse: wrong details, the wrong patient, a wrong note, and protected identities.

Patientdatalagen 3 kap. 14 §: nothing is erased. What stood before is kept in ``Correction``, in
the form's submitted versions and in the log, readable by those who handle the case at home.
"""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product, record_access
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import Role
from patients.identity import IdentityNumber, InvalidIdentityNumber
from patients.models import Patient
from patients.services import (
    DEPARTURES,
    ContactDetails,
    correct_details,
    find_or_register,
    lift_protection,
    protect_identity,
    record_departure,
    take_back_departure,
)
from referral.machine import append_log, perform
from referral.models import (
    OF_PATHWAY,
    Case,
    CaseLog,
    Correction,
    IntakeForm,
    IntakeFormVersion,
    LogVerb,
    RetentionHold,
)
from referral.privacy import PRIVACY
from referral.selectors.administration import case_of_region
from referral.selectors.cases import wrote
from referral.services.shared import required_text
from referral.submission import ADDRESS_FIELDS, pathway_problems


def correct_patient(
    case: Case, *, contact: ContactDetails, reason: str, actor: Actor, now: datetime
) -> Case:
    """Put name, address and other details right, for all the patient's cases."""
    why = _reason(reason)
    details: dict[str, Any] = {}

    def change(locked: Case) -> None:
        locked.patient, changes = correct_details(locked.patient, contact=contact)
        if not changes:
            text = _("Inget är ändrat.")
            raise InvalidInput(text, fields={"given_name": text})
        _correct(locked, Correction.Kind.DETAILS, why, changes=changes, actor=actor, now=now)
        details["fields"] = sorted(changes)

    return perform(
        case,
        PRIVACY["correct_patient"],
        actor=actor,
        now=now,
        why=why,
        details=details,
        change=change,
    )


def correct_pathway(
    case: Case,
    *,
    svf: bool,
    svf_pathway: str,
    suspicion_date: date | None,
    svf_treatment: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Case:
    """Put the cancer pathway right: which it is, the day of suspicion, the first treatment.

    The form's submitted versions stay as sent; what a completion starts from follows.
    """
    why = _reason(reason)
    right = {
        "svf": svf,
        "svf_pathway": svf_pathway,
        "suspicion_date": suspicion_date,
        "svf_treatment": svf_treatment,
    }
    details: dict[str, Any] = {}

    def change(locked: Case) -> None:
        problems = pathway_problems(
            svf=svf,
            svf_pathway=svf_pathway,
            suspicion_date=suspicion_date,
            svf_treatment=svf_treatment,
            decision_date=locked.decision_date,
        )
        before = {name: getattr(locked, name) for name in OF_PATHWAY}
        changed = [name for name in OF_PATHWAY if before[name] != right[name]]
        if not problems and not changed:
            problems["svf_pathway"] = _("Inget är ändrat.")
        if problems:
            raise InvalidInput(_("Vårdförloppet behöver rättas."), fields=problems)
        for name in changed:
            setattr(locked, name, right[name])
        typed = {name: _plain(value) for name, value in right.items() if value is not None}
        kept = {k: v for k, v in locked.form.typed.items() if k not in OF_PATHWAY}
        locked.form.typed = kept | typed
        locked.form.save(update_fields=["typed"])
        changes = {name: [_plain(before[name]), _plain(right[name])] for name in changed}
        _correct(locked, Correction.Kind.PATHWAY, why, changes=changes, actor=actor, now=now)
        details["fields"] = changed

    return perform(
        case,
        PRIVACY["correct_pathway"],
        actor=actor,
        now=now,
        why=why,
        details=details,
        change=change,
    )


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.isoformat() if isinstance(value, date) else value


def move_patient(
    case: Case,
    *,
    identity_number: str,
    given_name: str,
    family_name: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Case:
    """The case was registered on the wrong person: move it to the right one.

    The wrong patient loses the case and keeps no trace of it but in the correction. Raises
    :class:`WrongState` when the right patient has a running case for the same procedure.
    """
    why = _reason(reason)
    try:
        identity = IdentityNumber.parse(identity_number, today=timezone.localdate(now))
    except InvalidIdentityNumber as error:
        raise InvalidInput(str(error), fields={"identity_number": str(error)}) from error

    def change(locked: Case) -> None:
        wrong = locked.patient
        right = find_or_register(identity, given_name=given_name, family_name=family_name, now=now)
        if right.pk == wrong.pk:
            text = _("Ärendet gäller redan denna patient.")
            raise InvalidInput(text, fields={"identity_number": text})
        locked.patient = right
        _write_into_form(locked.form, right)
        _correct(locked, Correction.Kind.PATIENT, why, wrong_patient=wrong, actor=actor, now=now)
        # ``perform`` logs the access to the right patient; the wrong one was changed too.
        shown = [(locked.number, wrong.pk)]
        record_access(actor, what=LogVerb.MOVE_PATIENT, now=now, cases=shown, of_change=True)

    try:
        with transaction.atomic():
            return perform(
                case, PRIVACY["move_patient"], actor=actor, now=now, why=why, change=change
            )
    except IntegrityError as error:
        if "case_one_running_per_patient_and_procedure" not in str(error):
            raise
        text = _("Den andra patienten har redan ett pågående ärende för åtgärden.")
        raise WrongState(text, code="case_running", fields={"identity_number": text}) from error


def _write_into_form(form: IntakeForm, patient: Patient) -> None:
    """What a completion starts from names the right patient; submitted versions stay as sent."""
    form.typed |= {
        "identity_number": patient.identity_number,
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "protection": patient.protection,
        "phone": patient.phone,
        "street": patient.street,
        "postal_code": patient.postal_code,
        "town": patient.town,
        "municipality": patient.municipality_id or "",
    }
    form.save(update_fields=["typed"])


def strike_note(case: Case, *, entry_id: int, reason: str, actor: Actor, now: datetime) -> Case:
    """Mark a note as wrong. It stays readable, struck through; the right one is a new note."""
    why = _reason(reason)

    def change(locked: Case) -> None:
        entry = CaseLog.objects.filter(case=locked, pk=entry_id, verb=LogVerb.NOTE).first()
        if entry is None:
            raise WrongState(_("Anteckningen finns inte."), code="no_such_note")
        if not wrote(entry, actor):
            raise NotAllowed(_("Bara den som skrev, eller samma enhet, märker en anteckning."))
        marked = CaseLog.objects.filter(
            case=locked, verb=LogVerb.STRIKE_NOTE, details__entry=entry.pk
        )
        if marked.exists():
            raise WrongState(_("Anteckningen är redan märkt som felaktig."), code="struck")

    return perform(
        case,
        PRIVACY["strike_note"],
        actor=actor,
        now=now,
        why=why,
        details={"entry": entry_id},
        change=change,
    )


def protect(case: Case, *, protection: str, reason: str, actor: Actor, now: datetime) -> Case:
    """Skyddad identitet: the address leaves the system, also what was submitted before."""
    why = _reason(reason)

    def change(locked: Case) -> None:
        before = locked.patient.protection
        locked.patient = protect_identity(locked.patient, protection=protection)
        _forget_addresses(locked.patient)
        changes = {"protection": [before, protection]}
        _correct(locked, Correction.Kind.PROTECTION, why, changes=changes, actor=actor, now=now)

    return perform(case, PRIVACY["protect"], actor=actor, now=now, why=why, change=change)


def depart(case: Case, *, kind: str, on: date, reason: str, actor: Actor, now: datetime) -> Case:
    """The patient has died or moved abroad: nothing more is sent, in any of the patient's cases.

    The case stays where it is, for its navigator to close (patients.services.record_departure).
    """
    why = _reason(reason)

    def change(locked: Case) -> None:
        today = timezone.localdate(now)
        locked.patient = record_departure(locked.patient, kind=kind, on=on, today=today)
        changes = {kind: [None, on.isoformat()]}
        _correct(locked, Correction.Kind.DEPARTURE, why, changes=changes, actor=actor, now=now)

    return perform(case, PRIVACY["depart"], actor=actor, now=now, why=why, change=change)


def undo_depart(case: Case, *, reason: str, actor: Actor, now: datetime) -> Case:
    """The patient is to be reached again. What was stopped is not sent by itself."""
    why = _reason(reason)

    def change(locked: Case) -> None:
        before = {name: getattr(locked.patient, name) for name in DEPARTURES}
        changes = {name: [day.isoformat(), None] for name, day in before.items() if day}
        locked.patient = take_back_departure(locked.patient)
        _correct(locked, Correction.Kind.DEPARTURE, why, changes=changes, actor=actor, now=now)

    return perform(case, PRIVACY["undo_depart"], actor=actor, now=now, why=why, change=change)


def _forget_addresses(patient: Patient) -> None:
    """What was typed, submitted and corrected before keeps all but the address."""
    for form in IntakeForm.objects.filter(case__patient=patient):
        form.typed = {k: v for k, v in form.typed.items() if k not in ADDRESS_FIELDS}
        form.save(update_fields=["typed"])
    for version in IntakeFormVersion.objects.filter(form__case__patient=patient):
        content = {k: "" if k in ADDRESS_FIELDS else v for k, v in version.content.items()}
        _replace("replace_form_version", version, "content", content)
    for row in Correction.objects.filter(patient=patient):
        changes = {k: v for k, v in row.changes.items() if k not in ADDRESS_FIELDS}
        _replace("replace_correction", row, "changes", changes)


def _replace(function: str, row: Model, column: str, value: dict[str, Any]) -> None:
    """Put the value in the append-only row, sealed, through the function that may."""
    sealed = row._meta.get_field(column).get_db_prep_save(value, connection)  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [row.pk, sealed])


@transaction.atomic
def unprotect(number: str, *, reason: str, actor: Actor, now: datetime) -> Case:
    """Lift the mark, once the tax agency has: the region's administrator alone, by case number."""
    why = _reason(reason)
    case = case_of_region(actor, number)
    with as_product("protection lifted"):
        if not case.patient.is_protected:
            text = _("Patienten i ärendet har ingen skyddad identitet.")
            raise WrongState(text, code="not_protected", fields={"number": text})
        changes = {"protection": [case.patient.protection, Patient.Protection.NONE]}
        lift_protection(case.patient)
        _correct(case, Correction.Kind.PROTECTION, why, changes=changes, actor=actor, now=now)
        _log(case, LogVerb.UNPROTECT, why, actor=actor, now=now)
    return case


@transaction.atomic
def place_hold(number: str, *, reason: str, actor: Actor, now: datetime) -> RetentionHold:
    """Keep the case past its time until the hold is lifted."""
    why = _reason(reason)
    case = case_of_region(actor, number)
    with as_product("retention hold"):
        if case.holds.filter(lifted_at__isnull=True).exists():
            text = _("Ärendet har redan ett gallringsstopp.")
            raise WrongState(text, code="held", fields={"number": text})
        shown = [(case.number, case.patient_id)]
        record_access(actor, what="hold", now=now, cases=shown, of_change=True)
        return RetentionHold.objects.create(
            case=case,
            case_number=case.number,
            region_id=case.region_id,
            reason=why,
            **_who(actor, now=now),
        )


@transaction.atomic
def lift_hold(hold: RetentionHold, *, actor: Actor, now: datetime) -> RetentionHold:
    """Let the case be thinned again when its time comes."""
    with as_product("retention hold"):
        locked = RetentionHold.objects.select_for_update().get(pk=hold.pk)
        if actor.role != Role.REGION_ADMIN or actor.region != locked.region_id:
            raise NotAllowed(_("Bara regionens administratör häver gallringsstopp."))
        if locked.lifted_at is None:
            locked.lifted_at = now
            locked.lifted_by_id = actor.user_id
            locked.save(update_fields=["lifted_at", "lifted_by"])
            shown = [(locked.case_number, locked.case.patient_id)]
            record_access(actor, what="hold", now=now, cases=shown, of_change=True)
        return locked


def _correct(
    case: Case,
    kind: Correction.Kind,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
    changes: dict[str, list[Any]] | None = None,
    wrong_patient: Patient | None = None,
) -> None:
    Correction.objects.create(
        case=case,
        patient_id=case.patient_id,
        wrong_patient=wrong_patient,
        kind=kind,
        reason=reason,
        changes=changes or {},
        **_who(actor, now=now),
    )


def _log(case: Case, verb: LogVerb, why: str, *, actor: Actor, now: datetime) -> None:
    append_log(case, verb=verb, from_state=case.state, actor=actor, now=now, why=why)


def _who(actor: Actor, *, now: datetime) -> dict[str, Any]:
    return {
        "at": now,
        "user_id": actor.user_id,
        "actor_name": actor.name,
        "role": actor.role,
        "place": actor.place,
    }


def _reason(text: str) -> str:
    return required_text(text, field="reason", message=_("Skriv ett skäl."))
