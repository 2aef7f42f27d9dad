"""The patient's own page: code, identity, the case, the answer, a call. No scripts anywhere."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urljoin

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from notices.callbacks.models import CallBack
from notices.callbacks.selectors import free_times
from notices.callbacks.services import ask_for_call, book_call, cancel_call, rebook_call
from notices.own_page import session
from notices.own_page.forms import AcceptForm, CallForm, CodeForm, DeclineForm, MoveForm
from notices.own_page.identity import identity_check
from notices.own_page.languages import NAMES, html_language, language_of, remember
from notices.own_page.selectors import OwnCase, contact_for, offer_in, own_case
from notices.own_page.services import (
    CHANNEL,
    CodeLocked,
    WrongCode,
    open_with_code,
    prove_identity,
)
from notices.own_page.words import standing_of
from organisations.access import Actor, acting_as, record_access
from organisations.errors import DomainError
from organisations.plain_forms import attempt
from organisations.throttling import ANSWER_CODES, LOGIN_PAGES, client_address
from referral.models import AnswerChannel, Offer
from referral.numbers import CaseNumber, InvalidCaseNumber
from referral.services import answer_offer

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
PatientView = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
READ_OR_SENT = ["GET", "HEAD", "POST"]


def own_page(view: View[P]) -> View[P]:
    """In the patient's language, with nobody's rights, and without a script (CSP)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        language = language_of(request)
        with translation.override(language), acting_as(None):
            try:
                response = view(request, *args, **kwargs)
            except DomainError as error:
                response = _refusal(request, str(error.message), status=error.status)
        remember(response, language)
        csp_replace(_policy())(lambda _request: response)(request)
        return response

    return guarded


def for_the_patient(view: PatientView[P]) -> View[P]:
    """For whoever has given the code and proved to be the patient; acts as that patient."""

    @own_page
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        came_back = session.has_visit(request)
        visit = session.visit_of(request, now=timezone.now())
        if visit is None or not visit.case_id:
            return _to_start(came_back and visit is None)
        actor = Actor.patient(CHANNEL, case_id=visit.case_id)
        with acting_as(actor):
            return view(request, actor, *args, **kwargs)

    return guarded


@sensitive_post_parameters("code")
@transaction.non_atomic_requests
@require_http_methods(READ_OR_SENT)
@own_page
def start(request: HttpRequest, number: str = "") -> HttpResponse:
    """Case number and code. The link in a letter fills in the number, never the code."""
    now = timezone.now()
    if request.method != "POST":
        return _start_page(request, CodeForm(initial={"number": _known_shape(number)}))
    if seconds := ANSWER_CODES.hit(client_address(request)):
        return _wait(request, _("För många försök härifrån."), seconds=seconds)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _start_page(request, form, status=422)
    wanted: CaseNumber = form.cleaned_data["number"]
    try:
        _case, serial = open_with_code(wanted, form.cleaned_data["code"], now=now)
    except CodeLocked as error:
        return _locked(request, wanted.value, error, now=now)
    except WrongCode as error:
        form.add_error(None, str(error.message))
        return _start_page(request, form, status=error.status)
    session.begin_visit(request, number=wanted.value, serial=serial, now=now)
    return redirect("own-page-identify")


@transaction.non_atomic_requests
@require_http_methods(READ_OR_SENT)
@own_page
def identify(request: HttpRequest) -> HttpResponse:
    """Off to the e-identification, when the patient is ready for it."""
    came_back = session.has_visit(request)
    visit = session.visit_of(request, now=timezone.now())
    if visit is None:
        return _to_start(came_back)
    check, contact = identity_check(), contact_for(visit.number)
    if request.method == "POST" and check is not None:
        if seconds := LOGIN_PAGES.hit(client_address(request)):
            return _wait(request, _("För många försök härifrån."), seconds=seconds)
        try:
            return check.begin(request)
        except DomainError as error:
            return _refusal(request, str(error.message), status=error.status, number=visit.number)
    context = {"possible": check is not None, "contact": contact, "demo_identity": settings.DEMO}
    return page(request, "identify", context)


@transaction.non_atomic_requests
@require_GET
@own_page
def identified(request: HttpRequest) -> HttpResponse:
    """Back from the e-identification: the patient, somebody else, or nobody."""
    now = timezone.now()
    came_back = session.has_visit(request)
    visit = session.visit_of(request, now=now)
    check = identity_check()
    if visit is None or check is None:
        return _to_start(came_back)
    if seconds := LOGIN_PAGES.hit(client_address(request)):
        return _wait(request, _("För många försök härifrån."), seconds=seconds)
    try:
        person = check.finish(request)
        found = prove_identity(visit.number, serial=visit.serial, identity=person, now=now)
    except CodeLocked as error:
        session.leave(request)
        return _locked(request, visit.number, error, now=now)
    except WrongCode:
        session.leave(request)
        text = _("Ärendet gäller inte dig som legitimerade dig. Svara bara för dig själv.")
        return _refusal(request, text, status=403, number=visit.number)
    except DomainError as error:
        return _refusal(
            request, str(error.message), status=error.status, number=visit.number, again=True
        )
    session.let_in(request, visit, case_id=found.pk, now=now)
    return redirect("own-page-case")


