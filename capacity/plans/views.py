"""Pages of delivery plans: the list, a plan with its deliveries, its weeks, and the report."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from capacity.models import DeliveryPlan, PlanVersion
from capacity.plans import services
from capacity.plans.charts import plan_chart
from capacity.plans.checks import warnings
from capacity.plans.figures import DEFINITIONS, PlanFigures, figures_of, volumes_of
from capacity.plans.files import COLUMNS, REQUIRED, read_weeks, report_rows
from capacity.plans.filters import PlanFilter
from capacity.plans.forecast import (
    BASE_WEEKS,
    FEWEST,
    FEWEST_RECEIVED,
    NEAR_DAYS,
    QUEUE_WEEKS,
    forecast,
)
from capacity.plans.forms import AgreeForm, NewPlanForm, PlanFileForm, ReasonForm, WeeksForm
from capacity.plans.pdf import report_pdf
from capacity.plans.selectors import (
    EDITORS,
    MAY_SEE,
    agreed_version,
    draft_version,
    lines_to_plan,
    may_change,
    may_plan,
    plans_of,
    sees_small,
    share_of,
    versions_seen,
)
from capacity.plans.sources import demand_of
from contracts.selectors import contracts_of, procedure_name, procedure_names
from contracts.views.files import download
from organisations.access import Actor
from organisations.errors import DomainError, InvalidInput, NotAllowed
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, roles_required
from organisations.plain_forms import PlainForm, attempt

editors_only = roles_required(*EDITORS)
whoever_sees = roles_required(*MAY_SEE)


@whoever_sees
def plans_page(request: HttpRequest) -> HttpResponse:
    """The plans that the actor may see, with how each is kept."""
    actor, today = actor_of(request), timezone.localdate()
    filters = PlanFilter(request.GET, queryset=plans_of(actor))
    chosen = filters.qs if filters.form.is_valid() else filters.queryset
    page = page_of(chosen, request)
    names = procedure_names(plan.kva for plan in page)
    rows = [
        {
            "plan": plan,
            "procedure": names[plan.kva],
            "figures": _figures(plan, _holding(plan, actor), actor=actor, today=today),
            "draft": draft_version(plan) if may_change(actor, plan) else None,
        }
        for plan in page
    ]
    context = {"filters": filters.form, "rows": rows, "page": page, "may_plan": may_plan(actor)}
    return render(request, "capacity/plans/plans.html", context | pager(page, request))


@editors_only
def plan_new(request: HttpRequest) -> HttpResponse:
    """Choose line and year; the weeks come on the next page."""
    actor, now = actor_of(request), timezone.now()
    lines = lines_to_plan(actor)
    form = NewPlanForm(
        request.POST or None,
        initial={"line": request.GET.get("line", "")},
        lines=lines,
        today=timezone.localdate(now),
    )
    if request.method == "POST" and form.is_valid():
        try:
            plan = services.create_plan(**form.cleaned_data, actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return redirect("delivery-plan-edit", pk=plan.pk)
    context = {"form": form, "title": _("Ny leveransplan"), "action": _("Lägg upp utkast")}
    return render(request, "capacity/plans/form.html", context, status=422 if form.errors else 200)


@whoever_sees
def plan_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan as it holds against deliveries; the draft as it stands when nothing is agreed."""
    actor, today = actor_of(request), timezone.localdate()
    plan = get_object_or_404(plans_of(actor), pk=pk)
    return render(
        request, "capacity/plans/plan.html", _shown(plan, _holding(plan, actor), actor, today)
    )


