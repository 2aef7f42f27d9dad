"""The frozen months over the API, the same as on the pages."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of, refuse_unreadable
from statistics.frozen.forms import MonthForm
from statistics.frozen.models import FrozenMonth
from statistics.frozen.picture import Cell
from statistics.frozen.selectors import MonthRow, dimensions_for, month_page, months_of
from statistics.frozen.services import MonthNotFound
from statistics.frozen.words import value_of
from statistics.monthly.measures import Measure
from statistics.months import Month


class VersionSerializer(serializers.Serializer[FrozenMonth]):
    version = serializers.IntegerField()
    rules = serializers.CharField(max_length=20, help_text="Räkneregler som gällde.")
    due_on = serializers.DateField()
    frozen_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=300)


class MonthRowSerializer(serializers.Serializer[MonthRow]):
    month = serializers.CharField(max_length=7)
    due_at = serializers.DateTimeField(allow_null=True)
    corrections = serializers.IntegerField(help_text="Siffror som rättats sedan frysningen.")
    versions = VersionSerializer(many=True)


class CellSerializer(serializers.Serializer[Any]):
    """Null where it is hidden or unknown."""

    n = serializers.IntegerField(allow_null=True)
    value = serializers.DecimalField(24, 6, allow_null=True)
    median = serializers.DecimalField(24, 6, allow_null=True)
    p80 = serializers.DecimalField(24, 6, allow_null=True)
    low = serializers.DecimalField(24, 6, allow_null=True)
    high = serializers.DecimalField(24, 6, allow_null=True)


class FigureSerializer(serializers.Serializer[Any]):
    dimension = serializers.CharField(max_length=16)
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    measure = serializers.CharField(max_length=60)
    hidden = serializers.BooleanField()
    frozen = CellSerializer()
    known = CellSerializer()


class FrozenMonthSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(max_length=7)
    region = serializers.CharField(max_length=2)
    preliminary = serializers.BooleanField()
    version = serializers.IntegerField(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)
    versions = VersionSerializer(many=True)
    figures = FigureSerializer(many=True)


class FrozenMonthsView(APIView):
    """Månaderna i regionens statistik, med versioner och antal rättade siffror."""

    scope_area = "statistics"

    @extend_schema(tags=["statistics"], responses=MonthRowSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows: Any = months_of(actor_of(request))
        return Response(MonthRowSerializer(rows, many=True).data)


class FrozenMonthView(APIView):
    """En månads tal: frysta, och som de är kända nu."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[
            OpenApiParameter("month", str, "path", description="ÅÅÅÅ-MM."),
            OpenApiParameter("dimension", str, description="Indelning; utan: regionen."),
            OpenApiParameter("measure", str, description="Mått; utan: alla."),
            OpenApiParameter("group", str, description="Del av gruppens namn."),
            OpenApiParameter("version", int, description="Utan: den senaste."),
        ],
        responses=FrozenMonthSerializer,
    )
    def get(self, request: Request, month: str) -> Response:
        actor = actor_of(request)
        form = MonthForm(request.query_params, dimensions=dimensions_for(actor))
        refuse_unreadable(form)
        wanted = Month.parse(month)
        if wanted is None:
            raise MonthNotFound(_("Månaden finns inte i statistiken."))
        page = month_page(actor, wanted, form.chosen())
        shown = {
            "month": str(page.month),
            "region": page.region,
            "preliminary": page.chosen is None,
            "version": page.chosen.version if page.chosen else None,
            "counted_at": page.counted_at,
            "versions": page.versions,
            "figures": [
                {
                    "dimension": row.dimension,
                    "key": row.key,
                    "name": row.label,
                    "measure": row.measure,
                    "hidden": row.hidden,
                    "frozen": _cell(row.frozen, row.shown, hidden=row.hidden),
                    "known": _cell(row.known, row.shown, hidden=row.hidden),
                }
                for row in page.rows
            ],
        }
        return Response(FrozenMonthSerializer(shown).data)


def _cell(cell: Cell, measure: Measure, *, hidden: bool) -> dict[str, Any]:
    if hidden:
        return dict.fromkeys(("n", "value", "median", "p80", "low", "high"))
    return {
        "n": cell.n,
        "value": value_of(cell, measure),
        **{name: getattr(cell, name) for name in ("median", "p80", "low", "high")},
    }
