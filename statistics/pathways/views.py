"""Lead times of cancer pathways, downloads, and what the region enters."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from organisations.charts import bar_chart
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required
from organisations.plain_forms import PlainForm, attempt
from referral.pathways import FirstTreatment, pathway_names
from statistics.pathways import exports
from statistics.pathways.forms import InclusionForm, LimitForm, PeriodForm
from statistics.pathways.selectors import (
    INCLUSION_GOAL,
    LEAD_TIME_GOAL,
    Pathways,
    limits_of,
    pathways_for,
)
from statistics.pathways.services import enter_inclusion, enter_limit

ROLES = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)


@roles_required(*ROLES)
def pathways_page(request: HttpRequest) -> HttpResponse:
    form, found = _read(request)
    shown = [row for row in found.by_pathway if row.share is not None]
    return render(
        request,
        "statistics/pathways/page.html",
        {
            "form": form,
            "found": found,
            "tables": [
                ("pathways", _("Per vårdförlopp"), found.by_pathway),
                ("borders", _("Inom och över regiongräns"), found.by_border),
                ("flows", _("Från hemregion till vårdgivarens region"), found.by_flow),
            ],
            "chart": bar_chart(
                _("Andel inom längsta ledtid, procent; strecket är målet"),
                [
                    (row.label, row.share.percent, f"{row.share.percent:.0f} %")
                    for row in shown
                    if row.share is not None
                ],
                marks=[LEAD_TIME_GOAL] * len(shown),
            )
            if shown
            else None,
            "lead_goal": LEAD_TIME_GOAL,
            "inclusion_goal": INCLUSION_GOAL,
            "inclusion_reached": found.inclusion_share is not None
            and found.inclusion_share.percent >= INCLUSION_GOAL,
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


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.REGION_ADMIN)
def pathway_settings(request: HttpRequest) -> HttpResponse:
    """The region's maximum lead times and its cancer cases; each form has its own button."""
    actor, sent = actor_of(request), request.method == "POST"
    which = request.POST.get("what", "")
    limit = LimitForm(request.POST if sent and which == "limit" else None)
    inclusion = InclusionForm(request.POST if sent and which == "inclusion" else None)
    status = 200
    if sent:
        form: PlainForm = inclusion if which == "inclusion" else limit
        service: Any = enter_inclusion if which == "inclusion" else enter_limit
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            saved, refused = attempt(form, lambda: service(**data, actor=actor, now=timezone.now()))
            if saved is not None:
                messages.success(request, _("Sparat."))
                return redirect("pathway-settings")
            status = refused or 422
    names, treatments = pathway_names(), dict(FirstTreatment.choices)
    limits = [
        (names.get(pathway, pathway), treatments[treatment], days)
        for (pathway, treatment), days in sorted(limits_of(actor.region or "").items())
    ]
    context = {"limit_form": limit, "inclusion_form": inclusion, "limits": limits}
    return render(request, "statistics/pathways/settings.html", context, status=status)


def _read(request: HttpRequest) -> tuple[PeriodForm, Pathways]:
    form = PeriodForm(request.GET, today=timezone.localdate())
    return form, pathways_for(actor_of(request), period=form.chosen())
