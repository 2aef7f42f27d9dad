"""Waiting times over the API, the same figures as in the situation view."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capacity.forms import REGION, UNIT, SituationForm, is_code
from capacity.situation import PERIODS, situations
from organisations.api import actor_of
from organisations.errors import InvalidInput


class SituationSerializer(serializers.Serializer[Any]):
    """Null: too few to show (fewer than five procedures), or not reported."""

    key = serializers.CharField(help_text="HSA-id, eller länskod per region.")
    name = serializers.CharField()
    region = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    done = serializers.IntegerField(allow_null=True)
    median_days = serializers.IntegerField(allow_null=True)
    p80_days = serializers.IntegerField(allow_null=True)
    asa34_percent = serializers.FloatField(allow_null=True)
    general_anaesthesia_percent = serializers.FloatField(allow_null=True)
    newest = serializers.DateField(help_text="Sista dagen som siffrorna gäller.")


class WaitingTimesView(APIView):
    """Väntetider per vårdenhet eller region för en KVÅ-kod, kortast median först."""

    scope_area = "waiting-times"

    @extend_schema(
        tags=["waiting-times"],
        parameters=[
            OpenApiParameter("kva", str, required=True, description="KVÅ-kod eller grupp."),
            OpenApiParameter("days", int, enum=PERIODS, description="Utan: 90."),
            OpenApiParameter("level", str, enum=[UNIT, REGION], description="Utan: unit."),
            OpenApiParameter("need", int, description="Behov inom så många dagar."),
        ],
        responses=SituationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        actor_of(request)
        today = timezone.localdate()
        asked = request.query_params
        form = SituationForm(
            {"q": asked.get("kva", ""), **{k: asked.get(k, "") for k in ("days", "level", "need")}},
            today=today,
        )
        if not form.is_valid():
            fields = {
                "kva" if name == "q" else name: " ".join(map(str, text))
                for name, text in form.errors.items()
            }
            raise InvalidInput(_("Urvalet kan inte läsas."), fields=fields)
        code = form.cleaned_data["q"].strip().upper()
        if not is_code(code):
            text = _("Ange en KVÅ-kod, till exempel NGB.")
            raise InvalidInput(text, fields={"kva": text})
        found = situations(form.choice(code), today=today)
        return Response(SituationSerializer(found, many=True).data)
