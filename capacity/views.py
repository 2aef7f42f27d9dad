"""The situation view, a unit's waiting times and their files; the weights of matching."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from capacity.forms import COLUMNS, SituationForm, WaitingTimeFileForm, WeightsForm, is_code
from capacity.matching import (
    CRITERIA,
    NATIONAL,
    Weights,
    codes_of,
    history_of,
    preview,
    weights_in_force,
)
from capacity.matching.scores import names, scales
from capacity.models import OWN_SOURCE, QualityMeasure, WaitingTimeFile
from capacity.services import change_weights, import_waiting_times, weights_in_words
from capacity.situation import (
    DEFINITIONS,
    FEWEST,
    Month,
    Reported,
    Situation,
    monthly_medians,
    reported_at,
    situations,
)
from contracts.codes import covering_codes
from contracts.selectors import procedure_name, procedure_names, procedures_with
from organisations.access import Actor
from organisations.charts import Chart, bar_chart
from organisations.errors import InvalidInput, WrongState
from organisations.models import CareUnit, Region, Role
from organisations.pages import actor_of, page_of, pager, roles_required, sorting_column

WHO_SEES = (
    *(Role.NAVIGATOR, Role.CLINIC, Role.PROVIDER),
    *(Role.CONTRACT_OWNER, Role.MANAGER, Role.REGION_ADMIN),
)
SUGGESTIONS, FAULTS, HISTORY = 20, 500, 50
# Columns that are left out where no source tells them.
SELDOM = frozenset({"asa34_percent", "general_anaesthesia_percent"})


@roles_required(*WHO_SEES)
def situation_page(request: HttpRequest) -> HttpResponse:
    """The table for a code; for words, the codes to choose among."""
    today = timezone.localdate()
    form = SituationForm(request.GET, today=today)
    context: dict[str, Any] = {"filters": form, "definitions": DEFINITIONS, "fewest": FEWEST}
    typed = form.cleaned_data["q"].strip() if form.is_valid() else ""
    code = typed.split(" ")[0].upper() if typed else ""
    if is_code(code):
        rows = _sorted(situations(form.choice(code), today=today), form.cleaned_data["sort"])
        page = page_of(rows, request)
        group = covering_codes(code)[-1]
        context |= {
            "kva": group,
            "procedure": procedure_name(group),
            "page": page,
            "by_region": form.choice(code).by_region,
            "columns": {
                key: sorting_column(request, key, label, sort=form.cleaned_data["sort"], page="")
                for key, label in COLUMNS
                if key != "region" and not (key in SELDOM and _is_empty(rows, key))
            },
        } | pager(page, request)
    elif typed:
        context |= {"typed": typed, "suggested": procedures_with(typed, most=SUGGESTIONS)}
    return render(request, "capacity/situation.html", context, status=422 if form.errors else 200)


@roles_required(*WHO_SEES)
def unit_page(request: HttpRequest, hsa_id: str) -> HttpResponse:
    """A unit's medians by month for one code and source, and what else is reported there."""
    today = timezone.localdate()
    unit = get_object_or_404(
        CareUnit.objects.select_related("provider", "region", "municipality"), hsa_id=hsa_id
    )
    reported = reported_at(unit, today=today)
    chosen = _chosen(reported, request)
    months = (
        monthly_medians(unit, kva=chosen.kva, source=chosen.source, today=today) if chosen else []
    )
    context = {
        "unit": unit,
        "reported": [(r, procedure_name(r.kva), _query_of(r)) for r in reported],
        "chosen": chosen,
        "procedure": procedure_name(chosen.kva) if chosen else "",
        "charts": [_chart(months)] if chosen else [],
        "fewest": FEWEST,
        "definitions": DEFINITIONS,
        "own_source": OWN_SOURCE,
        "quality": QualityMeasure.objects.filter(care_unit=unit).order_by("kva", "-year")[:20],
    }
    return render(request, "capacity/unit.html", context)


