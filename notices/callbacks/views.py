"""Telefontider: a week of times, the calls to make today, and a call booked from its case."""

from collections.abc import Callable
from datetime import date
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from capacity.plans.weeks import Week
from notices.callbacks import services
from notices.callbacks.forms import (
    BookForm,
    CancelForm,
    DoneForm,
    MissedForm,
    RebookForm,
    TimesForm,
)
from notices.callbacks.models import CallBack, PhoneTime
from notices.callbacks.selectors import (
    calls_of,
    calls_to_make,
    free_times,
    shown_calls,
    week_of_times,
)
from notices.callbacks.times import close_times, open_times, take_over
from notices.callbacks.verbs import VERBS
from organisations.access import record_access
from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import PlainForm, attempt
from organisations.working_days import next_working_day
from referral.models import LogVerb
from referral.selectors import find_by_number
from referral.views.shared import case_or_404, submitted

# What is done to a call that is to come, with its form and service.
ENDINGS: dict[str, tuple[LogVerb, type[PlainForm], Callable[..., Any]]] = {
    "done": (LogVerb.CALL_DONE, DoneForm, services.call_done),
    "missed": (LogVerb.CALL_MISSED, MissedForm, services.call_missed),
    "cancel": (LogVerb.CALL_CANCELLED, CancelForm, services.cancel_call),
}


@roles_required(Role.NAVIGATOR)
def phone_times(request: HttpRequest) -> HttpResponse:
    """A week of phone times by day; the way to a case that is to be booked."""
    actor, now = actor_of(request), timezone.now()
    if wanted := request.GET.get("number", "").replace("\x00", "").strip()[:40]:
        if found := find_by_number(actor, wanted):
            return redirect("case-call-book", number=found.number)
        messages.error(request, _("Det finns inget ärende med det numret."))
    week = _week(request.GET.get("week", ""), today=timezone.localdate(now))
    everybody = request.GET.get("who") == "all"
    shown = [
        one
        for one in week_of_times(actor, monday=week.monday, everybody=everybody)
        if one.taken or one.time.starts_at > now  # what nobody used is of no interest afterwards
    ]
    record_access(actor, what="phone_times", now=now, cases=shown_calls(one.call for one in shown))
    return render(
        request,
        "notices/callbacks/phone_times.html",
        {
            "days": [
                (day, list(times))
                for day, times in groupby(shown, lambda one: timezone.localdate(one.time.starts_at))
            ],
            "week": week,
            "previous": _address(week.back(1), everybody=everybody),
            "next": _address(week.back(-1), everybody=everybody),
            "other": _address(week, everybody=not everybody),
            "everybody": everybody,
            "any_free": any(one.is_free for one in shown),
        },
    )


def _week(text: str, *, today: date) -> Week:
    """``2026-W49``; anything else is this week."""
    try:
        monday = date.fromisoformat(f"{text}-1")
    except ValueError:
        return Week.of(today)
    return Week.of(monday) if abs((monday - today).days) < 3660 else Week.of(today)


def _address(week: Week, *, everybody: bool) -> str:
    who = "&who=all" if everybody else ""
    return f"{reverse('phone-times')}?week={week.year}-W{week.number:02d}{who}"


