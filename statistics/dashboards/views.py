"""The dashboard's pages, the cases behind its figures, and its files."""

from typing import Any
from urllib.parse import urlencode

from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, record_access
from organisations.models import Region, Role
from organisations.pages import actor_of, attachment, page_of, pager, roles_required
from referral.models import Case
from statistics.dashboards.board import board_of, tables_of
from statistics.dashboards.drill import cases_behind
from statistics.dashboards.exports import csv_file, xlsx_file
from statistics.dashboards.flows import flows_of
from statistics.dashboards.forms import Choice, DashboardForm, Span
from statistics.dashboards.funnel import funnel_of
from statistics.dashboards.gaps import gaps_of
from statistics.dashboards.pdf import report_pdf
from statistics.dashboards.pictures import LEGEND, flow_map, funnel_picture
from statistics.dashboards.trend import METHOD, READING, figures_of, key_figures, trends
from statistics.selectors import SEES_CASES
from statistics.views import ROLES

TABS = ("dashboard", "dashboard-funnel", "dashboard-flows", "dashboard-gaps")
CASES = ("clinic", "mvo", "procedure")
# What each page can be chosen by; the rest of the choice is kept for the other pages.
CHOOSES = {
    "month": ("month", *CASES),
    "funnel": ("month", *CASES, "span"),
    "flows": ("month", *CASES, "span"),
    "gaps": CASES,
}


@roles_required(*ROLES)
def month_page(request: HttpRequest) -> HttpResponse:
    """This month against others, and the trend."""
    actor, form, choice = _read(request)
    statistics = figures_of(actor, choice)
    return _page(
        request,
        "month",
        form,
        choice,
        statistics=statistics,
        key_figures=key_figures(statistics),
        trends=trends(statistics, today=timezone.localdate()),
        is_running=choice.month == form.default,
        reading=READING,
        method=METHOD,
    )


@roles_required(*ROLES)
def funnel_page(request: HttpRequest) -> HttpResponse:
    """From form to treated."""
    actor, form, choice = _read(request)
    funnel = funnel_of(actor, choice)
    return _page(request, "funnel", form, choice, funnel=funnel, picture=funnel_picture(funnel))


@roles_required(*ROLES)
def flows_page(request: HttpRequest) -> HttpResponse:
    """Between regions."""
    actor, form, choice = _read(request)
    flows = flows_of(actor, choice)
    picture = flow_map(flows, Region.objects.all())
    return _page(request, "flows", form, choice, flows=flows, picture=picture, legend=LEGEND)


@roles_required(*ROLES)
def gaps_page(request: HttpRequest) -> HttpResponse:
    """Where a contract is missing."""
    actor, form, choice = _read(request)
    gaps = gaps_of(actor, choice, today=timezone.localdate())
    return _page(request, "gaps", form, choice, gaps=gaps)


@roles_required(Role.NAVIGATOR, Role.CLINIC)
def cases_page(request: HttpRequest) -> HttpResponse:
    """The cases behind a figure; without one, the figures."""
    if not request.GET.get("figure"):
        return redirect("dashboard")
    actor, form, choice = _read(request)
    now = timezone.now()
    asked = {name: str(value).replace("\x00", "")[:40] for name, value in request.GET.items()}
    behind = cases_behind(actor, choice, asked, today=timezone.localdate(now))
    page = page_of(behind.keys, request)
    found = {
        case.pk: case
        for case in Case.objects.filter(pk__in=list(page)).select_related("sending_unit")
    }
    cases = [found[key] for key in page if key in found]
    record_access(
        actor, what="list", now=now, cases=[(case.number, case.patient_id) for case in cases]
    )
    return _page(request, "cases", form, choice, behind=behind, cases=cases, **pager(page, request))


@roles_required(*ROLES)
def dashboard_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Everything as a file."""
    actor, _form, choice = _read(request)
    now = timezone.now()
    board = board_of(actor, choice, today=timezone.localdate(now))
    if kind == "pdf":
        content = report_pdf(board, at=now)
    else:
        content = (csv_file if kind == "csv" else xlsx_file)(tables_of(board))
    return attachment(content, f"vardformedling-{choice.month}.{kind}")


def _read(request: HttpRequest) -> tuple[Actor, DashboardForm, Choice]:
    actor = actor_of(request)
    form = DashboardForm(request.GET, actor=actor, today=timezone.localdate())
    return actor, form, form.choice()


def _page(
    request: HttpRequest, name: str, form: DashboardForm, choice: Choice, **parts: Any
) -> HttpResponse:
    actor = actor_of(request)
    chosen = chosen_in_url(choice)
    sees_cases = actor.role in SEES_CASES
    shown = _fields(form, name, sees_cases=sees_cases)
    labels = (_("Månaden"), _("Från blankett till behandling"), _("Flöden"), _("Avtal som saknas"))
    here = request.resolver_match.url_name if request.resolver_match else ""
    tabs = dict(zip(TABS, labels, strict=True))
    return render(
        request,
        f"statistics/dashboards/{name}.html",
        {
            "form": form,
            "fields": shown,
            "kept": {key: value for key, value in chosen.items() if key not in shown},
            "choice": choice,
            "query": urlencode(chosen),
            "tabs": [
                {"url": f"{reverse(tab)}?{urlencode(chosen)}", "label": label, "here": tab == here}
                for tab, label in tabs.items()
            ],
            "tab_label": tabs.get(here or ""),
            "chosen": choice.clinic or choice.mvo or choice.procedure,
            "chosen_words": choice.words,
            "may_see_cases": sees_cases,
            "cases_url": f"{reverse('dashboard-cases')}?{urlencode(chosen)}",
            **parts,
        },
    )


def _fields(form: DashboardForm, page: str, *, sees_cases: bool) -> dict[str, BoundField]:
    """The fields that change what the page shows, and any with a fault, which must be told.

    A clinic has itself only; those who see figures only get the whole region everywhere but on the
    month's page.
    """
    names = set(CHOOSES.get(page, ()))
    if form.is_clinic or not (sees_cases or page == "month"):
        names.discard("clinic")
    return {name: form[name] for name in form.fields if name in names or name in form.errors}


def chosen_in_url(choice: Choice) -> dict[str, str]:
    """What is chosen, as it stands in the address; nothing that is empty."""
    values = {
        "month": str(choice.month),
        "clinic": choice.clinic.hsa_id if choice.clinic else "",
        "mvo": choice.mvo,
        "procedure": choice.procedure,
        "span": choice.span if choice.span != Span.YEAR else "",
    }
    return {name: value for name, value in values.items() if value}
