"""Waiting lists: hand in, see what holds, read in, fetch the report."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.access import Actor, record_access
from organisations.errors import DomainError
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, roles_required
from organisations.plain_forms import attempt
from referral.models import WaitingListFile
from referral.waiting_list_file import services, writing
from referral.waiting_list_file.columns import COLUMNS, REQUIRED
from referral.waiting_list_file.forms import ReadInForm, WaitingListForm
from referral.waiting_list_file.selectors import lists_of, named_cases, outcomes_of, units_for

WHO = (Role.CLINIC, Role.NAVIGATOR)
FAULTS_SHOWN = 500
State = WaitingListFile.State


@roles_required(*WHO)
def lists_page(request: HttpRequest) -> HttpResponse:
    """Choose a file to check; nothing is read in before one has seen what holds."""
    actor = actor_of(request)
    typed = (request.POST, request.FILES) if request.method == "POST" else ()
    form = WaitingListForm(*typed, units=units_for(actor))
    status = None
    if form.is_valid():
        made, status = attempt(form, lambda: _hand_in(form, actor))
        if made:
            return redirect("waiting-list", pk=made.pk)
    lists = page_of(lists_of(actor), request)
    return render(
        request,
        "referral/waiting_list/lists.html",
        {
            "form": form,
            "lists": lists,
            "columns": COLUMNS,
            "required": REQUIRED,
            "has_units": bool(form.units),
            **pager(lists, request),
        },
        status=status or (422 if form.errors else 200),
    )


def _hand_in(form: WaitingListForm, actor: Actor) -> WaitingListFile:
    unit, file = form.chosen_unit(), form.cleaned_data["file"]
    if unit is None:
        raise PermissionDenied
    return services.hand_in(
        file.read(services.MOST_BYTES_READ),
        name=file.name,
        sending_unit=unit,
        to_store=False,
        actor=actor,
        now=timezone.now(),
    )


@roles_required(*WHO)
def list_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of the file; while it waits, the page asks again by itself."""
    made = _list_or_404(actor_of(request), pk)
    is_part = bool(getattr(request, "htmx", False))
    if made.state == State.QUEUED:
        template = "waiting_part" if is_part else "waiting"
        return render(request, f"referral/waiting_list/{template}.html", {"made": made})
    if is_part:
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    faults = [fault for one in outcomes_of(made) for fault in one.faults]
    context = {
        "made": made,
        "faults": faults[:FAULTS_SHOWN],
        "fault_count": len(faults),
        "unchanged": made.state == State.CHECKED and made.to_store,
        "has_xlsx": made.rows <= writing.MOST_IN_XLSX,
    }
    return render(request, "referral/waiting_list/list.html", context)


@roles_required(*WHO)
@require_POST
def list_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Read in what has been checked: everything, or the rows that hold."""
    actor = actor_of(request)
    made = _list_or_404(actor, pk)
    form = ReadInForm(request.POST)
    only_good = form.is_valid() and form.cleaned_data["good_rows_only"]
    try:
        services.read_in(made, good_rows_only=only_good, actor=actor, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("waiting-list", pk=pk)


@roles_required(*WHO)
def list_report(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The file as it was handed in, with what became of each row."""
    actor, now = actor_of(request), timezone.now()
    made = _list_or_404(actor, pk)
    writers = {"csv": writing.report_csv, "xlsx": writing.report_xlsx}
    too_long = kind == "xlsx" and made.rows > writing.MOST_IN_XLSX
    if kind not in writers or not made.is_kept or not made.rows or too_long:
        raise Http404
    outcomes = outcomes_of(made)
    # A row that has no case is a look at somebody who is not known here: the log says that much.
    shown: list[tuple[str, int | None]] = [*named_cases(actor, outcomes), ("", None)]
    record_access(actor, what="waiting_list_file", now=now, cases=shown)
    return attachment(
        writers[kind](services.content_of(made), outcomes), f"vantelista-{pk}-utfall.{kind}"
    )


@roles_required(*WHO)
def list_template(request: HttpRequest, kind: str) -> HttpResponse:
    """An empty waiting list with its columns."""
    if kind == "csv":
        return attachment(writing.template_csv(), "vantelista-mall.csv")
    if kind == "xlsx":
        return attachment(writing.template_xlsx(), "vantelista-mall.xlsx")
    raise Http404(_("Okänd filtyp."))


def _list_or_404(actor: Actor, pk: int) -> WaitingListFile:
    made: Any = get_object_or_404(lists_of(actor), pk=pk)
    return made
