"""Receipts of deliveries to the waiting-time database over the API, as on their pages."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.api import actor_of
from statistics.waiting_times.layout import Model
from statistics.waiting_times.models import WaitingTimeDelivery
from statistics.waiting_times.selectors import deliveries_of, receipt_of
from statistics.waiting_times.validation import Verdict

SEVERITIES = ("error", "lack", "remark")


class DeliveryListedSerializer(serializers.ModelSerializer[WaitingTimeDelivery]):
    """En leverans; ``version`` är null för en underkänd fil."""

    month = serializers.SerializerMethodField(help_text="ÅÅÅÅ-MM; null när filen inte säger den.")

    class Meta:
        model = WaitingTimeDelivery
        fields = ("number", "model", "month", "version", "verdict", "sha256", "delivered_at")
        read_only_fields = fields

    def get_month(self, delivery: WaitingTimeDelivery) -> str | None:
        return str(delivery.reported_month) if delivery.month else None


class DeliveredFileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    is_kept = serializers.BooleanField()


class DeliveryCountsSerializer(serializers.Serializer[Any]):
    """Antal; null där de är dolda."""

    rows = serializers.IntegerField(allow_null=True)
    done = serializers.IntegerField(allow_null=True)
    waiting = serializers.IntegerField(allow_null=True)
    errors = serializers.IntegerField()  # type: ignore[assignment]
    lacks = serializers.IntegerField(allow_null=True)
    remarks = serializers.IntegerField(allow_null=True)


class DeliveryFaultSerializer(serializers.Serializer[Any]):
    variable = serializers.CharField(help_text="Tom när felet gäller filen.")
    code = serializers.CharField()
    severity = serializers.CharField(help_text=", ".join(SEVERITIES))
    reason = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class DeliveryReceiptSerializer(serializers.Serializer[Any]):
    """Kvittensen, som på sidan."""

    number = serializers.CharField()
    region = serializers.CharField()
    model = serializers.ChoiceField(choices=Model.choices, allow_null=True)
    month = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    is_current = serializers.BooleanField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    origin = serializers.ChoiceField(choices=WaitingTimeDelivery.Origin.choices)
    file = DeliveredFileSerializer()
    counts = DeliveryCountsSerializer()
    faults = DeliveryFaultSerializer(many=True)
    delivered_at = serializers.DateTimeField()
    delivered_by = serializers.CharField()
    role = serializers.CharField()
    place = serializers.CharField()


@extend_schema(tags=["statistics"])
class DeliveriesView(generics.ListAPIView[WaitingTimeDelivery]):
    """Leveranser till nationella väntetidsdatabasen, nyast först."""

    scope_area = "statistics"
    serializer_class = DeliveryListedSerializer
    queryset = WaitingTimeDelivery.objects.none()

    def get_queryset(self) -> Any:
        return deliveries_of(actor_of(self.request))


class DeliveryView(APIView):
    """Kvittensen på en leverans."""

    scope_area = "statistics"

    @extend_schema(tags=["statistics"], responses=DeliveryReceiptSerializer)
    def get(self, request: Request, number: str) -> Response:
        """Utfall, kontrollsumma, antal och fel; små antal är dolda."""
        delivery = get_object_or_404(deliveries_of(actor_of(request)), number=number)
        return Response(receipt_of(delivery))
