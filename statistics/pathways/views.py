"""Lead times of cancer pathways, downloads, and what the region enters."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from organisations.charts import Chart, bar_chart
from organisations.errors import WrongState
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required
from organisations.plain_forms import PlainForm, attempt
from referral.pathways import pathway_names
from statistics.pathways import exports
from statistics.pathways.forms import InclusionForm, LeadTimeForm, LimitForm, PeriodForm
from statistics.pathways.models import TOLD, OwnStep, Told
from statistics.pathways.selectors import (
    INCLUSION_GOAL,
    LEAD_TIME_GOAL,
    Pathways,
    pathways_for,
)
from statistics.pathways.services import (
    NotTold,
    enter_inclusion,
    enter_lead_time,
    enter_limit,
    withdraw,
)
from statistics.pathways.told import files_of, told_by

ROLES = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)


@roles_required(*ROLES)
def pathways_page(request: HttpRequest) -> HttpResponse:
    form, found = _read(request)
    return render(
        request,
        "statistics/pathways/page.html",
        {
            "form": form,
            "found": found,
            "tables": [
                ("pathways", _("Förmedlade per vårdförlopp"), found.by_pathway),
                ("borders", _("Förmedlade inom och över regiongräns"), found.by_border),
                ("flows", _("Förmedlade från hemregion till vårdgivarens region"), found.by_flow),
            ],
            "chart": _chart(found),
            "lead_goal": LEAD_TIME_GOAL,
            "inclusion_goal": INCLUSION_GOAL,
            "own_rows": _own_rows(found),
            "steps": [
                (row, found.own.lead_times[row.key].total if row.key in OwnStep.values else None)
                for row in found.steps
            ],
            "query": request.GET.urlencode(),
        },
    )


@roles_required(*ROLES)
def pathways_csv(request: HttpRequest) -> HttpResponse:
    _form, found = _read(request)
    return attachment(exports.csv_file(found), f"vardforlopp-{found.period}.csv")


@roles_required(*ROLES)
def pathways_xlsx(request: HttpRequest) -> HttpResponse:
    _form, found = _read(request)
    return attachment(exports.xlsx_file(found), f"vardforlopp-{found.period}.xlsx")


# What each form of the settings page saves: its name, form and service.
ENTERED: dict[str, tuple[type[PlainForm], Any]] = {
    "limit": (LimitForm, enter_limit),
    "inclusion": (InclusionForm, enter_inclusion),
    "lead_time": (LeadTimeForm, enter_lead_time),
}
FILES_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.REGION_ADMIN)
def pathway_settings(request: HttpRequest) -> HttpResponse:
    """What the region tells by hand; each form has its own button, and files their own page."""
    actor, sent = actor_of(request), request.method == "POST"
    which = request.POST.get("what", "")
    which = which if which in ENTERED else "limit"
    forms = {
        name: form_class(request.POST if sent and name == which else None, auto_id=f"{name}_%s")
        for name, (form_class, _service) in ENTERED.items()
    }
    status = 200
    if sent:
        form, service = forms[which], ENTERED[which][1]
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            saved, refused = attempt(form, lambda: service(**data, actor=actor, now=timezone.now()))
            if saved is not None:
                messages.success(request, _("Sparat."))
                return redirect("pathway-settings")
            status = refused or 422
    told = told_by(actor)
    context = {
        "forms": forms,
        "told": {
            name: {
                "holding": _named(getattr(told, name)),
                "withdrawn": _named(told.withdrawn[name]),
            }
            for name in TOLD
        },
        "files": files_of(actor).defer("faults")[:FILES_SHOWN],
    }
    return render(request, "statistics/pathways/settings.html", context, status=status)


@require_POST
@roles_required(Role.REGION_ADMIN)
def pathway_withdraw(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """Take back what the region has told."""
    if what not in TOLD:
        raise Http404
    try:
        withdraw(what, pk, actor=actor_of(request), now=timezone.now())
    except NotTold as error:
        raise Http404(str(error)) from error
    except WrongState as error:
        messages.warning(request, str(error.message))
    else:
        messages.success(request, _("Återtaget."))
    return redirect("pathway-settings")


def _named(rows: Iterable[Told]) -> list[tuple[str, Told]]:
    """What is told with its pathway's name; without one for all together."""
    names = pathway_names()
    return [(names.get(one.pathway, one.pathway), one) for one in rows]


def _chart(found: Pathways) -> Chart:
    """The pathways whose share is shown, against the goal."""
    shares = [(row.label, row.share.percent) for row in found.by_pathway if row.share is not None]
    words = _("Andel inom längsta ledtid, procent")
    if any(percent for _label, percent in shares):
        words = _("Andel inom längsta ledtid, procent; strecket är målet")
    return bar_chart(
        words,
        [(label, percent, f"{percent:.0f} %") for label, percent in shares],
        marks=[LEAD_TIME_GOAL] * len(shares),
    )


def _own_rows(found: Pathways) -> list[dict[str, Any]]:
    """A row for each pathway that the region tells of, with the brokered patients' beside."""
    brokered = {row.key: row for row in found.by_pathway}
    told = {row.key: row.label for row in (*found.own.inclusion.rows, *found.own.whole.rows)}
    return [
        {
            "label": label,
            "inclusion": found.own.inclusion.of(key),
            "lead_time": found.own.whole.of(key),
            "brokered": brokered.get(key),
        }
        for key, label in sorted(told.items(), key=lambda one: one[1])
    ]


def _read(request: HttpRequest) -> tuple[PeriodForm, Pathways]:
    form = PeriodForm(request.GET, today=timezone.localdate())
    return form, pathways_for(actor_of(request), period=form.chosen())
