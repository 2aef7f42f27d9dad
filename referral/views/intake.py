"""The clinic's forms: list, page, autosave and attachments."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from organisations.access import Actor, record_access
from organisations.errors import InvalidInput, WrongState
from organisations.languages import language_names
from organisations.models import CareUnit, Equipment, Role
from organisations.pages import actor_of, roles_required
from patients.identity import IdentityNumber, InvalidIdentityNumber
from referral import services
from referral.access_log import record_form_access
from referral.forms import IntakeFormPage, initial_from
from referral.models import Attachment, Case, CaseState, IntakeForm
from referral.selectors import running_case
from referral.selectors.codes import diagnosis_label, procedure_label
from referral.submission import Submission
from referral.views.shared import case_or_404

GROUPS: tuple[tuple[str, Any, tuple[tuple[str, str], ...]], ...] = (
    (
        "patient",
        gettext_lazy("Patient"),
        (
            ("identity_number", "span-4"),
            ("given_name", "span-4"),
            ("family_name", "span-4"),
            ("street", "span-4"),
            ("postal_code", "span-4"),
            ("town", "span-4"),
            ("municipality", "span-4"),
            ("phone", "span-4"),
            ("language", "span-4"),
            ("protection", "span-6"),
        ),
    ),
    (
        "need",
        gettext_lazy("Vad patienten väntar på"),
        (
            ("kva", "span-6"),
            ("icd10", "span-6"),
            ("phase", "span-6"),
            ("svf", "span-6"),
            ("referral_cause", "span-6"),
            ("svf_pathway", "span-4"),
            ("suspicion_date", "span-4"),
            ("svf_treatment", "span-4"),
            ("referral_date", "span-4"),
            ("decision_date", "span-4"),
            ("medical_target_date", "span-4"),
            ("home_wait_days", "span-6"),
        ),
    ),
    (
        "health",
        gettext_lazy("Medicinska uppgifter"),
        (
            ("asa", "span-3"),
            ("bmi", "span-3"),
            ("mobility", "span-6"),
            ("medications", ""),
            ("anticoagulants", "span-6"),
            ("escort", "span-6"),
            ("interpreter", "span-6"),
            ("max_distance_km", "span-6"),
            ("equipment", ""),
        ),
    ),
    (
        "transfer",
        gettext_lazy("Läkarens bedömning"),
        (
            ("clinician", "span-6"),
            ("transferable", ""),
            ("not_transferable_reason", "only-when-no"),
            ("free_text", ""),
        ),
    ),
    (
        "consent",
        gettext_lazy("Samtycke"),
        (
            ("share_consent", ""),
            ("share_consent_how", "span-6"),
            ("share_consent_on", "span-6"),
        ),
    ),
)


@roles_required(Role.CLINIC)
def forms_page(request: HttpRequest) -> HttpResponse:
    """Drafts and forms sent back, newest first."""
    actor, now = actor_of(request), timezone.now()
    open_forms = IntakeForm.objects.filter(sending_unit_id=actor.care_unit_id).select_related(
        "case__patient", "created_by"
    )
    returned = list(open_forms.filter(case__state=CaseState.RETURNED))
    drafts = list(open_forms.filter(case__isnull=True)[:200])
    record_access(
        actor,
        what="list",
        now=now,
        cases=[(f.case.number, f.case.patient_id) for f in returned if f.case],
    )
    record_access(actor, what="drafts", now=now, forms=[form.pk for form in drafts])
    return render(request, "referral/forms.html", {"drafts": drafts, "returned": returned})


@roles_required(Role.CLINIC)
@require_POST
def form_new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    unit = get_object_or_404(CareUnit, pk=actor.care_unit_id)
    form = services.create_draft(actor=actor, sending_unit=unit, now=timezone.now())
    return redirect("form", pk=form.pk)


@roles_required(Role.CLINIC)
def form_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The form. A POST submits it; what does not hold is shown at its field and stays typed."""
    actor, now = actor_of(request), timezone.now()
    form = _form(actor, pk)
    if form.case and form.case.state != CaseState.RETURNED:
        return redirect("case", number=form.case.number)
    record_form_access(actor, form, what="form", now=now)
    page = IntakeFormPage(initial=initial_from(form.typed))
    running = None
    if request.method == "POST":
        services.save_draft(form, typed=_typed(request), actor=actor, now=now)
        if "save" in request.POST:
            messages.success(request, _("Utkastet är sparat."))
            return redirect("form", pk=form.pk)
        page = IntakeFormPage(request.POST)
        if page.is_valid():
            case, running = _submit(form, page, actor)
            if case:
                messages.success(
                    request,
                    _("Blanketten är inskickad. Ärendet har nummer %(number)s.")
                    % {"number": case.number},
                )
                return redirect("case", number=case.number)
    return render(
        request,
        "referral/form.html",
        _context(form, page, running=running),
        status=422 if page.errors else 200,
    )


def _submit(
    form: IntakeForm, page: IntakeFormPage, actor: Actor
) -> tuple[Case | None, Case | None]:
    """The submitted case, or the running one that stands in the way; errors go to the page."""
    submission, now = page.submission(), timezone.now()
    try:
        if form.case:
            return services.resubmit(form.case, submission, actor=actor, now=now), None
        return (
            services.submit(
                submission, sending_unit=form.sending_unit, actor=actor, now=now, form=form
            ),
            None,
        )
    except InvalidInput as error:
        page.add_refusal(error)
    except WrongState as error:
        page.add_error("kva" if error.code == "case_running" else None, str(error.message))
    running = running_case(
        actor,
        identity_number=submission.identity_number,
        kva=submission.kva,
        today=timezone.localdate(now),
    )
    _record_running(actor, running)
    return None, running


