"""What a person does about post that came back, and the files that told of it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notices.models import PrintedLetter
from notices.printing.selectors import faulty_reports
from notices.printing.services import finish_return, send_returned_again
from organisations.access import record_access
from organisations.errors import WrongState
from organisations.models import Role
from organisations.pages import actor_of, page_of, pager, roles_required
from referral.models import Case


@roles_required(Role.NAVIGATOR)
@require_POST
def return_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The address has been checked: the letter goes once more."""
    done = _("Brevet skickas på nytt, till den adress som står i ärendet nu.")
    return _decide(request, pk, send_returned_again, "return_again", done)


@roles_required(Role.NAVIGATOR)
@require_POST
def return_done(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient has been reached otherwise."""
    return _decide(request, pk, finish_return, "return_done", _("Returen är omhändertagen."))


def _decide(
    request: HttpRequest, pk: int, service: Callable[..., object], what: str, done: str
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    cases = Case.objects.visible_to(actor)
    letter = get_object_or_404(
        PrintedLetter.objects.select_related("case"), pk=pk, case__in=cases, state="returned"
    )
    record_access(actor, what=what, now=now, cases=[(letter.case.number, letter.case.patient_id)])
    try:
        service(letter, actor=actor, now=now)
    except WrongState as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return redirect("undelivered")


@roles_required(Role.OPERATOR)
def print_reports(request: HttpRequest) -> HttpResponse:
    """Acknowledgement files with rows that could not be taken in. File names bear case numbers."""
    page = page_of(faulty_reports(now=timezone.now()), request)
    return render(request, "notices/print_reports.html", {"reports": page} | pager(page, request))
