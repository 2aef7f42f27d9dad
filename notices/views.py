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

from notices.forms import UndeliveredFilter
from notices.models import Notice
from notices.own_page.selectors import code_state
from notices.own_page.services import new_code
from notices.printing.selectors import returned, returned_of, unacknowledged_letters
from notices.selectors import departed_cases, failed_staff_mail, next_of, undelivered
from notices.services import (
    mail_again,
    receive_callback,
    send_again,
    send_as_letter,
    send_many_again,
)
from notices.signature import HEADER, is_valid
from organisations.access import record_access
from organisations.errors import DomainError, InvalidInput, WrongState
from organisations.models import Role
from organisations.pages import ROWS, actor_of, page_of, pager, roles_required
from organisations.throttling import BAD_CALLBACKS, client_address
from referral.models import Case

MAX_CALLBACK_BYTES = 64 * 1024
# So many are tried again in one go.
MOST_AGAIN = 500


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
    except WrongState as error:
        return _problem(409, str(error.message))
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
            "returned": returned_of(actor, case.patient).first(),
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
    """What did not get through, post that came back, and open cases of departed patients."""
    actor, now = actor_of(request), timezone.now()
    filters = UndeliveredFilter(request.GET, notices=undelivered(actor))
    page = page_of(filters.chosen(), request)
    came_back = list(returned(actor)[:ROWS])
    departed = list(departed_cases(actor)[:ROWS])
    cases = [row.case for row in (*page, *came_back)] + departed
    shown = sorted({(case.number, case.patient_id) for case in cases})
    record_access(actor, what="undelivered", now=now, cases=shown)
    context = {
        "notices": page,
        "filters": filters,
        "returned": came_back,
        "departed": departed,
        "unacknowledged": unacknowledged_letters(actor, now=now),
        "most": MOST_AGAIN,
    }
    return render(request, "notices/undelivered.html", context | pager(page, request))


@roles_required(Role.NAVIGATOR)
@require_POST
def undelivered_again(request: HttpRequest) -> HttpResponse:
    """Try the chosen ones once more, or all that the filter shows, at most so many at once."""
    actor, now = actor_of(request), timezone.now()
    rows = undelivered(actor)
    if "all" in request.POST:
        rows = UndeliveredFilter(request.POST, notices=rows).chosen()
    else:
        keys = [key for key in request.POST.getlist("pick") if key.isascii() and key.isdigit()]
        rows = rows.filter(pk__in=[int(key) for key in keys if len(key) < 19][:MOST_AGAIN])
    chosen = list(rows[:MOST_AGAIN])
    if not chosen:
        messages.error(request, _("Markera minst ett meddelande."))
        return redirect("undelivered")
    shown = sorted({(notice.case.number, notice.case.patient_id) for notice in chosen})
    record_access(actor, what="notice_again", now=now, cases=shown)
    done = send_many_again(chosen, now=now)
    messages.success(request, _("%(n)s meddelanden skickas på nytt.") % {"n": done})
    return redirect("undelivered")


@roles_required(Role.OPERATOR)
def staff_mail(request: HttpRequest) -> HttpResponse:
    """Mails to staff that did not get through. No patient in any of them."""
    page = page_of(failed_staff_mail(), request)
    return render(request, "notices/staff_mail.html", {"mails": page} | pager(page, request))


@roles_required(Role.OPERATOR)
@require_POST
def staff_mail_again(request: HttpRequest, pk: int) -> HttpResponse:
    mail_again(get_object_or_404(failed_staff_mail(), pk=pk), now=timezone.now())
    messages.success(request, _("E-posten skickas på nytt."))
    return redirect("staff-mail")


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