@require_GET
@for_the_patient
def case(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where the case stands, the offer, and what can be done."""
    return case_page(request, looked(actor, "own_page"))


@require_http_methods(READ_OR_SENT)
@for_the_patient
def accept(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Yes: confirmed once more before it is given."""
    own = looked(actor, "own_page_answer")
    if request.method != "POST":
        return _answer_page(request, "accept", own, AcceptForm)
    form = AcceptForm(request.POST)
    return _answered(request, actor, own, form, accepted=True)


@require_http_methods(READ_OR_SENT)
@for_the_patient
def decline(request: HttpRequest, actor: Actor) -> HttpResponse:
    """No, and why."""
    own = looked(actor, "own_page_answer")
    if request.method != "POST":
        return _answer_page(request, "decline", own, DeclineForm)
    form = DeclineForm(request.POST)
    return _answered(request, actor, own, form, accepted=False)


@require_GET
@for_the_patient
def receipt(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the answer was, and what happens now."""
    own = looked(actor, "own_page")
    if own.offer is None or own.offer.answered_at is None:
        return redirect("own-page-case")
    return page(request, "receipt", {"own": own, "contact": own.contact})


@require_http_methods(READ_OR_SENT)
@for_the_patient
def call(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask to be called, book a time for it, or move the one that is booked."""
    now = timezone.now()
    own = looked(actor, "own_page_call")
    if not own.case.is_open:
        return redirect("own-page-case")
    times = free_times(own.case.region_id, now=now)
    moving = own.call is not None and own.call.state == CallBack.State.BOOKED
    data = request.POST if request.method == "POST" else None
    form: CallForm | MoveForm
    if moving:
        form = MoveForm(data, times=times)
    else:
        form = CallForm(data, times=times, has_number=bool(own.case.patient.phone))
    status = 200
    if data is not None:
        status = 422
        if form.is_valid():
            _done, refused = attempt(form, lambda: _arrange(own, form, actor=actor, now=now))
            if refused is None:
                return redirect("own-page-case")
            status = refused
    context = {"own": own, "form": form, "moving": moving, "contact": own.contact}
    return page(request, "call", context, status=status)


@require_POST
@for_the_patient
def call_cancel(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The patient does not want to be called after all."""
    own = looked(actor, "own_page_call")
    if own.call is None:
        return redirect("own-page-case")
    try:
        cancel_call(own.call, actor=actor, now=timezone.now(), reason=_("Avbokad av patienten."))
    except DomainError as error:
        return case_page(request, own, alert=str(error.message), status=error.status)
    return redirect("own-page-case")


@require_POST
@own_page
def leave(request: HttpRequest) -> HttpResponse:
    """The patient is done: nothing is left in the browser."""
    if not request.user.is_authenticated:
        session.leave(request)
    return page(request, "left", {})


def looked(actor: Actor, what: str) -> OwnCase:
    now = timezone.now()
    own = own_case(actor, now=now)
    record_access(actor, what=what, now=now, cases=[(own.case.number, own.case.patient_id)])
    return own


def _answer_page(
    request: HttpRequest, name: str, own: OwnCase, form: type[AcceptForm]
) -> HttpResponse:
    if own.open_offer is None:
        return redirect("own-page-case")
    filled = form(initial={"serial": own.open_offer.serial})
    return page(request, name, {"own": own, "form": filled, "contact": own.contact})


def _answered(
    request: HttpRequest, actor: Actor, own: OwnCase, form: AcceptForm, *, accepted: bool
) -> HttpResponse:
    """Give the answer; sent twice it is given once, and one that came too late is told so."""
    if "serial" in (form.errors or {}):
        return redirect("own-page-case")
    if not form.is_valid():
        context = {"own": own, "form": form, "contact": own.contact}
        return page(request, "decline", context, status=422)
    serial, offer = form.cleaned_data["serial"], own.open_offer
    if offer is not None and offer.serial == serial:
        try:
            answer_offer(
                offer,
                accepted=accepted,
                channel=AnswerChannel.OWN_PAGE,
                actor=actor,
                now=timezone.now(),
                reason=form.cleaned_data.get("reason", ""),
                comment=form.cleaned_data.get("comment", ""),
            )
        except DomainError:  # answered or gone in this moment: told below, as it stands now
            own = own_case(actor, now=timezone.now())
        else:
            return redirect("own-page-receipt")
    wanted = Offer.State.ACCEPTED if accepted else Offer.State.DECLINED
    latest = own.offer
    if latest is not None and latest.serial == serial and latest.state == wanted:
        return redirect("own-page-receipt")
    return case_page(request, own, alert=_too_late(latest, serial), status=409)


def _too_late(offer: Offer | None, serial: int) -> str:
    same = offer is not None and offer.serial == serial
    if same and offer is not None and offer.state == Offer.State.ACCEPTED:
        return _("Ditt svar sparades inte. Erbjudandet hade redan fått svaret ja.")
    if same and offer is not None and offer.state == Offer.State.DECLINED:
        return _("Ditt svar sparades inte. Erbjudandet hade redan fått svaret nej.")
    return _("Ditt svar sparades inte. Erbjudandet går inte längre att svara på.")


def _arrange(own: OwnCase, form: CallForm | MoveForm, *, actor: Actor, now: datetime) -> CallBack:
    data = form.cleaned_data
    if isinstance(form, MoveForm):
        assert own.call is not None  # noqa: S101  # nosec B101 # for the type: it is being moved
        return rebook_call(own.call, time_id=data["time_id"], actor=actor, now=now)
    wish = {
        "about": data["about"],
        "phone": data["phone"],
        "channel": AnswerChannel.OWN_PAGE,
    }
    if data["time_id"] is None:
        return ask_for_call(own.case, actor=actor, now=now, **wish)
    return book_call(own.case, time_id=data["time_id"], actor=actor, now=now, **wish)


def _known_shape(number: str) -> str:
    """The number of a link as it is written; what cannot be one is not repeated on the page."""
    try:
        return CaseNumber.parse(number).value
    except InvalidCaseNumber:
        return ""


def _start_page(request: HttpRequest, form: CodeForm, *, status: int = 200) -> HttpResponse:
    staff = request.user.is_authenticated
    context = {"form": form, "ended": "ended" in request.GET, "staff_is_logged_in": staff}
    return page(request, "start", context, status=status)


def case_page(
    request: HttpRequest, own: OwnCase, *, alert: str = "", status: int = 200
) -> HttpResponse:
    standing = standing_of(own.case.state, own.case.close_reason)
    shown = own.open_offer or own.agreed
    language = translation.get_language() or "sv"
    reading = offer_in(language, shown, now=timezone.now()) if shown else None
    context = {
        "own": own,
        "standing": standing,
        "alert": alert,
        "contact": own.contact,
        "reading": reading,
    }
    return page(request, "case", context, status=status)


def _to_start(ended: bool) -> HttpResponse:
    answer = redirect("own-page")
    if ended:
        answer["Location"] += "?ended"
    return answer


def _locked(request: HttpRequest, number: str, error: CodeLocked, *, now: datetime) -> HttpResponse:
    text = _("Koden är spärrad efter många försök. Ring oss, så får du en ny.")
    if error.until is None:
        return _refusal(request, text, status=error.status, number=number)
    seconds = max(1, int((error.until - now).total_seconds()) + 1)
    return _wait(request, _("Koden är låst en stund efter flera försök."), seconds=seconds)


def _wait(request: HttpRequest, text: str, *, seconds: int) -> HttpResponse:
    minutes = -(-seconds // 60)
    response = page(request, "refused", {"text": text, "minutes": minutes}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _refusal(
    request: HttpRequest, text: str, *, status: int, number: str = "", again: bool = False
) -> HttpResponse:
    context = {"text": text, "contact": contact_for(number) if number else None, "again": again}
    return page(request, "refused", context, status=status)


@own_page
def form_refused(request: HttpRequest) -> HttpResponse:
    """A form from elsewhere, or from a page that is too old (Django's CSRF_FAILURE_VIEW)."""
    text = _("Sidan var för gammal. Inget är sparat.")
    return _refusal(request, text, status=403)


def page(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    language = translation.get_language() or "sv"
    chrome = {
        "languages": NAMES,
        "language": language,
        "html_language": html_language(language),
        "is_in": session.has_visit(request) and not request.user.is_authenticated,
    }
    return render(request, f"notices/own_page/{name}.html", context | chrome, status=status)


def _policy() -> dict[str, list[str]]:
    """As everywhere, but no script at all; the form that begins the identification leads on to
    whoever makes it."""
    issuer = settings.IDENTITY_ISSUER
    return {
        "script-src": [NONE],
        "connect-src": [NONE],
        "form-action": [SELF, *([urljoin(issuer, "/")] if issuer else [])],
    }