@roles_required(Role.NAVIGATOR)
def phone_times_new(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    form = TimesForm(
        request.POST if request.method == "POST" else None,
        initial={"first_day": next_working_day(timezone.localdate(now))},
    )
    status: int | None = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        made, status = attempt(form, lambda: open_times(form.series(), actor=actor, now=now))
        if made:
            messages.success(request, _("%(n)s tider är upplagda.") % {"n": len(made)})
            first = Week.of(timezone.localdate(made[0].starts_at))
            return redirect(_address(first, everybody=False))
    return render(request, "notices/callbacks/new.html", {"form": form}, status=status)


@roles_required(Role.NAVIGATOR)
@require_POST
def phone_times_close(request: HttpRequest) -> HttpResponse:
    chosen = {
        int(key)
        for key in request.POST.getlist("times")
        if key.isascii() and key.isdigit() and len(key) < 19
    }
    try:
        closed = close_times(chosen, actor=actor_of(request), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("%(n)s tider är stängda.") % {"n": closed})
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """To the week the form stood in."""
    week = _week(request.POST.get("week", ""), today=timezone.localdate())
    return _address(week, everybody=request.POST.get("who") == "all")


@roles_required(Role.NAVIGATOR)
@require_POST
def phone_time_take_over(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    wanted = get_object_or_404(PhoneTime, pk=pk, region_id=actor.region)
    try:
        take_over(wanted, actor=actor, now=timezone.now())
    except DomainError as error:
        if error.status == 404:
            raise Http404(str(error.message)) from error
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Tiden är din."))
    return redirect(_back(request))


@roles_required(Role.NAVIGATOR)
def calls_today(request: HttpRequest) -> HttpResponse:
    """Those to call today, on top of the worklist; a page of its own without scripts."""
    actor, now = actor_of(request), timezone.now()
    calls = calls_to_make(actor, now=now)
    record_access(actor, what="calls_today", now=now, cases=shown_calls(calls))
    part = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "notices/callbacks/partials/today.html" if part else "notices/callbacks/today.html",
        {"calls": calls, "now": now},
    )


@roles_required(Role.NAVIGATOR, Role.CLINIC)
def case_calls(request: HttpRequest, number: str) -> HttpResponse:
    """The calls of a case: a part of the case page, or a page of its own without scripts."""
    actor, now = actor_of(request), timezone.now()
    case = case_or_404(actor, number)
    record_access(actor, what="calls", now=now, cases=[(case.number, case.patient_id)])
    part = bool(request.headers.get("HX-Request"))
    calls = list(calls_of(actor).filter(case=case).order_by("-pk"))
    return render(
        request,
        "notices/callbacks/partials/calls.html" if part else "notices/callbacks/calls.html",
        {"case": case, "calls": calls, "may_book": case.is_open},
    )


@roles_required(Role.NAVIGATOR, Role.CLINIC)
def case_call_book(request: HttpRequest, number: str) -> HttpResponse:
    """Book a call, or move the one that is booked."""
    actor, now = actor_of(request), timezone.now()
    case = case_or_404(actor, number)
    coming = calls_of(actor).filter(case=case, state__in=CallBack.COMING).first()
    booked = coming if coming and coming.state == CallBack.State.BOOKED else None
    times = free_times(case.region_id, now=now)
    posted = request.POST if request.method == "POST" else None
    form: PlainForm
    if booked:
        form = RebookForm(posted, times=times)
    else:
        known = {"phone": coming.phone, "about": coming.about} if coming else {}
        form = BookForm(posted, times=times, initial={"phone": case.patient.phone} | known)
    verb = VERBS[LogVerb.CALL_REBOOKED if booked else LogVerb.CALL_BOOKED]

    def book() -> None:
        if booked:
            services.rebook_call(booked, **form.cleaned_data, actor=actor, now=now)
        else:
            services.book_call(case, **form.cleaned_data, actor=actor, now=now)

    if submitted(request, form, book, label=verb.label):
        return redirect("case", number=case.number)
    record_access(actor, what="calls", now=now, cases=[(case.number, case.patient_id)])
    return render(
        request,
        "notices/callbacks/book.html",
        {
            "case": case,
            "form": form,
            "title": verb.label,
            "booked": booked,
            "has_times": bool(times),
            "may_open": actor.role == Role.NAVIGATOR,
        },
        status=422 if form.errors else 200,
    )


@roles_required(Role.NAVIGATOR, Role.CLINIC)
def call_end(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """How a call ended: its form on GET, done on POST."""
    actor, now = actor_of(request), timezone.now()
    call = get_object_or_404(calls_of(actor), pk=pk)
    if ending not in ENDINGS:
        raise Http404
    verb, form_class, service = ENDINGS[ending]
    if actor.role not in VERBS[verb].roles:
        raise Http404
    form = form_class(request.POST if request.method == "POST" else None)
    if submitted(
        request,
        form,
        lambda: service(call, **form.cleaned_data, actor=actor, now=now),
        label=VERBS[verb].label,
    ):
        return redirect("case", number=call.case.number)
    case = case_or_404(actor, call.case.number)
    record_access(actor, what="calls", now=now, cases=[(case.number, case.patient_id)])
    context = {
        "case": case,
        "transition": VERBS[verb],
        "action_form": form,
        "clock": case.clock(timezone.localdate(now)),
    }
    return render(request, "referral/action.html", context, status=422 if form.errors else 200)
