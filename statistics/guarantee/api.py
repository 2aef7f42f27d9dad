"""The care guarantee's figures over the API, the same as on the page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of, refuse_unreadable
from statistics.guarantee.columns import LIMITS, Basis, Kind
from statistics.guarantee.forms import GuaranteeForm
from statistics.guarantee.selectors import Cell, Dimension, Line, guarantee_for


class WithinSerializer(serializers.Serializer[Any]):
    """``count`` is null when hidden; the share when hidden or of nobody."""

    days = serializers.IntegerField(allow_null=True, help_text="Null: olika för olika ärenden.")
    count = serializers.IntegerField(allow_null=True)
    percent = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="95 % konfidensintervall (Wilson).")
    high = serializers.FloatField(allow_null=True)


class GuaranteeLineSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=200)
    count = serializers.IntegerField(allow_null=True)
    within = WithinSerializer(many=True)
    own = WithinSerializer()
    patient_paused = serializers.IntegerField(allow_null=True)
    medical_paused = serializers.IntegerField(allow_null=True)


class GuaranteeKindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(max_length=10, help_text="waiting eller done.")
    total = GuaranteeLineSerializer()
    lines = GuaranteeLineSerializer(many=True)


class EndedSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=80)
    count = serializers.IntegerField(allow_null=True)


class GuaranteeSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(max_length=7)
    counted_on = serializers.DateField()
    region = serializers.CharField(max_length=2)
    clinic = serializers.CharField(max_length=31, allow_null=True)
    dimension = serializers.CharField(max_length=10)
    basis = serializers.CharField(max_length=10)
    suppressed = serializers.BooleanField()
    kinds = GuaranteeKindSerializer(many=True)
    ended = EndedSerializer(many=True)


class GuaranteeView(APIView):
    """Vårdgarantin: väntande och genomförda inom 30, 60, 90 och 180 dagar och egen gräns."""

    scope_area = "statistics"

    @extend_schema(
        tags=["statistics"],
        parameters=[
            OpenApiParameter("month", str, description="ÅÅÅÅ-MM; utan: denna månad."),
            OpenApiParameter("clinic", str, description="HSA-id; utan: hela regionen."),
            OpenApiParameter("dimension", str, enum=Dimension.values),
            OpenApiParameter("basis", str, enum=Basis.values),
            OpenApiParameter("phase", str, description="Endast för den som ser ärendena."),
        ],
        responses=GuaranteeSerializer,
    )
    def get(self, request: Request) -> Response:
        actor, today = actor_of(request), timezone.localdate()
        form = GuaranteeForm(request.query_params, actor=actor, today=today)
        refuse_unreadable(form)
        found = guarantee_for(actor, today=today, **form.choice())
        answer = {
            "month": str(found.month),
            "counted_on": found.day,
            "region": found.region,
            "clinic": found.clinic.hsa_id if found.clinic else None,
            "dimension": found.dimension,
            "basis": found.basis,
            "suppressed": found.suppressed,
            "kinds": [
                {
                    "kind": kind,
                    "total": _line(found.totals[kind], found.basis),
                    "lines": [_line(line, found.basis) for line in found.lines[kind]],
                }
                for kind in Kind.values
            ],
            "ended": [{"reason": reason, "count": count} for reason, count in found.ended],
        }
        return Response(GuaranteeSerializer(answer).data)


def _line(line: Line, basis: str) -> dict[str, Any]:
    return {
        "key": line.key,
        "name": line.label,
        "count": line.size,
        "within": [_within(line.within[basis][limit], limit) for limit in LIMITS],
        "own": _within(line.own[basis], line.own_limit),
        "patient_paused": line.paused["patient"],
        "medical_paused": line.paused["medical"],
    }


def _within(cell: Cell, days: int | None) -> dict[str, Any]:
    share = cell.share
    return {
        "days": days,
        "count": cell.count,
        "percent": share and round(share.percent, 1),
        "low": share and round(share.low, 1),
        "high": share and round(share.high, 1),
    }
