"""The agreement's nine measures over the API, the same as on the page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of, refuse_unreadable
from statistics.performance.forms import PerformanceForm
from statistics.performance.rules import reference_of
from statistics.performance.selectors import Source, performance_for
from statistics.performance.words import outcome_of


class ResultSerializer(serializers.Serializer[Any]):
    """Shares in per cent, improvements in percentage points, money in SEK."""

    measure = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=80)
    reference = serializers.CharField(max_length=80)
    outcome = serializers.CharField(max_length=20)
    outcome_text = serializers.CharField(max_length=80)
    numerator = serializers.IntegerField(allow_null=True)
    denominator = serializers.IntegerField(allow_null=True)
    share = serializers.DecimalField(6, 2, allow_null=True)
    share_last_year = serializers.DecimalField(6, 2, allow_null=True)
    improvement = serializers.DecimalField(6, 2, allow_null=True)
    pot_share = serializers.DecimalField(5, 4, allow_null=True, help_text="0–1.")
    money = serializers.DecimalField(14, 2, allow_null=True)
    to_level = serializers.DecimalField(6, 2, allow_null=True)
    to_improvement = serializers.DecimalField(6, 2, allow_null=True)
    months_met = serializers.IntegerField(
        allow_null=True, help_text="Av årets tio månader, februari till november."
    )
    missing = serializers.ListField(child=serializers.CharField(max_length=20))
    hidden = serializers.BooleanField(help_text="Vilar på små tal.")


class PerformanceSerializer(serializers.Serializer[Any]):
    region = serializers.CharField(max_length=2)
    month = serializers.CharField(max_length=7)
    based_on = serializers.CharField(max_length=10)
    bonus_points = serializers.IntegerField(
        allow_null=True, help_text="Uppnådda månader och mått under året; bara ur fil."
    )
    results = ResultSerializer(many=True)


class PerformanceView(APIView):
    """Prestationskraven i 2022 års överenskommelse för regionen och en månad."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[
            OpenApiParameter("month", str, description="ÅÅÅÅ-MM; utan: förra månaden."),
            OpenApiParameter("source", str, enum=Source.values),
        ],
        responses=PerformanceSerializer,
    )
    def get(self, request: Request) -> Response:
        actor, today = actor_of(request), timezone.localdate()
        form = PerformanceForm(request.query_params, today=today)
        refuse_unreadable(form)
        found = performance_for(actor, today=today, **form.choice())
        results = []
        for one in found.results:
            figure = found.figures.get(one.measure)
            results.append(
                {
                    "measure": one.measure.value,
                    "name": str(one.measure.label),
                    "reference": reference_of(one.measure),
                    "outcome": one.outcome.value,
                    "outcome_text": outcome_of(found, one.measure, one.outcome),
                    "numerator": figure.numerator if figure else None,
                    "denominator": figure.denominator if figure else None,
                    "share": one.share,
                    "share_last_year": one.share_last_year,
                    "improvement": one.improvement,
                    "pot_share": one.pot_share,
                    "money": one.money,
                    "to_level": one.to_level,
                    "to_improvement": one.to_improvement,
                    "months_met": found.year[one.measure] if found.year else None,
                    "missing": [missing.value for missing in one.missing],
                    "hidden": one.measure in found.hidden,
                }
            )
        answer = {
            "region": found.region.code,
            "month": str(found.month),
            "based_on": found.source,
            "bonus_points": found.points,
            "results": results,
        }
        return Response(PerformanceSerializer(answer).data)
