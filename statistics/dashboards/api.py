"""The dashboard over the API, the same figures and the same hiding as on the pages."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.access import Actor
from organisations.api import actor_of, refuse_unreadable
from organisations.errors import InvalidInput
from statistics.dashboards.flows import FlowRow, flows_of
from statistics.dashboards.forms import FOR_CASES, Choice, DashboardForm, Period, Span
from statistics.dashboards.funnel import funnel_of
from statistics.dashboards.gaps import GapRow, gaps_of
from statistics.dashboards.trend import (
    Cell,
    Row,
    Shown,
    Trend,
    figures_of,
    key_figures,
    rounded,
    trends,
)
from statistics.selectors import SEES_CASES

SEES_CASES_ONLY = "Endast för den som ser ärendena."
MONTH = OpenApiParameter("month", str, description="ÅÅÅÅ-MM; utan: denna månad.")
CASES = [
    OpenApiParameter(
        "clinic",
        str,
        description="HSA-id; utan: hela regionen. I tratt, flöden och saknade avtal får den som "
        "bara ser siffror alltid hela regionen.",
    ),
    OpenApiParameter("mvo", str, description=f"Verksamhetsområde. {SEES_CASES_ONLY}"),
    OpenApiParameter("procedure", str, description=f"KVÅ-kod eller början. {SEES_CASES_ONLY}"),
]
SPAN = OpenApiParameter(
    "span",
    str,
    enum=Span.values,
    description=f"Månadens kalenderår, eller tolv månader till och med den. {SEES_CASES_ONLY}",
)


class ChosenSerializer(serializers.Serializer[Any]):
    """What the figures are about: null for the whole region, and for all areas and procedures."""

    region = serializers.CharField(max_length=2)
    clinic = serializers.CharField(max_length=31, allow_null=True)
    mvo = serializers.CharField(max_length=10, allow_null=True)
    procedure = serializers.CharField(max_length=5, allow_null=True)
    suppressed = serializers.BooleanField(help_text="Om små tal är dolda. Dolda tal är null.")


class KeyFigureSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=60)
    unit = serializers.CharField(max_length=20, allow_blank=True)
    value = serializers.FloatField(allow_null=True)
    hidden = serializers.BooleanField()
    since_last_month = serializers.FloatField(allow_null=True)
    since_last_year = serializers.FloatField(allow_null=True)
    unit_of_change = serializers.CharField(max_length=20, allow_blank=True)


class DashboardMonthSerializer(ChosenSerializer):
    month = serializers.CharField(max_length=7)
    running = serializers.BooleanField(help_text="Om månaden pågår.")
    figures = KeyFigureSerializer(many=True)


class TrendMonthSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(max_length=7)
    value = serializers.FloatField(allow_null=True)
    hidden = serializers.BooleanField()
    low = serializers.FloatField(allow_null=True, help_text="Undre styrgräns.")
    high = serializers.FloatField(allow_null=True, help_text="Övre styrgräns.")
    outside = serializers.BooleanField(help_text="Utanför gränserna.")
    one_side = serializers.BooleanField(help_text="En av åtta i rad på en sida om medelvärdet.")


class DashboardTrendSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=60)
    unit = serializers.CharField(max_length=20, allow_blank=True)
    centre = serializers.FloatField(allow_null=True, help_text="Null: för få månader för gränser.")
    months = TrendMonthSerializer(many=True)


class DashboardTrendsSerializer(ChosenSerializer):
    month = serializers.CharField(max_length=7)
    trends = DashboardTrendSerializer(many=True)


class PeriodSerializer(ChosenSerializer):
    first_month = serializers.CharField(max_length=7)
    last_month = serializers.CharField(max_length=7)


class StageSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=60)
    reached = serializers.IntegerField(allow_null=True, help_text="Kom hit eller längre.")
    percent = serializers.FloatField(allow_null=True, help_text="Av de inkomna.")
    still = serializers.IntegerField(allow_null=True, help_text="Är kvar i steget.")
    left = serializers.IntegerField(allow_null=True, help_text="Avslutades i steget.")


class LeftSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80)
    count = serializers.IntegerField(allow_null=True)


class FunnelSerializer(PeriodSerializer):
    stages = StageSerializer(many=True)
    reasons = LeftSerializer(many=True)
    left = serializers.IntegerField(allow_null=True, help_text="Avslutade utan behandling.")


class FlowToSerializer(serializers.Serializer[Any]):
    region = serializers.CharField(max_length=2)
    count = serializers.IntegerField(allow_null=True)


class FlowFromSerializer(serializers.Serializer[Any]):
    """``own``: the caller's region; ``exact``: its own cases, of what was chosen."""

    region = serializers.CharField(max_length=2)
    own = serializers.BooleanField()
    exact = serializers.BooleanField()
    total = serializers.IntegerField(allow_null=True)
    to = FlowToSerializer(many=True)


