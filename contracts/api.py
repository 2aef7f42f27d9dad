"""Contracts with cap, reserved, used and left, read by other systems from one source."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied

from contracts.models import Contract, ContractLine
from contracts.selectors import usage_of, visible_contracts
from organisations.api import actor_of
from organisations.models import Role

MAY_SEE = {Role.CONTRACT_OWNER, Role.NAVIGATOR, Role.PROVIDER, Role.INTEGRATION}


class UsageSerializer(serializers.Serializer[Any]):
    """Volumes are counts, SEK are decimals; ``cap`` and ``left`` are null without such a cap."""

    cap = serializers.IntegerField(allow_null=True)
    cap_sek = serializers.DecimalField(14, 2, allow_null=True)
    reserved = serializers.IntegerField()
    used = serializers.IntegerField()
    settled = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True)
    reserved_sek = serializers.DecimalField(14, 2)
    used_sek = serializers.DecimalField(14, 2)
    settled_sek = serializers.DecimalField(14, 2)
    left_sek = serializers.DecimalField(14, 2, allow_null=True)


class ContractLineSerializer(serializers.ModelSerializer[ContractLine]):
    care_unit = serializers.CharField(source="care_unit.hsa_id", read_only=True)
    care_unit_name = serializers.CharField(source="care_unit.name", read_only=True)
    usage = serializers.SerializerMethodField()

    class Meta:
        model = ContractLine
        fields = (
            *("id", "kva", "care_unit", "care_unit_name", "price_sek", "included"),
            *("asa_ceiling", "age_min", "age_max", "is_active", "usage"),
        )

    @extend_schema_field(UsageSerializer)
    def get_usage(self, line: ContractLine) -> Any:
        return UsageSerializer(usage_of(line)).data


class ContractSerializer(serializers.ModelSerializer[Contract]):
    provider = serializers.CharField(source="provider.name", read_only=True)
    lines = ContractLineSerializer(many=True, read_only=True)
    usage = serializers.SerializerMethodField()

    class Meta:
        model = Contract
        fields = (
            *("id", "number", "title", "owner_region", "provider", "contract_type"),
            *("reimbursement", "valid_from", "valid_to", "is_stopped", "regions_allowed"),
            *("usage", "lines"),
        )

    @extend_schema_field(UsageSerializer)
    def get_usage(self, contract: Contract) -> Any:
        return UsageSerializer(usage_of(contract)).data


@extend_schema(tags=["contracts"])
class ContractViewSet(viewsets.ReadOnlyModelViewSet[Contract]):
    """Avtal: own ones for a contract owner, usable ones for a navigator, the provider's own."""

    scope_area = "contracts"
    serializer_class = ContractSerializer
    queryset = Contract.objects.none()
    filterset_fields = ("number", "owner_region", "is_stopped")
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        actor = actor_of(self.request)
        if actor.role not in MAY_SEE:
            raise PermissionDenied
        return visible_contracts(actor)
