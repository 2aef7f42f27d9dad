"""Search and filters of the registry, the same for page and API."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from contracts.codes import covering_codes
from contracts.models import Contract, ContractLine, Procedure
from organisations.models import MedicalArea, Provider, Region

STATES = (
    ("live", _("Gäller nu")),
    ("coming", _("Börjar gälla")),
    ("ended", _("Har upphört")),
    ("stopped", _("Stoppade")),
)


class ContractFilter(django_filters.FilterSet):
    """Area, code, region, provider, state and free text. Codes also find the group that covers."""

    q = django_filters.CharFilter(method="by_text", label=_("Text"), max_length=100)
    area = django_filters.ModelChoiceFilter(
        method="by_area", queryset=MedicalArea.objects.all(), label=_("Område (MVO)")
    )
    kva = django_filters.CharFilter(method="by_code", label=_("KVÅ-kod"), max_length=5)
    region = django_filters.ModelChoiceFilter(
        method="by_region", queryset=Region.objects.all(), label=_("Region")
    )
    provider = django_filters.ModelChoiceFilter(
        field_name="provider", queryset=Provider.objects.all(), label=_("Vårdgivare")
    )
    state = django_filters.ChoiceFilter(
        method="by_state", choices=STATES, label=_("Läge"), empty_label=_("Alla")
    )

    class Meta:
        model = Contract
        fields = ("number", "owner_region", "is_stopped", "contract_type")

    def by_text(self, contracts: QuerySet[Contract], _name: str, text: str) -> Any:
        """Words in number, title, provider, what is included, unit, code or the code's name."""
        for word in text.replace("\x00", "").split():
            lines = ContractLine.objects.filter(
                Q(kva__istartswith=word)
                | Q(kva__in=Procedure.objects.filter(name__icontains=word).values("kva"))
                | Q(included__icontains=word)
                | Q(care_unit__name__icontains=word)
                | Q(care_unit__municipality__name__icontains=word)
            )
            contracts = contracts.filter(
                Q(number__icontains=word)
                | Q(title__icontains=word)
                | Q(included__icontains=word)
                | Q(provider__name__icontains=word)
                | Q(pk__in=lines.values("contract"))
            )
        return contracts

    @extend_schema_field(OpenApiTypes.STR)
    def by_area(self, contracts: QuerySet[Contract], _name: str, area: MedicalArea) -> Any:
        """Contracts with the area among their own."""
        named = Contract.medical_areas.through.objects.filter(medicalarea=area)
        return contracts.filter(pk__in=named.values("contract"))

    def by_code(self, contracts: QuerySet[Contract], _name: str, code: str) -> Any:
        kva = code.replace("\x00", "").strip().upper()
        codes = covering_codes(kva) if len(kva) >= 3 else [kva]
        # A group also finds the finer codes in it.
        lines = ContractLine.objects.filter(Q(kva__in=codes) | Q(kva__startswith=kva))
        return contracts.filter(pk__in=lines.filter(is_active=True).values("contract"))

    @extend_schema_field(OpenApiTypes.STR)
    def by_region(self, contracts: QuerySet[Contract], _name: str, region: Region) -> Any:
        """Contracts that the region owns or may use."""
        usable = Contract.regions_allowed.through.objects.filter(region=region)
        return contracts.filter(Q(owner_region=region) | Q(pk__in=usable.values("contract")))

    def by_state(self, contracts: QuerySet[Contract], _name: str, state: str) -> Any:
        today = timezone.localdate()
        if state == "stopped":
            return contracts.filter(is_stopped=True)
        if state == "coming":
            return contracts.filter(is_stopped=False, valid_from__gt=today)
        if state == "ended":
            return contracts.filter(valid_to__lt=today)
        return contracts.filter(is_stopped=False, valid_from__lte=today, valid_to__gte=today)


class ContractSearch(ContractFilter):
    """The page's filters: only those a person chooses by, among what may be chosen."""

    class Meta:
        model = Contract
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = Contract.objects.filter(pk__in=self.queryset.order_by().values("pk"))
        areas = Contract.medical_areas.through.objects.filter(contract__in=seen)
        usable = Contract.regions_allowed.through.objects.filter(contract__in=seen)
        choices = {
            "provider": Provider.objects.filter(pk__in=seen.values("provider")),
            "area": MedicalArea.objects.filter(pk__in=areas.values("medicalarea")),
            "region": Region.objects.filter(
                Q(pk__in=usable.values("region")) | Q(pk__in=seen.values("owner_region"))
            ),
        }
        for name, queryset in choices.items():
            self.filters[name].queryset = queryset
        for field in self.form.fields.values():
            field.widget.attrs["class"] = "ds-input"
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = _("Alla")
