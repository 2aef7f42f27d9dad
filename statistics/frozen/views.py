"""Frozen months as pages: the list, a month, its files, a new version, and subscribing."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, query, roles_required
from organisations.plain_forms import attempt
from statistics.frozen import services, subscribing
from statistics.frozen.exports import csv_file, xlsx_file
from statistics.frozen.forms import MonthForm, ReasonForm
from statistics.frozen.rules import rules_named
from statistics.frozen.selectors import MAY_SEE, MonthPage, dimensions_for, month_page, months_of
from statistics.monthly.measures import MEASURES
from statistics.months import Month

FILES = {"csv": csv_file, "xlsx": xlsx_file}
MAY_RECOUNT = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)


@roles_required(*MAY_SEE)
def months_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    page = page_of(months_of(actor), request)
    context = {"months": page, "subscription": subscribing.own_subscription(actor)}
    return render(request, "statistics/frozen/months.html", context | pager(page, request))


@roles_required(*MAY_SEE)
def month_page_view(request: HttpRequest, month: str) -> HttpResponse:
    return _month(request, month, ReasonForm(), status=200)


@require_POST
@roles_required(Role.MANAGER)
def publish(request: HttpRequest, month: str) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _month(request, month, form, status=422)
    made, refused = attempt(
        form,
        lambda: services.publish_version(
            _parsed(month),
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        ),
    )
    if refused is not None:
        return _month(request, month, form, status=refused)
    messages.success(request, _("Version %(n)s är publicerad.") % {"n": made.version})
    return redirect("frozen-month", month=month)


@require_POST
@roles_required(*MAY_RECOUNT)
def recount(request: HttpRequest, month: str) -> HttpResponse:
    try:
        found = services.recount_month(_parsed(month), actor=actor_of(request), now=timezone.now())
    except services.MonthNotFound as error:
        raise Http404(str(error)) from error
    except DomainError as error:
        messages.warning(request, str(error.message))
    else:
        if found:
            text = ngettext("%(n)s siffra har rättats.", "%(n)s siffror har rättats.", found)
            messages.success(request, text % {"n": found})
        else:
            messages.info(request, _("Ingen siffra har ändrats sedan senaste räkningen."))
    return redirect("frozen-month", month=month)


@roles_required(*MAY_SEE)
def month_file(request: HttpRequest, month: str, kind: str) -> HttpResponse:
    if kind not in FILES:
        raise Http404
    _form, page = _read(request, month)
    version = f"-v{page.chosen.version}" if page.chosen else "-preliminar"
    return attachment(FILES[kind](page), f"manadsstatistik-{page.month}{version}.{kind}")


@roles_required(*MAY_SEE)
def subscription_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    status = 200
    if request.method == "POST":
        try:
            if "leave" in request.POST:
                subscribing.unsubscribe(actor=actor, now=now)
                messages.success(request, _("Du prenumererar inte längre."))
            else:
                subscribing.subscribe(actor=actor, now=now)
                messages.success(request, _("Du får ett mejl när nästa månad är fryst."))
            return redirect("frozen-subscription")
        except DomainError as error:
            messages.warning(request, str(error.message))
            status = error.status
    context = {
        "subscription": subscribing.own_subscription(actor),
        "of_clinic": actor.role == Role.CLINIC,
        "place": actor.place,
        "email": getattr(request.user, "email", ""),
    }
    return render(request, "statistics/frozen/subscription.html", context, status=status)


def _month(request: HttpRequest, month: str, reason: ReasonForm, *, status: int) -> HttpResponse:
    form, page = _read(request, month)
    rows = page_of(page.rows, request)
    role = actor_of(request).role
    context: dict[str, Any] = {
        "form": form,
        "page": page,
        "rows": rows,
        "reason": reason,
        "rules": rules_named(page.chosen.rules) if page.chosen else None,
        "may_publish": role == Role.MANAGER and page.chosen is not None,
        "may_recount": role in MAY_RECOUNT and page.chosen is not None,
        "query": request.GET.urlencode(),
        "definitions": MEASURES.values(),
        "versions": [(one, query(request, version=one.version)) for one in page.versions],
    }
    return render(
        request, "statistics/frozen/month.html", context | pager(rows, request), status=status
    )


def _read(request: HttpRequest, month: str) -> tuple[MonthForm, MonthPage]:
    actor = actor_of(request)
    form = MonthForm(request.GET, dimensions=dimensions_for(actor))
    try:
        return form, month_page(actor, _parsed(month), form.chosen())
    except services.MonthNotFound as error:
        raise Http404(str(error)) from error


def _parsed(text: str) -> Month:
    month = Month.parse(text)
    if month is None:
        raise Http404
    return month