@roles_required(Role.CLINIC)
@require_POST
def form_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: keeps what is typed and answers with what the clinic should know by now."""
    actor, now = actor_of(request), timezone.now()
    form = _form(actor, pk)
    typed = _typed(request)
    try:
        form = services.save_draft(form, typed=typed, actor=actor, now=now)
    except WrongState:  # the last keystroke's save came after the form was sent in
        return HttpResponse(status=204)
    identity, running = _early_answers(form, typed, actor)
    _record_running(actor, running)
    return render(
        request,
        "referral/partials/draft_status.html",
        {
            "form": form,
            "running": running,
            "identity_problem": identity,
            "chosen_codes": _chosen_codes(typed).values(),
        },
    )


def _record_running(actor: Actor, running: Case | None) -> None:
    if running:
        record_access(
            actor,
            what="running case",
            now=timezone.now(),
            cases=[(running.number, running.patient_id)],
        )


def _early_answers(
    form: IntakeForm, typed: dict[str, Any], actor: Actor
) -> tuple[str, Case | None]:
    """What is wrong with the identity number, and a running case for patient and procedure."""
    today = timezone.localdate()
    number = typed.get("identity_number", "")
    if not number:
        return "", None
    try:
        IdentityNumber.parse(number, today=today)
    except InvalidIdentityNumber as error:
        return (str(error), None) if len(number) >= 10 else ("", None)
    kva = typed.get("kva", "").split(" ", 1)[0]
    found = running_case(actor, identity_number=number, kva=kva, today=today) if kva else None
    return "", None if found and found.pk == form.case_id else found


@roles_required(Role.CLINIC)
@require_POST
def form_attachments(request: HttpRequest, pk: int) -> HttpResponse:
    """Add files to the form. What is typed in the rest of the form is saved along."""
    actor, now = actor_of(request), timezone.now()
    form = _form(actor, pk)
    services.save_draft(form, typed=_typed(request), actor=actor, now=now)
    files = request.FILES.getlist("file")
    if not files:
        messages.error(request, _("Välj en fil att bifoga."))
    for file in files:
        if file.size is not None and file.size > Attachment.MAX_BYTES:
            messages.error(request, _("%(name)s är större än 20 MB.") % {"name": file.name})
            continue
        try:
            services.add_attachment(
                form, name=file.name or "", content=file.read(), actor=actor, now=now
            )
        except InvalidInput as error:
            messages.error(request, f"{file.name}: {error.message}")
        else:
            messages.success(request, _("%(name)s är bifogad.") % {"name": file.name})
    return redirect("form", pk=form.pk)


@roles_required(Role.CLINIC)
@require_POST
def form_attachment_remove(request: HttpRequest, pk: int, attachment: int) -> HttpResponse:
    actor = actor_of(request)
    form = _form(actor, pk)
    services.save_draft(form, typed=_typed(request), actor=actor, now=timezone.now())
    services.remove_attachment(
        get_object_or_404(form.attachments.select_related("form"), pk=attachment),
        actor=actor,
        now=timezone.now(),
    )
    messages.success(request, _("Bilagan är borttagen."))
    return redirect("form", pk=form.pk)


@roles_required(Role.CLINIC)
@require_POST
def form_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away, once the person has said so on a page of its own."""
    actor = actor_of(request)
    if "sure" not in request.POST:
        form = _form(actor, pk)
        services.save_draft(form, typed=_typed(request), actor=actor, now=timezone.now())
        return render(request, "referral/discard.html", {"form": form})
    services.discard_draft(_form(actor, pk), actor=actor, now=timezone.now())
    messages.success(request, _("Utkastet är borttaget."))
    return redirect("forms")


@roles_required(Role.CLINIC)
def case_form(request: HttpRequest, number: str) -> HttpResponse:
    """From a case to its form."""
    return redirect("form", pk=case_or_404(actor_of(request), number).form.pk)


def _form(actor: Actor, pk: int) -> IntakeForm:
    return get_object_or_404(
        IntakeForm.objects.select_related("case__patient", "sending_unit__region"),
        pk=pk,
        sending_unit_id=actor.care_unit_id,
    )


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What stands in the fields; PostgreSQL cannot hold NUL, which nobody types."""
    typed: dict[str, Any] = {
        name: request.POST[name].replace("\x00", "")
        for name in Submission.field_names()
        if name in request.POST
    }
    if "equipment" in typed:
        typed["equipment"] = [c for c in request.POST.getlist("equipment") if c in Equipment.values]
    return typed


def _chosen_codes(typed: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The Swedish names of the codes in the fields, by field."""
    labels = {"kva": procedure_label, "icd10": diagnosis_label}
    return {
        field: {"field": field, "name": label(str(typed.get(field) or ""))}
        for field, label in labels.items()
    }


def _context(form: IntakeForm, page: IntakeFormPage, *, running: Case | None) -> dict[str, Any]:
    returned = form.case.log.filter(verb="return_to_clinic").last() if form.case else None
    chosen = _chosen_codes({name: page[name].value() for name in ("kva", "icd10")})
    return {
        "form": form,
        "page": page,
        "groups": [
            (key, title, [(page[name], span, chosen.get(name)) for name, span in fields])
            for key, title, fields in GROUPS
        ],
        "attachments": list(form.attachments.all()),
        "languages": language_names().values(),
        "running": running,
        "missing": returned.why if returned else "",
    }
