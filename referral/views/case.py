"""The case page, its matching, offers, verbs and documents."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from organisations.access import Actor, record_access
from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import PlainForm
from referral import services
from referral.forms import ONE_CLICK, OWN_PAGES, DismissForm, NoteForm, form_for
from referral.lead_time import lead_time_of
from referral.machine import TRANSITIONS, Transition, actions_for
from referral.models import Case, CaseState, Offer
from referral.pdf import certificate_pdf
from referral.reference.loader import diagnosis_name
from referral.selectors import matching_for, timeline
from referral.selectors.allocation import draft_on
from referral.selectors.matching import with_free_places
from referral.selectors.privacy import secrecy_of
from referral.selectors.watching import hits_of
from referral.services.watching import DISMISS
from referral.views.privacy import way_to_blocked
from referral.views.shared import Handler, calling, case_or_404, submitted

WITH_PATIENT = (Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER)
# The next step of a state stands first and filled; the others follow as plain buttons.
SECONDARY = frozenset(
    {
        *("assign", "return_to_clinic", "park", "review", "end", "pause", "end_pause"),
        *("withdraw_offer", "reject", "leave_list"),
    }
)
# Verbs that are the next step in one state and only possible in another.
NOT_NEXT = frozenset({(CaseState.CONFIRMED, "treat"), (CaseState.BOOKED, "book")})


# What the case waits for, in words, for those who follow it.
WAITS_FOR = {
    CaseState.RECEIVED: _lazy("Blanketten väntar på att en vårdlots tar ärendet."),
    CaseState.RETURNED: _lazy("Kliniken ska komplettera blanketten."),
    CaseState.IN_PROGRESS: _lazy("Vårdlotsen söker en vårdgivare och lämnar ett erbjudande."),
    CaseState.WATCHED: _lazy("Ingen kan ta emot just nu. Återuppta när någon har plats."),
    CaseState.OFFERED: _lazy("Patienten ska svara på erbjudandet."),
    CaseState.ACCEPTED: _lazy("Patienten har tackat ja. Vårdgivaren ska bekräfta remissen."),
    CaseState.CONFIRMED: _lazy("Vårdgivaren ska boka en tid."),
    CaseState.BOOKED: _lazy("Patienten har en tid. Vårdgivaren rapporterar när vården är given."),
    CaseState.TREATED: _lazy("Patienten är behandlad. Vårdgivaren skickar återremiss."),
    CaseState.CLOSED: _lazy("Ärendet är avslutat."),
}

SOMETHING_FOUND = _lazy("Någon kan ta emot nu. Återuppta ärendet, eller avfärda träffarna.")


@dataclass(frozen=True)
class ActionButton:
    verb: str
    label: str
    url: str
    one_click: bool
    primary: bool


def buttons_for(case: Case, actor: Actor) -> list[ActionButton]:
    """What the actor may do now, from the state machine's table and nothing else."""
    buttons = []
    for verb in actions_for(case, actor):
        if verb == "note":  # the timeline has a field of its own for notes
            continue
        if verb in OWN_PAGES:
            url = reverse(OWN_PAGES[verb], args=[case.number])
        else:
            url = reverse("case-action", args=[case.number, verb])
        buttons.append(
            ActionButton(
                verb=verb,
                label=str(TRANSITIONS[verb].label),
                url=url,
                one_click=verb in ONE_CLICK,
                primary=verb not in SECONDARY and (case.state, verb) not in NOT_NEXT,
            )
        )
    return sorted(buttons, key=lambda button: not button.primary)


@roles_required(*WITH_PATIENT)
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    try:
        case = case_or_404(actor, number)
    except Http404:
        blocked = way_to_blocked(actor, number)
        if not blocked:
            raise
        return redirect(blocked)
    if case.number != number:
        return redirect("case", number=case.number)
    record_access(actor, what="case", now=now, cases=[(case.number, case.patient_id)])
    context = _context(case, actor, note_form=NoteForm())
    if case.navigator_id in {None, actor.user_id}:
        services.mark_seen((shown.hit for shown in context["hits"]), now=now)
    return render(request, "referral/case.html", context)


