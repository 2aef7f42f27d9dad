"""The pathways' figures over the API, the same as on the page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of, refuse_unreadable
from statistics.pathways.forms import PeriodForm
from statistics.pathways.selectors import (
    INCLUSION_GOAL,
    LEAD_TIME_GOAL,
    Pathways,
    pathways_for,
)


class ShareSerializer(serializers.Serializer[Any]):
    """Per cent with Wilson's 95 % interval."""

    percent = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class PathwayRowSerializer(serializers.Serializer[Any]):
    """Times in days. A hidden or unknown figure is null."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    n = serializers.IntegerField(allow_null=True)
    hidden = serializers.BooleanField()
    median = serializers.FloatField(allow_null=True)
    p80 = serializers.FloatField(allow_null=True)
    of = serializers.IntegerField(allow_null=True)
    share = ShareSerializer(allow_null=True)
    share_hidden = serializers.BooleanField()


class OwnRowSerializer(serializers.Serializer[Any]):
    """Regionens egna tal; dolda och okända är null. ``key`` är vårdförloppets kod, tom för alla."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    base = serializers.IntegerField(allow_null=True, help_text="Insjuknade, eller patienter.")
    count = serializers.IntegerField(allow_null=True, help_text="Inkluderade, eller inom ledtid.")
    median = serializers.FloatField(allow_null=True)
    share = ShareSerializer(allow_null=True)
    hidden = serializers.BooleanField()
    share_hidden = serializers.BooleanField()
    source = serializers.CharField()  # type: ignore[assignment]


class OwnTableSerializer(serializers.Serializer[Any]):
    total = OwnRowSerializer(allow_null=True)
    by_pathway = OwnRowSerializer(many=True, source="rows")


class OwnSerializer(serializers.Serializer[Any]):
    """Alla regionens patienter, som regionen har angett dem; inte ur ärendena här."""

    inclusion = OwnTableSerializer()
    suspicion_to_treatment = OwnTableSerializer(source="lead_times.suspicion_to_treatment")
    suspicion_to_visit = OwnTableSerializer(source="lead_times.suspicion_to_visit")
    suspicion_to_decision = OwnTableSerializer(source="lead_times.suspicion_to_decision")


class PathwaysSerializer(serializers.Serializer[Any]):
    period = serializers.CharField()
    region = serializers.CharField()
    lead_time_goal = serializers.IntegerField()
    inclusion_goal = serializers.IntegerField()
    total = PathwayRowSerializer()
    by_pathway = PathwayRowSerializer(many=True)
    by_border = PathwayRowSerializer(many=True)
    by_flow = PathwayRowSerializer(many=True)
    steps = PathwayRowSerializer(many=True)
    inclusion_share = ShareSerializer(allow_null=True)
    own = OwnSerializer()


class PathwaysView(APIView):
    """Ledtider i standardiserade vårdförlopp för regionens patienter, per halvår."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[OpenApiParameter("period", str, description="ÅÅÅÅH1 eller ÅÅÅÅH2.")],
        responses=PathwaysSerializer,
    )
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        form = PeriodForm(request.query_params, today=timezone.localdate())
        refuse_unreadable(form)
        found = pathways_for(actor, period=form.chosen())
        return Response(PathwaysSerializer(_as_dict(found)).data)


def _as_dict(found: Pathways) -> dict[str, Any]:
    goals = {"lead_time_goal": LEAD_TIME_GOAL, "inclusion_goal": INCLUSION_GOAL}
    shown = {"period": str(found.period), "inclusion_share": found.inclusion_share}
    return vars(found) | goals | shown
