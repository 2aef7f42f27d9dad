"""Free capacity over the API: providers' systems post it, navigators' read it."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from capacity.models import FreeCapacity
from capacity.slots.filters import SlotFilter
from capacity.slots.selectors import open_slots, slots_of, units_of
from capacity.slots.services import change_slot, post_slot, withdraw_slot
from capacity.slots.views import named
from capacity.slots.weeks import FORMAT, iso_week, monday_of
from organisations.api import actor_of, body_of
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Role

MAY_SEE = {Role.NAVIGATOR, Role.PROVIDER, Role.INTEGRATION}
SMALL: dict[str, Any] = {"min_value": 0, "max_value": 120, "required": False, "allow_null": True}


@extend_schema_field(OpenApiTypes.STR)
class ApiWeekField(serializers.Field[date, Any, str, date]):
    """An ISO week, ``2026-W50``; inside it is the week's Monday."""

    def to_internal_value(self, data: Any) -> date:
        try:
            return monday_of(str(data))
        except ValueError:
            raise serializers.ValidationError(str(FORMAT)) from None

    def to_representation(self, value: date) -> str:
        return iso_week(value)


class SlotSerializer(serializers.ModelSerializer[FreeCapacity]):
    care_unit = serializers.CharField(source="care_unit.hsa_id", read_only=True)
    care_unit_name = serializers.CharField(source="care_unit.name", read_only=True)
    region = serializers.CharField(source="care_unit.region_id", read_only=True)
    first_week = ApiWeekField(source="first_day", read_only=True)
    last_week = ApiWeekField(source="last_day", read_only=True)
    left = serializers.IntegerField(read_only=True, help_text="Platser som ingen har tagit.")

    class Meta:
        model = FreeCapacity
        fields = (
            *("id", "care_unit", "care_unit_name", "region", "kva", "first_week", "last_week"),
            *("offered", "taken", "left", "asa_ceiling", "age_min", "age_max", "book_by"),
            *("contact", "note", "posted_at", "changed_at", "withdrawn_at"),
        )
        read_only_fields = fields


class SlotChangeSerializer(serializers.Serializer[Any]):
    """What is not given stays as it is."""

    kva = serializers.CharField(max_length=5)
    first_week = ApiWeekField(help_text="ISO-vecka, 2026-W50.")
    last_week = ApiWeekField(help_text="ISO-vecka, till och med.")
    offered = serializers.IntegerField(min_value=1, max_value=999)
    asa_ceiling = serializers.IntegerField(min_value=1, max_value=4, required=False)
    age_min = serializers.IntegerField(**SMALL)
    age_max = serializers.IntegerField(**SMALL)
    book_by = serializers.DateField(help_text="Sista dag att boka.")
    contact = serializers.CharField(max_length=120, allow_blank=True, required=False)
    note = serializers.CharField(max_length=300, allow_blank=True, required=False)

    def values(self) -> dict[str, Any]:
        """What the services take, once the body is valid."""
        data = dict(self.validated_data)
        data.pop("care_unit", None)
        if "kva" in data:
            data["kva"] = data["kva"].upper()
        if "first_week" in data:
            data["first_day"] = data.pop("first_week")
        if "last_week" in data:
            data["last_day"] = data.pop("last_week") + timedelta(days=6)
        return data


class NewSlotSerializer(SlotChangeSerializer):
    care_unit = serializers.CharField(max_length=31, help_text="Enhetens HSA-id, en av de egna.")


class NoBodySerializer(serializers.Serializer[Any]):
    """Nothing but the will."""


@extend_schema(tags=["free-capacity"])
class FreeCapacityViewSet(viewsets.GenericViewSet[FreeCapacity]):
    """Lediga platser: vårdgivarens egna att lägga upp och ändra, allas bokningsbara att läsa."""

    scope_area = "free-capacity"
    queryset = FreeCapacity.objects.none()
    serializer_class = SlotSerializer
    filterset_class = SlotFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        """Those who post see their own, old ones too; others what can be booked today."""
        actor = actor_of(self.request)
        if actor.role not in MAY_SEE:
            raise PermissionDenied
        if units_of(actor).exists():
            return named(slots_of(actor)).order_by("book_by", "pk")
        return named(open_slots(today=timezone.localdate())).order_by("book_by", "pk")

    @extend_schema(responses=SlotSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(SlotSerializer(page, many=True).data)

    @extend_schema(responses=SlotSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(SlotSerializer(self.get_object()).data)

    @extend_schema(request=NewSlotSerializer, responses={201: SlotSerializer})
    def create(self, request: Request) -> Response:
        """Lägg upp lediga platser på en egen enhet."""
        actor = actor_of(request)
        if not units_of(actor).exists():
            raise NotAllowed(_("Bara vårdgivaren själv lägger upp och ändrar sina lediga platser."))
        body = NewSlotSerializer(data=body_of(request))
        body.is_valid(raise_exception=True)
        hsa_id = body.validated_data["care_unit"].upper()
        unit = units_of(actor).filter(hsa_id=hsa_id).first()
        if unit is None:
            text = _("Ni har ingen enhet med detta HSA-id.")
            raise InvalidInput(text, fields={"care_unit": text})
        slot = post_slot(body.values(), care_unit=unit, actor=actor, now=timezone.now())
        return Response(SlotSerializer(slot).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SlotChangeSerializer(partial=True), responses=SlotSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Ändra egna platser; det som inte anges är som förut."""
        slot = self.get_object()
        body = SlotChangeSerializer(data=body_of(request), partial=True)
        body.is_valid(raise_exception=True)
        changed = change_slot(slot, body.values(), actor=actor_of(request), now=timezone.now())
        return Response(SlotSerializer(changed).data)

    @extend_schema(request=NoBodySerializer, responses=SlotSerializer)
    @action(detail=True, methods=["post"], serializer_class=NoBodySerializer)
    def withdraw(self, request: Request, pk: str) -> Response:
        """Återta de platser som ingen har tagit."""
        slot = withdraw_slot(self.get_object(), actor=actor_of(request), now=timezone.now())
        return Response(SlotSerializer(slot).data)