def _context(case: Case, actor: Actor, **extra: Any) -> dict[str, Any]:
    today = timezone.localdate()
    own_side = actor.role in {Role.NAVIGATOR, Role.CLINIC}
    offers = case.offers.select_related("care_unit__municipality", "certificate", "referral")
    if not own_side:  # a provider sees the offer that it accepted, not the others
        offers = offers.filter(state=Offer.State.ACCEPTED)
    shown = list(offers.order_by("-serial"))
    log = timeline(actor, case)
    watched = case.state == CaseState.WATCHED and actor.role == Role.NAVIGATOR
    hits = hits_of(case, today=today) if watched else []
    found = any(not shown.reasons for shown in hits)
    return {
        "case": case,
        "form": case.form,
        "diagnosis": diagnosis_name(case.icd10),
        "clock": case.clock(today),
        "today": today,
        "age": case.patient.age_at(today),
        "waits_for": SOMETHING_FOUND if found else WAITS_FOR[CaseState(case.state)],
        "buttons": buttons_for(case, actor),
        "hits": hits,
        "hits_hold": found,
        "may_note": "note" in actions_for(case, actor),
        "offers": shown,
        "lead_time": lead_time_of(case, shown, today=today),
        "attachments": list(case.form.attachments.all()),
        "pauses": list(case.pauses.all()),
        "timeline": log,
        "last_return": next((e for e in log if e.verb == "return_to_clinic"), None),
        "last_rejection": next((e for e in log if e.verb == "reject"), None),
        "own_side": own_side,
        "secrecy": secrecy_of(actor, case),
        "draft": draft_on(actor, case),
        **extra,
    }


@roles_required(*WITH_PATIENT)
def case_action(request: HttpRequest, number: str, verb: str) -> HttpResponse:
    """One verb: its form on GET, done on POST."""
    actor = actor_of(request)
    case = case_or_404(actor, number)
    transition = TRANSITIONS.get(verb)
    if transition is None or verb not in HANDLERS:
        raise Http404
    if not transition.allows(case, actor) and request.method != "POST":
        messages.warning(request, _("Det går inte längre. Läget i ärendet har ändrats."))
        return redirect("case", number=case.number)
    form = form_for(verb, request.POST if request.method == "POST" else None)
    if submitted(
        request,
        form,
        lambda: HANDLERS[verb](case, form.cleaned_data, actor),
        label=transition.label,
    ):
        return redirect(_after(case, actor))
    offer = case.offers.filter(state=Offer.State.SENT).first()
    return _form_page(request, case, transition, form, offer=offer)


def _form_page(
    request: HttpRequest, case: Case, transition: Transition, form: PlainForm, **context: Any
) -> HttpResponse:
    """The page where a verb's form is filled in."""
    record_access(
        actor_of(request),
        what="case",
        now=timezone.now(),
        cases=[(case.number, case.patient_id)],
    )
    context |= {"case": case, "transition": transition, "action_form": form}
    context["clock"] = case.clock(timezone.localdate())
    status = 422 if form.errors else 200
    return render(request, "referral/action.html", context, status=status)


def _after(case: Case, actor: Actor) -> str:
    """Back to the case, or to the list when the actor no longer sees it (a provider's no)."""
    if Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        return reverse("case", args=[case.number])
    return reverse("worklist")


def _answer(case: Case, data: dict[str, Any], actor: Actor, *, accepted: bool) -> None:
    offer = case.offers.filter(state=Offer.State.SENT).first()
    if offer is None:
        raise DomainError(_("Det finns inget erbjudande att svara på."))
    services.answer_offer(
        offer,
        accepted=accepted,
        channel=data["channel"],
        reason=data.get("reason", ""),
        comment=data["comment"],
        actor=actor,
        now=timezone.now(),
    )