class FlowsSerializer(PeriodSerializer):
    only_own = serializers.BooleanField(help_text="Andra regioner visas bara för kalenderår.")
    rows = FlowFromSerializer(many=True)


class GapProcedureSerializer(serializers.Serializer[Any]):
    kva = serializers.CharField(max_length=5)
    name = serializers.CharField(max_length=200)
    has_line = serializers.BooleanField(help_text="Avtal finns, men inte för ASA-klassen.")
    total = serializers.IntegerField(allow_null=True)


class GapCountSerializer(serializers.Serializer[Any]):
    kva = serializers.CharField(max_length=5)
    count = serializers.IntegerField(allow_null=True)


class GapClinicSerializer(serializers.Serializer[Any]):
    clinic = serializers.CharField(max_length=31)
    name = serializers.CharField(max_length=200)
    total = serializers.IntegerField(allow_null=True)
    procedures = GapCountSerializer(many=True)


class GapsSerializer(ChosenSerializer):
    day = serializers.DateField()
    total = serializers.IntegerField(allow_null=True)
    procedures = GapProcedureSerializer(many=True)
    clinics = GapClinicSerializer(many=True)


class DashboardMonthView(APIView):
    """Månadens nyckeltal mot förra månaden och samma månad förra året."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"], parameters=[MONTH, *CASES], responses=DashboardMonthSerializer
    )
    def get(self, request: Request) -> Response:
        actor, choice, today = _read(request)
        statistics = figures_of(actor, choice)
        answer = _chosen(actor, choice) | {
            "month": str(choice.month),
            "running": choice.month.back(-1).first_day > today,
            "figures": [_key_figure(one) for one in key_figures(statistics)],
        }
        return Response(DashboardMonthSerializer(answer).data)


class DashboardTrendsView(APIView):
    """24 månader till och med den valda, med styrgränser och signaler."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"], parameters=[MONTH, *CASES], responses=DashboardTrendsSerializer
    )
    def get(self, request: Request) -> Response:
        actor, choice, today = _read(request)
        found = trends(figures_of(actor, choice), today=today)
        answer = _chosen(actor, choice) | {
            "month": str(choice.month),
            "trends": [_trend(trend) for trend in found],
        }
        return Response(DashboardTrendsSerializer(answer).data)


