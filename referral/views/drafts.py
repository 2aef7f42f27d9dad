"""Drafts of offers: the list, and sending or throwing away several in one go."""

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import record_access
from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, page_of, pager, roles_required
from referral import services
from referral.selectors.allocation import drafts_of
from referral.services.drafts import Sent


@roles_required(Role.NAVIGATOR)
def drafts_page(request: HttpRequest) -> HttpResponse:
    """The drafts; a POST sends those ticked, and tells row by row how it went, or drops them."""
    actor, now = actor_of(request), timezone.now()
    sent: list[Sent] = []
    if request.method == "POST":
        chosen = _ticked(request)
        try:
            if "discard" in request.POST:
                number = services.discard_drafts(chosen, actor=actor, now=now)
                messages.success(request, _("%(n)s utkast är kastade.") % {"n": number})
                return redirect("offer-drafts")
            sent = services.send_drafts(chosen, actor=actor, now=now)
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("offer-drafts")
    drafts = page_of(drafts_of(actor), request)
    shown = [(draft.case.number, draft.case.patient_id) for draft in drafts]
    record_access(actor, what="offer_drafts", now=now, cases=shown)
    today = timezone.localdate(now)
    return render(
        request,
        "referral/allocation/drafts.html",
        {
            "drafts": drafts,
            "rows": [(draft, draft.case.clock(today)) for draft in drafts],
            "sent": sent,
            "went": sum(not one.problem for one in sent),
            **pager(drafts, request),
        },
    )


def _ticked(request: HttpRequest) -> list[int]:
    """The keys of the drafts that were ticked; what is no key is left out."""
    return [int(key) for key in request.POST.getlist("draft") if re.fullmatch(r"[0-9]{1,18}", key)]