def _withdraw(case: Case, data: dict[str, Any], actor: Actor) -> None:
    offer = case.offers.filter(state=Offer.State.SENT).first()
    if offer is None:
        raise DomainError(_("Det finns inget erbjudande att återta."))
    services.withdraw_offer(offer, why=data["why"], actor=actor, now=timezone.now())


HANDLERS: dict[str, Handler] = {
    "take": calling(services.take),
    "assign": calling(services.assign),
    "return_to_clinic": calling(services.return_to_clinic),
    "note": calling(services.note),
    "park": calling(services.park),
    "review": calling(services.review),
    "unpark": calling(services.unpark),
    "end": calling(services.end),
    "leave_list": calling(services.leave_list),
    "pause": calling(services.pause),
    "end_pause": calling(services.end_pause),
    "accept": lambda case, data, actor: _answer(case, data, actor, accepted=True),
    "decline": lambda case, data, actor: _answer(case, data, actor, accepted=False),
    "withdraw_offer": _withdraw,
    "confirm": calling(services.confirm),
    "reject": calling(services.reject),
    "book": calling(services.book),
    "treat": calling(services.treat),
    "close": calling(services.close),
}


@roles_required(Role.NAVIGATOR)
def matching_page(request: HttpRequest, number: str) -> HttpResponse:
    """Ranked providers with the reason for each rank, and those left out with theirs."""
    actor, now = actor_of(request), timezone.now()
    case = case_or_404(actor, number)
    record_access(actor, what="matching", now=now, cases=[(case.number, case.patient_id)])
    today = timezone.localdate(now)
    matching = matching_for(case, today=today)
    with_free_places(case, matching, today=today)
    return render(
        request,
        "referral/matching.html",
        {
            "case": case,
            "clock": case.clock(today),
            "matching": matching,
            "may_offer": "offer" in actions_for(case, actor) and case.form.transferable,
        },
    )


@roles_required(Role.NAVIGATOR)
def dismiss_hit(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Say why what turned up is not for this patient; the case is watched on."""
    actor = actor_of(request)
    case = case_or_404(actor, number)
    get_object_or_404(case.watch_hits, pk=pk)
    form = DismissForm(request.POST if request.method == "POST" else None)

    def dismiss() -> None:
        services.dismiss_hit(case, hit_id=pk, **form.cleaned_data, actor=actor, now=timezone.now())

    if submitted(request, form, dismiss, label=DISMISS.label):
        return redirect("case", number=case.number)
    return _form_page(request, case, DISMISS, form)


@roles_required(*WITH_PATIENT)
def certificate_file(request: HttpRequest, number: str, serial: int) -> HttpResponse:
    actor = actor_of(request)
    case = case_or_404(actor, number)
    certificates = case.certificates.all()
    if actor.role == Role.PROVIDER:
        certificates = certificates.filter(offer__state=Offer.State.ACCEPTED)
    certificate = get_object_or_404(certificates, serial=serial)
    record_access(
        actor, what="certificate", now=timezone.now(), cases=[(case.number, case.patient_id)]
    )
    response = HttpResponse(certificate_pdf(certificate), content_type="application/pdf")
    response["Content-Disposition"] = (
        f'inline; filename="vardgarantiintyg-{case.number}-{serial}.pdf"'
    )
    return response


@roles_required(*WITH_PATIENT)
def attachment_file(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """Always a download: nothing that was uploaded is shown inside the product's own pages."""
    actor = actor_of(request)
    case = case_or_404(actor, number)
    attachment = get_object_or_404(case.form.attachments, pk=pk)
    record_access(
        actor, what="attachment", now=timezone.now(), cases=[(case.number, case.patient_id)]
    )
    return FileResponse(
        attachment.file.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type=attachment.content_type,
    )
