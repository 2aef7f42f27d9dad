"""The gateway's callback and a person's second try."""

import json
import time

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notices.models import Notice
from notices.services import receive_callback, send_again
from notices.signature import HEADER, is_valid
from organisations.access import record_access
from organisations.errors import InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, roles_required
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
        Case.objects.visible_to(actor).select_related("patient"), number=number
    )
    record_access(actor, what="notices", now=timezone.now(), cases=[(case.number, case.patient_id)])
    part = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "notices/partials/notices.html" if part else "notices/case_notices.html",
        {"case": case, "notices": list(case.notices.all())},
    )


@roles_required(Role.NAVIGATOR)
@require_POST
def notice_send_again(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    cases = Case.objects.visible_to(actor)
    notice = get_object_or_404(Notice.objects.select_related("case"), pk=pk, case__in=cases)
    send_again(notice, now=now)
    record_access(
        actor, what="notice_again", now=now, cases=[(notice.case.number, notice.case.patient_id)]
    )
    messages.success(request, _("Meddelandet skickas på nytt."))
    return redirect("case", number=notice.case.number)


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse(
        {"type": "about:blank", "status": status, "title": "refused", "detail": detail},
        status=status,
        content_type="application/problem+json",
    )
