"""The month's statistics as page and downloads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from organisations.charts import Chart, bar_chart
from organisations.models import Role
from organisations.pages import actor_of, attachment, roles_required
from statistics.exports import HIDDEN, csv_file, xlsx_file
from statistics.forms import StatisticsForm
from statistics.selectors import DEFINITIONS, Figures, Statistics, clinics_of, statistics_for

ROLES = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR, Role.CLINIC)


@roles_required(*ROLES)
def statistics_page(request: HttpRequest) -> HttpResponse:
    form, statistics = _read(request)
    return render(
        request,
        "statistics/statistics.html",
        {
            "form": form,
            "statistics": statistics,
            "charts": charts_of(statistics),
            "definitions": DEFINITIONS,
            "query": request.GET.urlencode(),
        },
    )


@roles_required(*ROLES)
def statistics_csv(request: HttpRequest) -> HttpResponse:
    _form, statistics = _read(request)
    return attachment(csv_file(statistics), f"vardformedling-{statistics.month}.csv")


@roles_required(*ROLES)
def statistics_xlsx(request: HttpRequest) -> HttpResponse:
    _form, statistics = _read(request)
    return attachment(xlsx_file(statistics), f"vardformedling-{statistics.month}.xlsx")


def charts_of(statistics: Statistics) -> list[Chart]:
    """Three trends over the last thirteen months."""
    trend = statistics.trend
    return [
        bar_chart(
            _("Inkomna ärenden per månad"),
            [(m.short, f.received, _shown(f, "received", 0)) for m, f in trend],
        ),
        bar_chart(
            _("Behandlade per månad"),
            [(m.short, f.treated, _shown(f, "treated", 0)) for m, f in trend],
        ),
        bar_chart(
            _("Handläggningstid per månad, median i dagar"),
            [(m.short, f.handling_days, _shown(f, "handling_days", 1)) for m, f in trend],
        ),
    ]


def _read(request: HttpRequest) -> tuple[StatisticsForm, Statistics]:
    actor = actor_of(request)
    form = StatisticsForm(request.GET, clinics=clinics_of(actor), today=timezone.localdate())
    month, clinic = form.chosen()
    return form, statistics_for(actor, month=month, clinic=clinic)


def _shown(figures: Figures, name: str, decimals: int) -> str:
    if name in figures.hidden:
        return HIDDEN
    value = getattr(figures, name)
    return "–" if value is None else number_format(round(value, decimals), decimals)
