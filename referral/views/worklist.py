"""The worklist with its views, filters, sort and search, all kept in the URL."""

import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from organisations.access import record_access
from organisations.masking import holds_identity_number
from organisations.models import Role
from organisations.pages import actor_of, query, roles_required, sorting_column
from referral.filters import CaseFilter
from referral.lead_time import lead_times_of
from referral.selectors import find_by_number, worklist, worklist_counts
from referral.selectors.allocation import drafted_among
from referral.selectors.paging import page_of
from referral.selectors.privacy import blocked_cases
from referral.selectors.watching import hits_by_case
from referral.selectors.worklist import (
    REVIEWED,
    cases_of_identity,
    search_problem,
    sort_for,
    views_for,
)
from referral.views.privacy import way_to_blocked

START_VIEWS = {Role.NAVIGATOR: "mine", Role.CLINIC: "all", Role.PROVIDER: "all"}

# The table's columns with the order that the heading's link asks for; the first click on a day of
# receipt gives the newest.
COLUMNS = (
    ("number", _("Ärende")),
    ("last_day", _("Sista dag")),
    ("", _("Patient")),
    ("procedure", _("Åtgärd")),
    ("clinic", _("Klinik")),
    ("state", _("Status")),
    ("-received", _("Inkom, vårdlots")),
)
ORDERS = (
    ("last_day", _("Sista dag, närmast först")),
    ("-last_day", _("Sista dag, längst bort först")),
    ("-received", _("Inkom, senast först")),
    ("received", _("Inkom, äldst först")),
    ("number", _("Ärendenummer, stigande")),
    ("-number", _("Ärendenummer, fallande")),
    ("procedure", _("Åtgärd, A–Ö")),
    ("-procedure", _("Åtgärd, Ö–A")),
    ("clinic", _("Klinik, A–Ö")),
    ("-clinic", _("Klinik, Ö–A")),
    ("state", _("Status, tidigast i förloppet först")),
    ("-state", _("Status, längst i förloppet först")),
    ("review", _("Ses över, tidigast först")),
    ("-review", _("Ses över, senast först")),
)


# A key that no row has: a search by identity number that found nothing.
NOBODY = 0


@roles_required(Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER)
@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Where a search leads. No identity number gets into a URL, and so into no log of URLs."""
    text = request.POST.get("q", "").replace("\x00", "").strip()[:100]
    return _result(request, text)


def _result(request: HttpRequest, text: str) -> HttpResponse:
    actor, today = actor_of(request), timezone.localdate()
    if found := find_by_number(actor, text):
        return redirect("case", number=found.number)
    by_identity = cases_of_identity(actor, text, today=today)
    if by_identity is not None:
        cases = list(by_identity.order_by("-pk")[:2])
        if len(cases) == 1:
            return redirect("case", number=cases[0].number)
        return redirect(_results(patient=cases[0].patient_id if cases else NOBODY))
    # A mistyped identity number is kept out of the URL as well.
    if problem := search_problem(text, today=today):
        messages.error(request, problem)
    return redirect(_results(patient=NOBODY) if holds_identity_number(text) else _results(q=text))


def _results(**query: object) -> str:
    return f"{reverse('worklist')}?{urlencode(query)}"


@roles_required(Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER)
def worklist_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    today = timezone.localdate(now)
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    if search and (holds_identity_number(search) or find_by_number(actor, search)):
        return _result(request, search)
    wanted = request.GET.get("patient", "")
    patient = int(wanted) if re.fullmatch(r"[0-9]{1,18}", wanted) else None
    if search and (blocked := way_to_blocked(actor, search)):
        return redirect(blocked)
    views = views_for(actor)
    view = request.GET.get("view", "")
    if view not in {v.key for v in views}:
        view = START_VIEWS[Role(actor.role)]
    sort = sort_for(request.GET.get("sort", ""), view=view, search=search)
    cases = worklist(actor, view=view, today=today, search=search, patient=patient, sort=sort)
    filters = CaseFilter(request.GET, queryset=cases, actor=actor)
    chosen = filters.qs if filters.is_valid() else cases
    page = page_of(chosen, sort=sort, cursor=request.GET.get("after", ""))
    record_access(
        actor, what="list", now=now, cases=[(case.number, case.patient_id) for case in page.rows]
    )
    hits = hits_by_case(page.rows) if view in REVIEWED else {}
    leads = lead_times_of(page.rows, today=today)
    return render(
        request,
        "referral/worklist.html",
        {
            "rows": [
                (case, case.clock(today), leads.get(case.pk), hits.get(case.pk))
                for case in page.rows
            ],
            "views": _with_counts(views, worklist_counts(actor, today=today)),
            "view": view,
            "view_label": next(v.label for v in views if v.key == view),
            "filters": filters.form,
            "search": _("personnummer") if patient is not None else search,
            "typed_search": "" if patient is not None else search,
            "patient": patient,
            "sort": sort,
            "next_query": query(request, after=page.next_cursor) if page.next_cursor else "",
            "first_query": query(request, after="") if request.GET.get("after") else "",
            "columns": [
                sorting_column(request, name, label, sort=sort, after="") for name, label in COLUMNS
            ],
            "orders": [
                order for order in ORDERS if view in REVIEWED or not order[0].endswith("review")
            ],
            "today": today,
            "drafted": drafted_among(actor, page.rows),
            "shows_reason": view in REVIEWED,
            "search_problem": search_problem(search, today=today) if search else "",
            "filtered": any(request.GET.get(name) for name in filters.form.fields),
            "blocked_cases": [] if search else blocked_cases(actor),
        },
    )


def _with_counts(views: list[Any], counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"key": v.key, "label": v.label, "count": counts.get(v.key)} for v in views]
