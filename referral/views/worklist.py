"""The worklist with its views, filters, sort and search, all kept in the URL."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from organisations.access import record_access
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from referral.filters import CaseFilter
from referral.selectors import find_by_number, worklist, worklist_counts
from referral.selectors.paging import page_of
from referral.selectors.worklist import SORTS, views_for

START_VIEWS = {Role.NAVIGATOR: "mine", Role.CLINIC: "all", Role.PROVIDER: "all"}


@roles_required(Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER)
def worklist_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    today = timezone.localdate(now)
    search = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    if search and (found := find_by_number(actor, search)):
        return redirect("case", number=found.number)
    views = views_for(actor)
    view = request.GET.get("view", "")
    if view not in {v.key for v in views}:
        view = START_VIEWS[Role(actor.role)]
    sort = request.GET.get("sort", "last_day")
    sort = sort if sort in SORTS else "last_day"
    cases = worklist(actor, view=view, today=today, search=search, sort=sort)
    filters = CaseFilter(request.GET, queryset=cases, actor=actor)
    chosen = filters.qs if filters.is_valid() else cases
    page = page_of(chosen, sort=sort, cursor=request.GET.get("after", ""))
    record_access(
        actor, what="list", now=now, cases=[(case.number, case.patient_id) for case in page.rows]
    )
    return render(
        request,
        "referral/worklist.html",
        {
            "rows": [(case, case.clock(today)) for case in page.rows],
            "views": _with_counts(views, worklist_counts(actor, today=today)),
            "view": view,
            "filters": filters.form,
            "search": search,
            "sort": sort,
            "next_query": _query(request, after=page.next_cursor) if page.next_cursor else "",
            "first_query": _query(request, after="") if request.GET.get("after") else "",
            "sort_due": _query(
                request, after="", sort="-last_day" if sort == "last_day" else "last_day"
            ),
            "sort_received": _query(
                request, after="", sort="received" if sort == "-received" else "-received"
            ),
            "empty_view": not page.rows,
        },
    )


def _with_counts(views: list[Any], counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"key": v.key, "label": v.label, "count": counts.get(v.key)} for v in views]


def _query(request: HttpRequest, **changes: str) -> str:
    """The page's query string with some values changed; empty ones are left out."""
    values = {key: value for key, value in request.GET.items() if value} | changes
    return "?" + urlencode({key: value for key, value in values.items() if value})
