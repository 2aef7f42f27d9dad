"""Whether the patient still needs the care: what a campaign asks, and leaving the waiting list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from notices.campaigns.answers import answer_from_own_page
from notices.campaigns.models import Answer
from notices.own_page.forms import NeedForm
from notices.own_page.views import READ_OR_SENT, case_page, for_the_patient, looked, page
from organisations.access import Actor
from organisations.errors import DomainError


@require_http_methods(READ_OR_SENT)
@for_the_patient
def need(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The campaign's question, with its choices."""
    own = looked(actor, "own_page_answer")
    if not own.asked:
        return redirect("own-page-leave-list" if own.may_leave else "own-page-case")
    form = NeedForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        context = {"own": own, "form": form, "contact": own.contact}
        return page(request, "need", context, status=422 if form.errors else 200)
    return _answered(request, actor, form.cleaned_data["answer"])


@require_http_methods(READ_OR_SENT)
@for_the_patient
def leave_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The care is needed no longer: confirmed once more before the case is closed."""
    own = looked(actor, "own_page_answer")
    if not own.may_leave:
        return redirect("own-page-case")
    if request.method != "POST":
        return page(request, "leave_list", {"own": own, "contact": own.contact})
    return _answered(request, actor, Answer.NOT_NEEDED)


def _answered(request: HttpRequest, actor: Actor, answer: str) -> HttpResponse:
    own = looked(actor, "own_page_answer")
    try:
        answer_from_own_page(own.case, answer=answer, actor=actor, now=timezone.now())
    except DomainError as error:  # sent twice, or a provider has the referral since it was shown
        own = looked(actor, "own_page")
        return case_page(request, own, alert=str(error.message), status=error.status)
    return redirect("own-page-case")