@whoever_sees
def version_page(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The deliveries against one version, as it was agreed."""
    actor, today = actor_of(request), timezone.localdate()
    plan = get_object_or_404(plans_of(actor), pk=pk)
    version = next((v for v in versions_seen(actor, plan) if v.number == number), None)
    if version is None:
        raise Http404
    context = _shown(plan, version, actor, today) | {"is_older": True}
    return render(request, "capacity/plans/plan.html", context)


def _shown(
    plan: DeliveryPlan, version: PlanVersion | None, actor: Actor, today: date
) -> dict[str, Any]:
    figures = _figures(plan, version, actor=actor, today=today)
    changes = may_change(actor, plan) and plan.state != DeliveryPlan.State.ENDED
    return {
        "plan": plan,
        "version": version,
        "procedure": procedure_name(plan.kva),
        "figures": figures,
        "chart": plan_chart(plan, figures),
        "definitions": DEFINITIONS,
        "versions": versions_seen(actor, plan),
        "draft": draft_version(plan) if may_change(actor, plan) else None,
        "may_change": changes,
        "warnings": warnings(plan, volumes_of(version), today=today) if changes and version else [],
        "sees_contract": contracts_of(actor).filter(pk=plan.contract_id).exists(),
        "is_supplier": actor.role == Role.PROVIDER,
        "agree_form": AgreeForm(auto_id="agree_%s"),
        "reason_form": ReasonForm(auto_id="reason_%s"),
        "end_form": ReasonForm(auto_id="end_%s"),
    }


@editors_only
def plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft's weeks: typed one by one or laid out from a yearly sum, then saved."""
    actor, now = actor_of(request), timezone.now()
    today = timezone.localdate(now)
    plan = _own(request, pk)
    draft = draft_version(plan)
    if draft is None or plan.state == DeliveryPlan.State.ENDED:
        return redirect("delivery-plan", pk=pk)
    volumes = volumes_of(draft)
    typed = request.POST or None
    needed = demand_of(plan.region_id, plan.kva, today=today)

    def form_with(data: Any, values: dict[int, int]) -> WeeksForm:
        return WeeksForm(
            data,
            plan=plan,
            volumes=values,
            share=share_of(plan, today=today),
            today=today,
            fixed=agreed_version(plan) is not None,
        )

    form = form_with(typed, volumes)
    share = form["share"].initial
    laid_out = False
    if typed is not None and form.is_valid():
        share = form.cleaned_data["share"]
        if "distribute" in typed:
            proposed = forecast(needed, year=plan.year, share_percent=share, today=today)
            shares = form.distributed(proposed)
            if shares is not None:
                laid_out, volumes = True, shares
                kept = {name: typed[name] for name in form.fields if name in typed}
                form = form_with(
                    kept
                    | {f"w{n}": v for n, v in shares.items()}
                    | {"total": sum(shares.values())},
                    volumes_of(draft),
                )
        else:
            try:
                services.save_weeks(
                    plan,
                    form.volumes(),
                    behind_percent=form.cleaned_data["behind_percent"],
                    behind_weeks=form.cleaned_data["behind_weeks"],
                    actor=actor,
                    now=now,
                )
            except InvalidInput as error:
                form.add_refusal(error)
            else:
                messages.success(request, _("Utkastet är sparat."))
                return redirect("delivery-plan", pk=pk)
    context = {
        "plan": plan,
        "draft": draft,
        "procedure": procedure_name(plan.kva),
        "form": form,
        "laid_out": laid_out,
        "sum": sum(volumes.values()),
        "warnings": warnings(plan, volumes, today=today),
        "forecast": forecast(needed, year=plan.year, share_percent=share, today=today),
        "demand": needed,
        "few": FEWEST,
        "few_received": FEWEST_RECEIVED,
        "base_weeks": BASE_WEEKS,
        "near_days": NEAR_DAYS,
        "queue_weeks": QUEUE_WEEKS,
    }
    return render(request, "capacity/plans/edit.html", context, status=422 if form.errors else 200)


@editors_only
def plan_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill the draft's weeks from a file; with one bad row nothing is read in."""
    plan = _own(request, pk)
    form = PlanFileForm(request.POST or None, request.FILES or None)
    faults: list[tuple[int, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            read = read_weeks(form.cleaned_data["file"].read(), year=plan.year)
            faults = read.faults
            if not faults:
                services.save_weeks(plan, read.volumes, actor=actor_of(request), now=timezone.now())
        except InvalidInput as error:
            for text in error.fields.values():
                form.add_error("file", str(text))
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            if not faults:
                count = len(read.volumes)
                text = ngettext("%(n)s vecka är inläst.", "%(n)s veckor är inlästa.", count)
                messages.success(request, text % {"n": count})
                return redirect("delivery-plan-edit", pk=pk)
    refused = bool(form.errors or faults)
    context = {
        "plan": plan,
        "form": form,
        "faults": faults,
        "columns": COLUMNS,
        "required": REQUIRED,
    }
    return render(request, "capacity/plans/import.html", context, status=422 if refused else 200)


@editors_only
@require_POST
def plan_agree(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(
        request, pk, AgreeForm(request.POST, auto_id="agree_%s"), services.agree_plan, "agree_form"
    )


@editors_only
@require_POST
def plan_revise(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(
        request,
        pk,
        ReasonForm(request.POST, auto_id="reason_%s"),
        services.revise_plan,
        "reason_form",
    )


@editors_only
@require_POST
def plan_end(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(
        request, pk, ReasonForm(request.POST, auto_id="end_%s"), services.end_plan, "end_form"
    )


@editors_only
@require_POST
def plan_discard(request: HttpRequest, pk: int) -> HttpResponse:
    services.discard_draft(_own(request, pk), actor=actor_of(request), now=timezone.now())
    return redirect("delivery-plan", pk=pk)


@whoever_sees
def plan_report(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The report to the supplier as PDF, or its weeks as CSV or XLSX."""
    actor, now = actor_of(request), timezone.now()
    plan = get_object_or_404(plans_of(actor), pk=pk)
    version = _holding(plan, actor)
    figures = _figures(plan, version, actor=actor, today=timezone.localdate(now))
    name = f"leveransplan-{plan.year}-{plan.kva}-{plan.pk}"
    if kind != "pdf":
        return download(report_rows(figures), kind, name=name)
    if version is None or not version.is_agreed:
        raise Http404
    return attachment(report_pdf(plan, version, figures, at=now), f"{name}.pdf")


def _own(request: HttpRequest, pk: int) -> DeliveryPlan:
    """The plan, which the actor must be able to see and to change."""
    actor = actor_of(request)
    plan = get_object_or_404(plans_of(actor), pk=pk)
    if not may_change(actor, plan):
        raise NotAllowed(_("Bara den egna regionens avtalsägare och vårdlotsar ändrar planen."))
    return plan


def _holding(plan: DeliveryPlan, actor: Actor) -> PlanVersion | None:
    """What holds, else the draft where the actor sees drafts."""
    return agreed_version(plan) or next(iter(versions_seen(actor, plan)), None)


def _figures(
    plan: DeliveryPlan, version: PlanVersion | None, *, actor: Actor, today: date
) -> PlanFigures:
    return figures_of(plan, version, today=today, small=sees_small(actor))


def _do(
    request: HttpRequest,
    pk: int,
    form: PlainForm,
    service: Callable[..., Any],
    name: str,
) -> HttpResponse:
    """Do what a small form on the plan's page asks; a refusal is shown there."""
    actor, now = actor_of(request), timezone.now()
    plan = _own(request, pk)
    status = 422
    if form.is_valid():
        _done, refused = attempt(
            form, lambda: service(plan, **form.cleaned_data, actor=actor, now=now)
        )
        if refused is None:
            messages.success(request, _("Sparat."))
            return redirect("delivery-plan", pk=pk)
        status = refused
    context = _shown(plan, _holding(plan, actor), actor, timezone.localdate(now))
    return render(
        request,
        "capacity/plans/plan.html",
        context | {name: form, "form": form},
        status=status,
    )
