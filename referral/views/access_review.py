"""Review of the access log: the list, one access, random samples. Case numbers, no patients."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor, record_access
from organisations.access_log.reviewing import draw_sample, review, reviewable_samples
from organisations.errors import InvalidInput
from organisations.models import AccessLog, AccessReview, Role, User
from organisations.pages import actor_of, query, roles_required
from referral.access_log import words_for
from referral.forms.access_review import ReviewFilterForm, ReviewForm, SampleForm
from referral.selectors.access_review import (
    MARKS,
    access_page,
    case_in_region,
    get_access,
    marks_on,
    sample_rows,
)
from referral.selectors.log_extract import role_of, unit_of


@roles_required(Role.REGION_ADMIN)
def review_page(request: HttpRequest) -> HttpResponse:
    """The region's accesses, newest first: all, or by user, case, day, mark or outcome."""
    actor = actor_of(request)
    form = ReviewFilterForm(request.GET)
    filters = form.filters()
    page = access_page(actor, filters, cursor=request.GET.get("after", ""))
    _record(actor, filters.case_number)
    user = User.objects.filter(pk=filters.user_id).first() if filters.user_id else None
    return render(
        request,
        "referral/access_review/review.html",
        {
            "form": form,
            "rows": [shown(row) for row in page.rows],
            "marks": MARKS,
            "user_shown": user if page.rows else None,
            "filters": filters,
            "next_query": query(request, after=page.next_cursor) if page.next_cursor else "",
            "first_query": query(request, after="") if request.GET.get("after") else "",
        },
    )


@roles_required(Role.REGION_ADMIN)
def row_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One access with what is out of the ordinary; a POST records what the reviewer found."""
    actor, now = actor_of(request), timezone.now()
    row = get_access(actor, pk)
    if row is None:
        raise Http404
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            review(row, **form.cleaned_data, actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("Granskningen är sparad."))
            return redirect(_back(request, actor))
    _record(actor, row.case_number)
    return render(
        request,
        "referral/access_review/row.html",
        {
            "row": shown(row),
            "review_form": form,
            "reviews": list(row.reviews.select_related("reviewer")),
            "own": row.user_id == actor.user_id,
            "back": _back(request, actor),
        },
        status=422 if form.errors else 200,
    )


@roles_required(Role.REGION_ADMIN)
def samples_page(request: HttpRequest) -> HttpResponse:
    """Samples drawn and how far each has been reviewed; a POST draws a new one."""
    actor, now = actor_of(request), timezone.now()
    today = timezone.localdate(now)
    initial = {"first_day": today.replace(day=1), "last_day": today}
    form = SampleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            sample = draw_sample(**form.cleaned_data, actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return redirect("access-sample", pk=sample.pk)
    samples = list(reviewable_samples(actor).select_related("drawn_by")[:200])
    reviewed = {
        sample.pk: sample.rows.filter(access__reviews__isnull=False).distinct().count()
        for sample in samples
    }
    return render(
        request,
        "referral/access_review/samples.html",
        {
            "sample_form": form,
            "samples": [(sample, reviewed[sample.pk]) for sample in samples],
        },
        status=422 if form.errors else 200,
    )


@roles_required(Role.REGION_ADMIN)
def sample_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    sample = get_object_or_404(reviewable_samples(actor).select_related("drawn_by"), pk=pk)
    rows = sample_rows(actor, sample.pk)
    _record(actor)
    return render(
        request,
        "referral/access_review/sample.html",
        {
            "sample": sample,
            "rows": [shown(row) for row in rows],
            "reviewed": sum(bool(row.latest_outcome) for row in rows),  # type: ignore[attr-defined]
            "marks": MARKS,
        },
    )


def shown(row: AccessLog) -> dict[str, Any]:
    """A row in words."""
    outcome: str = row.latest_outcome  # type: ignore[attr-defined]
    return {
        "row": row,
        "unit": unit_of(row),
        "role": role_of(row),
        "what": words_for(row.what),
        "marks": marks_on(row),
        "outcome": AccessReview.Outcome(outcome) if outcome else None,
    }


def _record(actor: Actor, number: str = "") -> None:
    """Whoever reviews leaves a row too, on the case when only one is looked at."""
    case = case_in_region(actor, number) if number else None
    record_access(
        actor,
        what="log_review",
        now=timezone.now(),
        cases=[(number, case.patient_id if case else None)],
    )


def _back(request: HttpRequest, actor: Actor) -> str:
    sample = request.GET.get("sample", "")
    if sample.isascii() and sample.isdigit() and len(sample) < 10:
        found = reviewable_samples(actor).filter(pk=int(sample)).first()
        if found:
            return reverse("access-sample", args=[found.pk])
    return reverse("access-review")
