"""Secrecy and correctness in a case, and what is shown of a case that the patient has blocked."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.access import Actor, record_access
from organisations.errors import InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import PlainForm
from patients.services import ContactDetails
from referral import services
from referral.forms import privacy as forms
from referral.models import Case
from referral.patient_extract import extract_for_case
from referral.privacy import PRIVACY
from referral.selectors.privacy import BlockedCase, blocked_case
from referral.views.documents import extract_file
from referral.views.shared import Handler, calling, case_or_404, submitted

WITH_PATIENT = (Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER)

FORMS: dict[str, type[PlainForm]] = {
    "consent": forms.ConsentForm,
    "block": forms.BlockForm,
    "lift_block": forms.LiftBlockForm,
    "protect": forms.ProtectForm,
    "depart": forms.DepartForm,
    "undo_depart": forms.UndoDepartForm,
    "move_patient": forms.MovePatientForm,
    "export": forms.ExportForm,
}


def _correct(case: Case, data: dict[str, Any], actor: Actor) -> None:
    details = dict(data)
    reason = details.pop("reason")
    services.correct_patient(
        case, contact=ContactDetails(**details), reason=reason, actor=actor, now=timezone.now()
    )


HANDLERS: dict[str, Handler] = {
    "consent": calling(services.record_consent),
    "block": calling(services.block),
    "lift_block": calling(services.lift_block),
    "protect": calling(services.protect),
    "depart": calling(services.depart),
    "undo_depart": calling(services.undo_depart),
    "correct_patient": _correct,
    "correct_pathway": calling(services.correct_pathway),
    "move_patient": calling(services.move_patient),
}


@roles_required(*WITH_PATIENT)
def privacy_action(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """One thing to do about secrecy or correctness: its form on GET, done on POST."""
    actor = actor_of(request)
    case = case_or_404(actor, number)
    rule = PRIVACY.get(verb)
    if rule is None or verb not in {*HANDLERS, "export"}:
        raise Http404
    if not rule.allows(case, actor):
        messages.warning(
            request, _("Det går inte. Läget i ärendet har ändrats eller rollen saknas.")
        )
        return redirect("case", number=case.number)
    data = request.POST if request.method == "POST" else None
    if verb == "correct_patient":
        form: PlainForm = forms.CorrectPatientForm(data, patient=case.patient)
    elif verb == "correct_pathway":
        form = forms.CorrectPathwayForm(data, case=case)
    else:
        form = FORMS[verb](data)
    if verb == "export":
        if form.is_bound and form.is_valid():
            return _exported(case, form.cleaned_data, actor)
    elif submitted(
        request, form, lambda: HANDLERS[verb](case, form.cleaned_data, actor), label=rule.label
    ):
        return redirect("case", number=case.number)
    return _page(request, case, str(rule.label), form, actor)


def _exported(case: Case, data: dict[str, Any], actor: Actor) -> HttpResponse:
    extract = extract_for_case(case, reason=data["reason"], actor=actor, now=timezone.now())
    return extract_file(extract, data["file_format"])


@roles_required(*WITH_PATIENT)
def strike_note(request: HttpRequest, number: str, entry: int) -> HttpResponse:
    """Mark a note as wrong, with the reason."""

    def do(case: Case, data: dict[str, Any], actor: Actor) -> Any:
        return services.strike_note(case, entry_id=entry, **data, actor=actor, now=timezone.now())

    return _of_a_row(request, number, "strike_note", forms.StrikeNoteForm, do)


@roles_required(Role.CLINIC, Role.NAVIGATOR)
def withdraw_consent(request: HttpRequest, number: str, consent: int) -> HttpResponse:
    """The patient takes a consent back."""

    def do(case: Case, data: dict[str, Any], actor: Actor) -> Any:
        return services.withdraw_consent(
            case, consent_id=consent, **data, actor=actor, now=timezone.now()
        )

    return _of_a_row(request, number, "withdraw_consent", forms.WithdrawConsentForm, do)


def _of_a_row(
    request: HttpRequest,
    number: str,
    verb: str,
    form_class: type[PlainForm],
    do: Handler,
) -> HttpResponse:
    actor = actor_of(request)
    case = case_or_404(actor, number)
    form = form_class(request.POST if request.method == "POST" else None)
    label = PRIVACY[verb].label
    if submitted(request, form, lambda: do(case, form.cleaned_data, actor), label=label):
        return redirect("case", number=case.number)
    return _page(request, case, str(label), form, actor)


def _page(
    request: HttpRequest, case: Case, label: str, form: PlainForm, actor: Actor
) -> HttpResponse:
    record_access(actor, what="case", now=timezone.now(), cases=[(case.number, case.patient_id)])
    return render(
        request,
        "referral/privacy/action.html",
        {
            "case": case,
            "label": label,
            "action_form": form,
            "clock": case.clock(timezone.localdate()),
        },
        status=422 if form.errors else 200,
    )


@roles_required(Role.NAVIGATOR, Role.PROVIDER)
def blocked_page(request: HttpRequest, number: str) -> HttpResponse:
    """That there is blocked information, and the two ways to it."""
    actor = actor_of(request)
    found = blocked_case(actor, number)
    if found is None:
        return redirect("case", number=case_or_404(actor, number).number)
    return _blocked(request, found)


def _blocked(request: HttpRequest, found: BlockedCase, **bound: PlainForm) -> HttpResponse:
    shown = [(found.number, found.patient_id)]
    record_access(actor_of(request), what="blocked", now=timezone.now(), cases=shown)
    consent = bound.get("consent_form") or forms.OpenWithConsentForm(auto_id="consent_%s")
    emergency = bound.get("emergency_form") or forms.EmergencyForm(auto_id="emergency_%s")
    return render(
        request,
        "referral/privacy/blocked.html",
        {
            "blocked": found,
            "consent_form": consent,
            "emergency_form": emergency,
            "erring": next((form for form in bound.values() if form.errors), None),
        },
        status=422 if bound else 200,
    )


@roles_required(Role.NAVIGATOR, Role.PROVIDER)
@require_POST
def open_blocked(request: HttpRequest, number: str, way: str) -> HttpResponse:
    """Open a blocked case with the patient's consent or in an emergency."""
    actor, now = actor_of(request), timezone.now()
    found = blocked_case(actor, number)
    if found is None:
        raise Http404
    forms_by_way: dict[str, tuple[type[PlainForm], Callable[..., Any]]] = {
        "consent": (forms.OpenWithConsentForm, services.open_with_consent),
        "emergency": (forms.EmergencyForm, services.open_in_emergency),
    }
    if way not in forms_by_way:
        raise Http404
    form_class, service = forms_by_way[way]
    form = form_class(request.POST, auto_id=f"{way}_%s")
    if form.is_valid():
        try:
            service(found.number, **form.cleaned_data, actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("Ärendet är öppnat. Öppningen är loggad."))
            return redirect("case", number=found.number)
    return _blocked(request, found, **{f"{way}_form": form})


def way_to_blocked(actor: Actor, number: str) -> str:
    """The address that tells of a blocked case, or nothing when there is none for the actor."""
    found = blocked_case(actor, number)
    return reverse("case-blocked", args=[found.number]) if found else ""
