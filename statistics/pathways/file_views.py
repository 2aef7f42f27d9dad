"""Limits and counts in and out as files, for the region's administrator."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from contracts.files.reading import MAX_BYTES
from contracts.views.files import download
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import attempt
from referral.pathways import FirstTreatment, pathway_choices
from statistics.pathways.files import (
    COLUMNS,
    REQUIRED,
    count_rows,
    fault_rows,
    limit_rows,
)
from statistics.pathways.forms import PathwayFileForm
from statistics.pathways.importing import import_file
from statistics.pathways.models import OwnStep, PathwayFile
from statistics.pathways.told import files_of, told_by

FAULTS_SHOWN = 500
NAMES = {PathwayFile.Kind.LIMITS: "langsta-ledtider", PathwayFile.Kind.COUNTS: "antal-vardforlopp"}


@roles_required(Role.REGION_ADMIN)
def told(request: HttpRequest, what: str, kind: str) -> HttpResponse:
    """What the region has told, in the form that is read in again."""
    known, found = _kind(what), told_by(actor_of(request))
    is_limits = known == PathwayFile.Kind.LIMITS
    rows = limit_rows(found.days) if is_limits else count_rows(found.inclusions, found.lead_times)
    return download(rows, kind, name=NAMES[known])


@roles_required(Role.REGION_ADMIN)
def import_page(request: HttpRequest, what: str) -> HttpResponse:
    """Choose a file; what became of its rows has a page of its own."""
    kind, actor = _kind(what), actor_of(request)
    sent = request.method == "POST"
    form = PathwayFileForm(*((request.POST, request.FILES) if sent else ()))
    status = 422
    if form.is_valid():
        file = form.cleaned_data["file"]
        content = file.read(MAX_BYTES + 1)
        made, refused = attempt(
            form,
            lambda: import_file(
                content,
                kind=kind,
                name=file.name,
                good_rows_only=form.cleaned_data["good_rows_only"],
                actor=actor,
                now=timezone.now(),
            ),
        )
        if made is not None:
            return redirect("pathway-file", pk=made.pk)
        status = refused or status
    context = {
        "form": form,
        "what": kind,
        "is_limits": kind == PathwayFile.Kind.LIMITS,
        "columns": COLUMNS[kind],
        "required": REQUIRED[kind],
        "pathways": pathway_choices(),
        "steps": OwnStep.choices,
        "treatments": FirstTreatment.choices,
    }
    return render(
        request,
        "statistics/pathways/import.html",
        context,
        status=status if form.errors else 200,
    )


@roles_required(Role.REGION_ADMIN)
def file_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of a file that was handed in."""
    made = get_object_or_404(files_of(actor_of(request)), pk=pk)
    return render(
        request,
        "statistics/pathways/file.html",
        {"made": made, "faults": made.faults[:FAULTS_SHOWN], "fault_count": len(made.faults)},
    )


@roles_required(Role.REGION_ADMIN)
def faults(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The numbers of the rows with faults, and the reasons, as a file."""
    made = get_object_or_404(files_of(actor_of(request)), pk=pk)
    return download(fault_rows(made), kind, name=f"fel-vardforlopp-{made.pk}")


def _kind(text: str) -> PathwayFile.Kind:
    if text not in PathwayFile.Kind.values:
        raise Http404
    return PathwayFile.Kind(text)
