"""Contracts with cap, reserved, used and left, read by other systems from one source."""

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.exceptions import PermissionDenied

from contracts.filters import ContractFilter
from contracts.models import (
    ChecklistItem,
    Contract,
    ContractContact,
    ContractDocument,
    ContractLine,
    PeriodCap,
)
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


class PeriodCapSerializer(serializers.ModelSerializer[PeriodCap]):
    """The most that may be called off in any one week, month or calendar year."""

    class Meta:
        model = PeriodCap
        fields = ("period", "cap_volume", "cap_sek", "applies_from")


class ContactSerializer(serializers.ModelSerializer[ContractContact]):
    class Meta:
        model = ContractContact
        fields = ("name", "side", "about", "email", "phone")


class ChecklistSerializer(serializers.ModelSerializer[ChecklistItem]):
    """A question to settle before patients are sent: who tells results, what is included …"""

    class Meta:
        model = ChecklistItem
        fields = ("question", "status", "answer", "settled_at")


class DocumentSerializer(serializers.ModelSerializer[ContractDocument]):
    """A document that belongs to the contract now; the file itself is fetched on the page."""

    class Meta:
        model = ContractDocument
        fields = ("name", "content_type", "size", "sha256", "uploaded_at")


class ContractLineSerializer(serializers.ModelSerializer[ContractLine]):
    care_unit = serializers.CharField(source="care_unit.hsa_id", read_only=True)
    care_unit_name = serializers.CharField(source="care_unit.name", read_only=True)
    period_caps = PeriodCapSerializer(many=True, read_only=True)
    usage = serializers.SerializerMethodField()

    class Meta:
        model = ContractLine
        fields = (
            *("id", "kva", "care_unit", "care_unit_name", "price_sek", "included"),
            *("asa_ceiling", "age_min", "age_max", "is_active", "period_caps", "usage"),
        )

    @extend_schema_field(UsageSerializer)
    def get_usage(self, line: ContractLine) -> Any:
        return UsageSerializer(usage_of(line)).data


class ContractSerializer(serializers.ModelSerializer[Contract]):
    provider = serializers.CharField(source="provider.name", read_only=True)
    organisation_number = serializers.CharField(
        source="provider.organisation_number", read_only=True
    )
    latest_end = serializers.DateField(read_only=True, help_text="Sista dag med alla optionsår.")
    period_caps = PeriodCapSerializer(many=True, read_only=True)
    contacts = ContactSerializer(many=True, read_only=True)
    checklist = ChecklistSerializer(many=True, read_only=True)
    documents = DocumentSerializer(source="current_documents", many=True, read_only=True)
    lines = ContractLineSerializer(many=True, read_only=True)
    usage = serializers.SerializerMethodField()

    class Meta:
        model = Contract
        fields = (
            *("id", "number", "version", "title", "owner_region", "provider"),
            *("organisation_number", "contract_type", "reimbursement_principle", "reimbursement"),
            *("valid_from", "valid_to", "option_years", "latest_end", "notice_months"),
            *("medical_areas", "included", "is_stopped", "regions_allowed", "alert_percents"),
            *("period_caps", "contacts", "checklist", "documents", "usage", "lines"),
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
    filterset_class = ContractFilter
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        actor = actor_of(self.request)
        if actor.role not in MAY_SEE:
            raise PermissionDenied
        documents: Prefetch[Any] = Prefetch(
            "documents",
            queryset=ContractDocument.objects.filter(removed_at__isnull=True),
            to_attr="current_documents",
        )
        return visible_contracts(actor).prefetch_related(
            "contacts", "checklist", documents, "period_caps", "lines__period_caps"
        )