@roles_required(Role.REGION_ADMIN, Role.NAVIGATOR)
def weights_page(request: HttpRequest) -> HttpResponse:
    """The region's weights and their history; its administrator tries others and chooses."""
    actor, today = actor_of(request), timezone.localdate()
    region = get_object_or_404(Region, code=actor.region)
    current = weights_in_force(region.code)
    may_change = actor.role == Role.REGION_ADMIN
    context = {
        "region": region,
        "weights": [(name, current.of(key), scales()[key]) for key, name in names().items()],
        "current": current,
        "may_change": may_change,
        "history": list(history_of(region.code)[:HISTORY]),
        "national": weights_in_words({key: NATIONAL.of(key) for key in CRITERIA}),
    }
    form = None
    if may_change:
        form = _weights_form(request, region, current, today=today)
        if _weights_changed(request, form, actor):
            messages.success(request, _("Vikterna är sparade och gäller från nu."))
            return redirect("matching-weights")
        if form.is_bound and form.is_valid() and form.cleaned_data["kva"]:
            tried = current.with_values(form.values())
            kva = form.cleaned_data["kva"]
            context |= {
                "moved": preview(region, kva=kva, weights=tried, today=today),
                "procedure": procedure_name(kva),
            }
    refused = form is not None and bool(form.errors)
    return render(
        request, "capacity/weights.html", context | {"form": form}, status=422 if refused else 200
    )


def _weights_form(
    request: HttpRequest, region: Region, current: Weights, *, today: date
) -> WeightsForm:
    codes = codes_of(region, today=today)
    names_of = procedure_names(codes)
    initial = {key: current.of(key) for key in CRITERIA} | {"seen": current.version}
    form = WeightsForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        codes=[(kva, f"{kva} {names_of[kva]}" if names_of[kva] != kva else kva) for kva in codes],
    )
    if "save" not in request.POST:  # who tries does not have to say why
        form.fields["why"].required = False
    return form


def _weights_changed(request: HttpRequest, form: WeightsForm, actor: Actor) -> bool:
    """Whether new weights were saved; what the service refused stands in the form."""
    if not (form.is_bound and form.is_valid()):
        return False
    if "save" not in request.POST:
        if form.total() != 100:
            text = _("Vikterna blir %(total)s tillsammans. De ska bli 100.")
            form.add_error(CRITERIA[-1], text % {"total": form.total()})
        return False
    try:
        change_weights(
            form.values(),
            why=form.cleaned_data["why"],
            seen_version=form.cleaned_data["seen"],
            actor=actor,
            now=timezone.now(),
        )
    except InvalidInput as error:
        form.add_refusal(error)
    except WrongState as error:
        form.add_error(None, str(error.message))
    else:
        return True
    return False


@roles_required(Role.OPERATOR)
def files_page(request: HttpRequest) -> HttpResponse:
    """Read a file by hand, and see what has been read; files usually come by the command."""
    form = WaitingTimeFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = import_waiting_times(
                file.read(),
                name=file.name,
                source=form.cleaned_data["source"],
                made_by=actor_of(request).name,
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_refusal(error)
        else:
            return redirect("waiting-time-file", pk=made.pk)
    files = page_of(WaitingTimeFile.objects.defer("faults"), request)
    return render(
        request,
        "capacity/files.html",
        {"form": form, "files": files} | pager(files, request),
        status=422 if form.errors else 200,
    )


@roles_required(Role.OPERATOR)
def file_page(request: HttpRequest, pk: int) -> HttpResponse:
    made = get_object_or_404(WaitingTimeFile, pk=pk)
    context = {"made": made, "faults": made.faults[:FAULTS], "fault_count": len(made.faults)}
    return render(request, "capacity/file.html", context)


def _sorted(rows: list[Situation], order: str) -> list[Situation]:
    """By a column; what is not known stands last, whichever way."""
    key = order.removeprefix("-")
    known = [row for row in rows if getattr(row, key) is not None]
    known.sort(key=lambda row: getattr(row, key), reverse=order.startswith("-"))
    return known + [row for row in rows if getattr(row, key) is None]


def _is_empty(rows: list[Situation], key: str) -> bool:
    return all(getattr(row, key) is None for row in rows)


def _query_of(reported: Reported) -> str:
    return urlencode({"kva": reported.kva, "source": reported.source})


def _chosen(reported: list[Reported], request: HttpRequest) -> Reported | None:
    """The code and source asked for, else a register's newest figures for the code, else any."""
    asked = request.GET.get("kva", "").upper(), request.GET.get("source", "")
    exact = [r for r in reported if (r.kva, r.source) == asked]
    of_code = [r for r in reported if r.kva == asked[0]]
    candidates = exact or of_code or reported
    return max(candidates, key=lambda r: (not r.is_own, r.newest), default=None)


def _chart(months: list[Month]) -> Chart:
    return bar_chart(
        _("Medianväntetid i dagar per månad, de senaste 18 månaderna"),
        [
            (
                date_format(month.first_day, "y-m"),
                month.median_days,
                "" if month.median_days is None else number_format(month.median_days, 0),
            )
            for month in months
        ],
    )
