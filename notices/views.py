"""The gateway's callback and a person's second try."""

import json
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notices.models import Notice
from notices.own_page.selectors import code_state
from notices.own_page.services import new_code
from notices.selectors import departed_cases, next_of, undelivered
from notices.services import receive_callback, send_again, send_as_letter
from notices.signature import HEADER, is_valid
from organisations.access import record_access
from organisations.errors import DomainError, InvalidInput, WrongState
from organisations.models import Role
from organisations.pages import ROWS, actor_of, page_of, pager, roles_required
from organisations.throttling import BAD_CALLBACKS, client_address
from referral.models import Case

MAX_CALLBACK_BYTES = 64 * 1024


@csrf_exempt
@require_POST
def gateway_callback(request: HttpRequest) -> JsonResponse:
    """Signed word from the gateway: read or answered. Safe to repeat."""
    body = request.body
    if len(body) > MAX_CALLBACK_BYTES:
        return _problem(413, "too large")
    signature = request.headers.get(HEADER, "")
    if not is_valid(signature, body, secret=settings.GATEWAY_SECRET, at=time.time()):
        # A signed one is never turned away: the gateway would not send it again after a 4xx.
        wait = BAD_CALLBACKS.hit(client_address(request))
        if wait:
            refused = _problem(429, "too many without a signature that holds")
            refused["Retry-After"] = str(wait)
            return refused
        return _problem(401, "the signature does not hold")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):  # also nested too deep
        return _problem(400, "not JSON")
    if not isinstance(payload, dict):
        return _problem(400, "not an object")
    try:
        callback = receive_callback(payload, now=timezone.now())
    except InvalidInput as error:
        return _problem(400, str(error.message))
    return JsonResponse({"outcome": callback.outcome})


@roles_required(Role.CLINIC, Role.NAVIGATOR)
def case_notices(request: HttpRequest, number: str) -> HttpResponse:
    """The notices of a case: a part of the case page, or a page of its own without scripts."""
    actor = actor_of(request)
    case = get_object_or_404(
        Case.objects.visible_to(actor).select_related("patient", "form"), number=number
    )
    record_access(actor, what="notices", now=timezone.now(), cases=[(case.number, case.patient_id)])
    notices = list(case.notices.all())
    part = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "notices/partials/notices.html" if part else "notices/case_notices.html",
        {
            "case": case,
            "notices": notices,
            "next": next_of(notices),
            "answer_code": code_state(case),
        },
    )


@roles_required(Role.NAVIGATOR)
@require_POST
def case_new_code(request: HttpRequest, number: str) -> HttpResponse:
    """Another answer code for the patient, sent at once; nobody here sees it."""
    actor = actor_of(request)
    case = get_object_or_404(
        Case.objects.visible_to(actor).select_related("patient", "sending_unit"), number=number
    )
    try:
        new_code(case, actor=actor, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("En ny svarskod skickas till patienten."))
    return redirect("case", number=case.number)


@roles_required(Role.NAVIGATOR)
def undelivered_page(request: HttpRequest) -> HttpResponse:
    """What did not get through, and the cases of patients who have died or moved abroad."""
    actor, now = actor_of(request), timezone.now()
    page = page_of(undelivered(actor), request)
    departed = list(departed_cases(actor)[:ROWS])
    cases = [notice.case for notice in page] + departed
    shown = sorted({(case.number, case.patient_id) for case in cases})
    record_access(actor, what="undelivered", now=now, cases=shown)
    context = {"notices": page, "departed": departed}
    return render(request, "notices/undelivered.html", context | pager(page, request))


@roles_required(Role.NAVIGATOR)
@require_POST
def notice_send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a notice that did not get through once more."""
    return _decide(request, pk, send_again, "notice_again", _("Meddelandet skickas på nytt."))


@roles_required(Role.NAVIGATOR)
@require_POST
def notice_as_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a notice that did not get through go as a letter."""
    return _decide(request, pk, send_as_letter, "notice_as_letter", _("Meddelandet går som brev."))


def _decide(
    request: HttpRequest, pk: int, service: Callable[..., Notice], what: str, done: str
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    cases = Case.objects.visible_to(actor)
    notice = get_object_or_404(Notice.objects.select_related("case"), pk=pk, case__in=cases)
    record_access(actor, what=what, now=now, cases=[(notice.case.number, notice.case.patient_id)])
    try:
        service(notice, now=now)
    except WrongState as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return redirect("case", number=notice.case.number)


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse(
        {"type": "about:blank", "status": status, "title": "refused", "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