class DashboardFunnelView(APIView):
    """Periodens inkomna ärenden: hur långt de har kommit, och hur många som avslutats varför."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"], parameters=[MONTH, *CASES, SPAN], responses=FunnelSerializer
    )
    def get(self, request: Request) -> Response:
        actor, choice, _today = _read(request)
        funnel = funnel_of(actor, choice)
        answer = _chosen(actor, choice, of_region=True) | {
            **_period(funnel.period),
            "left": funnel.left,
            "stages": [
                {
                    "key": stage.key,
                    "name": stage.label,
                    "reached": stage.reached,
                    "percent": None if stage.share is None else round(stage.share, 1),
                    "still": stage.still,
                    "left": stage.left,
                }
                for stage in funnel.stages
            ],
            "reasons": [
                {"key": one.key, "name": one.label, "count": one.count} for one in funnel.reasons
            ],
        }
        return Response(FunnelSerializer(answer).data)


class DashboardFlowsView(APIView):
    """Periodens behandlade: från hemregion till vårdgivarens region, hela landet."""

    scope_area = "statistics"

    @extend_schema(tags=["statistics"], parameters=[MONTH, *CASES, SPAN], responses=FlowsSerializer)
    def get(self, request: Request) -> Response:
        actor, choice, _today = _read(request)
        flows = flows_of(actor, choice)
        answer = _chosen(actor, choice, of_region=True) | {
            **_period(flows.period),
            "only_own": flows.only_own,
            "rows": [_flow(row) for row in flows.rows],
        }
        return Response(FlowsSerializer(answer).data)


class DashboardGapsView(APIView):
    """Väntande i dag som inget avtal kan ta, klinik mot åtgärd."""

    scope_area = "statistics"

    @extend_schema(tags=["statistics"], parameters=CASES, responses=GapsSerializer)
    def get(self, request: Request) -> Response:
        actor, choice, today = _read(request)
        gaps = gaps_of(actor, choice, today=today)
        answer = _chosen(actor, choice, of_region=True) | {
            "day": today,
            "total": gaps.total,
            "procedures": [
                {"kva": one.kva, "name": one.name, "has_line": one.has_line, "total": count}
                for one, count in gaps.column_sums
            ],
            "clinics": [_gap(row) for row in gaps.rows],
        }
        return Response(GapsSerializer(answer).data)


def _read(request: Request) -> tuple[Actor, Choice, date]:
    """The caller, what it asks for, and today. Raises :class:`InvalidInput`."""
    actor, today = actor_of(request), timezone.localdate()
    form = DashboardForm(request.query_params, actor=actor, today=today)
    refuse_unreadable(form)
    asked = [
        name for name in FOR_CASES if request.query_params.get(name) and name not in form.fields
    ]
    if asked:
        # The pages do not offer it. An answer about something else than was asked for misleads.
        reason = _("Din roll ser siffror men inga ärenden och kan inte välja detta.")
        raise InvalidInput(_("Urvalet kan inte läsas."), fields=dict.fromkeys(asked, reason))
    return actor, form.choice(), today


def _chosen(actor: Actor, choice: Choice, *, of_region: bool = False) -> dict[str, Any]:
    """``of_region``: those who see figures only get the whole region, whatever is chosen."""
    hide = actor.role not in SEES_CASES
    clinic = None if hide and of_region else choice.clinic
    return {
        "region": actor.region,
        "clinic": clinic and clinic.hsa_id,
        "mvo": choice.mvo or None,
        "procedure": choice.procedure or None,
        "suppressed": hide,
    }


def _period(period: Period) -> dict[str, str]:
    return {"first_month": str(period.first), "last_month": str(period.last)}


def _key_figure(one: Shown) -> dict[str, Any]:
    value, last_month, last_year = map(_number, one.numbers)
    return {
        "key": one.figure.key,
        "name": one.figure.label,
        "unit": one.figure.unit,
        "value": value,
        "hidden": one.is_hidden,
        "since_last_month": last_month,
        "since_last_year": last_year,
        "unit_of_change": one.figure.unit_of_change,
    }


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "key": trend.figure.key,
        "name": trend.title,
        "unit": trend.figure.unit,
        "centre": _number(trend.centre),
        "months": [_trend_month(row) for row in trend.rows],
    }


def _trend_month(row: Row) -> dict[str, Any]:
    return {
        "month": str(row.month),
        "value": _number(row.numbers[0]),
        "hidden": row.hidden,
        "low": _number(rounded(row.point.low, 1)),
        "high": _number(rounded(row.point.high, 1)),
        "outside": row.point.outside,
        "one_side": row.point.one_side,
    }


def _flow(row: FlowRow) -> dict[str, Any]:
    return {
        "region": row.region.code,
        "own": row.own,
        "exact": row.exact,
        "total": row.total,
        "to": [{"region": away.code, "count": count} for away, count in row.cells],
    }


def _gap(row: GapRow) -> dict[str, Any]:
    return {
        "clinic": row.clinic.hsa_id,
        "name": row.clinic.name,
        "total": row.total,
        "procedures": [{"kva": cell.kva, "count": cell.count} for cell in row.cells],
    }


def _number(cell: Cell) -> float | int | None:
    """A hidden number, and one that there is none of, are null."""
    return None if isinstance(cell, str) else cell
