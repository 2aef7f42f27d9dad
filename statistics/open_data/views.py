"""The public page and files: for anybody, without login, cookies or a trace of who looked."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.formats import number_format
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from organisations.access import acting_as
from organisations.charts import bar_chart
from organisations.throttling import OPEN_DATA, client_address, too_many
from statistics.open_data import dcat, files
from statistics.open_data.measures import MEASURES, Dimension
from statistics.open_data.models import Border, Edition
from statistics.open_data.selectors import (
    edition_of,
    figures_of,
    latest_editions,
    national_trend,
    rows_of,
    versions_of,
)
from statistics.open_data.tables import tables_of

LANGUAGES = {"sv": "Svenska", "en": "English"}
FRESH_SECONDS = 3600
# An edition never changes.
FROZEN_SECONDS = 30 * 86_400
FILE_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
TREND_QUARTERS = 12


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """With nobody's rights, so many times a minute, kept by whoever wants to keep it."""

    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, **keys: Any) -> HttpResponse:
        language = request.GET.get("language", "sv")
        with (
            translation.override(language if language in LANGUAGES else "sv"),
            acting_as(None),
        ):
            if seconds := OPEN_DATA.hit(client_address(request)):
                return too_many(request, seconds=seconds)
            response = view(request, **keys)
        response.headers.setdefault("Cache-Control", f"public, max-age={FRESH_SECONDS}")
        return response

    return guarded


@public
def open_data_page(request: HttpRequest) -> HttpResponse:
    """The newest quarter or the one asked for, and how the nation's number has gone."""
    editions = latest_editions()
    asked = request.GET.get("period", "")
    chosen = next((one for one in editions if one.period == asked), None)
    if asked and chosen is None:
        raise Http404
    chosen = chosen or (editions[-1] if editions else None)
    language = translation.get_language()
    shown = editions[-TREND_QUARTERS:]
    rows = rows_of(chosen, nation=str(files.NATION_NAME)) if chosen else []
    return render(
        request,
        "statistics/open_data/page.html",
        {
            "title": files.title(),
            "description": files.description(),
            "language": language,
            "languages": LANGUAGES,
            "editions": list(reversed(editions)),
            "chosen": chosen,
            "versions": versions_of(chosen.period) if chosen else [],
            "nation": rows[0] if rows else None,
            "tables": tables_of(rows),
            "dimensions": [
                (one, [m for m in MEASURES.values() if m.dimension == one]) for one in Dimension
            ],
            "charts": [
                bar_chart(
                    f"{chart_title()}: {border.label.lower()}",
                    [
                        (period, _float(value), _words(value))
                        for period, value in national_trend(shown, border)
                    ],
                )
                for border in (Border.WITHIN, Border.ACROSS)
            ],
        },
    )


@public
def open_data_file(request: HttpRequest, *, kind: str) -> HttpResponse:
    """The newest version of every quarter."""
    return _file(request, kind, latest_editions(), name="vardformedling")


@public
def open_data_edition(
    request: HttpRequest, *, period: str, version: int, kind: str
) -> HttpResponse:
    """One version of one quarter, as it was published."""
    edition = edition_of(period, version)
    if edition is None:
        raise Http404
    response = _file(request, kind, [edition], name=f"vardformedling-{period}-v{version}")
    response["Cache-Control"] = f"public, max-age={FROZEN_SECONDS}, immutable"
    return response


@public
def open_data_schema(request: HttpRequest) -> HttpResponse:
    return _for_programs(HttpResponse(files.schema_file(), "application/json"))


@public
def open_data_catalogue(request: HttpRequest) -> HttpResponse:
    """DCAT-AP-SE, also where the data portal looks by default (``/datasets/dcat``)."""
    content = dcat.catalogue(latest_editions())
    return _for_programs(HttpResponse(content, "application/rdf+xml; charset=utf-8"))


def _file(request: HttpRequest, kind: str, editions: list[Edition], *, name: str) -> HttpResponse:
    if kind not in FILE_TYPES:
        raise Http404
    tag = f'"{kind}-{max((one.pk for one in editions), default=0)}-{len(editions)}"'
    changed = max((one.published_at for one in editions), default=None)
    if request.headers.get("If-None-Match") == tag:
        return _marked(_for_programs(HttpResponse(status=304)), tag, changed)
    figures = figures_of(editions)
    content = files.csv_file(figures) if kind == "csv" else files.json_file(editions, figures)
    response = HttpResponse(content, FILE_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return _marked(_for_programs(response), tag, changed)


def _marked(response: HttpResponse, tag: str, changed: datetime | None) -> HttpResponse:
    response["ETag"] = tag
    if changed is not None:
        response["Last-Modified"] = http_date(changed.timestamp())
    return response


def _for_programs(response: HttpResponse) -> HttpResponse:
    """Open data may be read by scripts of any other page (CORS); it goes with no login."""
    response["Access-Control-Allow-Origin"] = "*"
    return response


def chart_title() -> str:
    return _("Patienter på grund av väntetid, per kvartal, i de regioner som ingår")


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _words(value: Any) -> str:
    return _("dolt") if value is None else str(number_format(value, 0, force_grouping=True))
