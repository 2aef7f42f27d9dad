"""Delivery plans with weeks and deliveries, for regions' and providers' systems."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from capacity.models import DeliveryPlan
from capacity.plans.figures import figures_of
from capacity.plans.filters import PlanFilter
from capacity.plans.selectors import MAY_SEE, agreed_version, plans_of, sees_small
from organisations.api import actor_of
from organisations.models import Role

SUMS = (
    *("planned", "planned_so_far", "delivered_so_far", "delivered_percent", "adherence"),
    *("booked", "without_time", "is_behind"),
)


class PlanSerializer(serializers.ModelSerializer[DeliveryPlan]):
    """A plan; ``version`` is the one that holds, null until something is agreed."""

    region = serializers.CharField(source="region_id", read_only=True, help_text="Länskod.")
    provider = serializers.CharField(source="provider.name", read_only=True)
    organisation_number = serializers.CharField(
        source="provider.organisation_number", read_only=True
    )
    care_unit = serializers.CharField(
        source="care_unit.hsa_id",
        read_only=True,
        allow_null=True,
        default=None,
        help_text="HSA-id; null: vårdgivarens alla enheter.",
    )
    contract = serializers.CharField(source="contract.number", read_only=True)
    version = serializers.SerializerMethodField()
    agreed_at = serializers.SerializerMethodField()

    class Meta:
        model = DeliveryPlan
        fields = (
            *("id", "region", "provider", "organisation_number", "care_unit", "contract", "kva"),
            *("year", "state", "version", "agreed_at", "behind_percent", "behind_weeks"),
        )

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_version(self, plan: DeliveryPlan) -> Any:
        version = agreed_version(plan)
        return version.number if version else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_agreed_at(self, plan: DeliveryPlan) -> Any:
        version = agreed_version(plan)
        if version is None or version.agreed_at is None:
            return None
        return serializers.DateTimeField().to_representation(version.agreed_at)


class PlannedWeekSerializer(serializers.Serializer[Any]):
    """A week; ``delivered`` is null until it has ended, and where small numbers are hidden."""

    week = serializers.IntegerField(help_text="ISO-vecka.")
    monday = serializers.DateField()
    planned = serializers.IntegerField()
    delivered = serializers.IntegerField(allow_null=True)
    booked = serializers.IntegerField(allow_null=True)
    is_behind = serializers.BooleanField()


class PlanFiguresSerializer(serializers.Serializer[Any]):
    """Sums of weeks that have ended; per cent as the page defines them."""

    planned = serializers.IntegerField()
    planned_so_far = serializers.IntegerField()
    delivered_so_far = serializers.IntegerField(allow_null=True)
    delivered_percent = serializers.IntegerField(allow_null=True)
    adherence = serializers.IntegerField(allow_null=True)
    booked = serializers.IntegerField(allow_null=True)
    without_time = serializers.IntegerField(allow_null=True)
    is_behind = serializers.BooleanField()
    weeks = PlannedWeekSerializer(many=True)


class PlanDetailSerializer(PlanSerializer):
    figures = PlanFiguresSerializer()

    class Meta:
        model = DeliveryPlan
        fields = (*PlanSerializer.Meta.fields, "figures")


@extend_schema(tags=["delivery-plans"])
class DeliveryPlanViewSet(viewsets.ReadOnlyModelViewSet[DeliveryPlan]):
    """Leveransplaner: regionens egna, eller för en vårdgivare de som avtalats med den."""

    scope_area = "contracts"
    serializer_class = PlanSerializer
    queryset = DeliveryPlan.objects.none()
    filterset_class = PlanFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        actor = actor_of(self.request)
        if actor.role not in {*MAY_SEE, Role.INTEGRATION}:
            raise PermissionDenied
        return plans_of(actor)

    @extend_schema(responses=PlanDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        plan = self.get_object()
        version = agreed_version(plan)
        if version is None:
            raise Http404  # a draft has nothing to tell other systems
        figures = figures_of(
            plan, version, today=timezone.localdate(), small=sees_small(actor_of(request))
        )
        weeks = [
            {
                "week": row.week.number,
                "monday": row.week.monday,
                "planned": row.planned,
                "delivered": row.delivered if row.has_ended else None,
                "booked": None if row.has_ended else row.booked,
                "is_behind": row.is_behind,
            }
            for row in figures.weeks
        ]
        answer = {name: getattr(figures, name) for name in SUMS} | {"weeks": weeks}
        return Response(PlanSerializer(plan).data | {"figures": PlanFiguresSerializer(answer).data})
