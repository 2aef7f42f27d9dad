"""The month's statistics over the API, the same figures as on the page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of, refuse_unreadable
from statistics.forms import StatisticsForm
from statistics.selectors import FIELD_NAMES, INTERNAL, Figures, clinics_of, statistics_for


class FiguresSerializer(serializers.Serializer[Any]):
    """A hidden or unknown figure is null; ``hidden`` names the hidden ones."""

    received = serializers.IntegerField(allow_null=True)
    offered = serializers.IntegerField(allow_null=True)
    answered = serializers.IntegerField(allow_null=True)
    accepted = serializers.IntegerField(allow_null=True)
    accepted_share = serializers.FloatField(allow_null=True, help_text="Procent av svaren.")
    treated = serializers.IntegerField(allow_null=True)
    handling_days = serializers.FloatField(allow_null=True, help_text="Median, dagar.")
    answer_hours = serializers.FloatField(allow_null=True, help_text="Median, timmar.")
    days_gained = serializers.IntegerField(allow_null=True, help_text="Summa, dagar.")
    cost = serializers.DecimalField(14, 2, allow_null=True, help_text="Kronor.")
    hidden = serializers.ListField(child=serializers.CharField())


class ClinicFiguresSerializer(serializers.Serializer[Any]):
    hsa_id = serializers.CharField()
    name = serializers.CharField()
    figures = FiguresSerializer()


class DeclineSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class TrendSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    figures = FiguresSerializer()


class StatisticsSerializer(serializers.Serializer[Any]):
    month = serializers.CharField()
    region = serializers.CharField()
    clinic = serializers.CharField(allow_null=True)
    total = FiguresSerializer()
    clinics = ClinicFiguresSerializer(many=True)
    declines = DeclineSerializer(many=True)
    trend = TrendSerializer(many=True)


class StatisticsView(APIView):
    """Månadens statistik för regionen eller en klinik."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[
            OpenApiParameter("month", str, description="ÅÅÅÅ-MM; utan: denna månad."),
            OpenApiParameter("clinic", str, description="HSA-id; utan: hela regionen."),
        ],
        responses=StatisticsSerializer,
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        form = StatisticsForm(
            request.query_params, clinics=clinics_of(actor), today=timezone.localdate()
        )
        refuse_unreadable(form)
        month, clinic = form.chosen()
        found = statistics_for(actor, month=month, clinic=clinic)
        return Response(
            {
                "month": str(found.month),
                "region": found.region,
                "clinic": found.clinic.hsa_id if found.clinic else None,
                "total": _figures(found.total),
                "clinics": [
                    {"hsa_id": unit.hsa_id, "name": unit.name, "figures": _figures(figures)}
                    for unit, figures in found.clinics
                ],
                "declines": [{"reason": r, "count": n} for r, n in found.declines],
                "trend": [{"month": str(m), "figures": _figures(f)} for m, f in found.trend],
            }
        )


def _figures(figures: Figures) -> dict[str, Any]:
    values = {name: getattr(figures, name) for name in FIELD_NAMES}
    values["accepted_share"] = figures.accepted_share
    values["hidden"] = sorted(figures.hidden - INTERNAL)
    return dict(FiguresSerializer(values).data)
