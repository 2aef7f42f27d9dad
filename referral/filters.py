"""Filters of the worklist, the same for page and API."""

from typing import Any

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from organisations.models import CareUnit, Role
from referral.models import Case, CaseState
from referral.models.cases import CaseQuerySet
from referral.pathways import pathway_choices


class CaseFilter(django_filters.FilterSet):
    """By clinic, procedure, state and pathway. What does not hold is told at the field."""

    clinic = django_filters.ModelChoiceFilter(
        field_name="sending_unit",
        to_field_name="hsa_id",
        queryset=CareUnit.objects.none(),
        label=_("Klinik"),
        empty_label=_("Alla"),
    )
    kva = django_filters.CharFilter(method="filter_kva", label=_("Åtgärd"), max_length=60)
    state = django_filters.ChoiceFilter(
        choices=CaseState.choices, label=_("Status"), empty_label=_("Alla")
    )
    svf = django_filters.ChoiceFilter(
        choices=[("1", _("Ja")), ("0", _("Nej"))],
        method="filter_svf",
        label=_("SVF"),
        empty_label=_("Alla"),
    )

    svf_pathway = django_filters.ChoiceFilter(
        choices=pathway_choices(), label=_("Vårdförlopp"), empty_label=_("Alla")
    )

    class Meta:
        model = Case
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = CareUnit.objects.filter(sends=True)
        if actor.role in {Role.NAVIGATOR, Role.INTEGRATION}:
            units = units.filter(region_id=actor.region)
        elif actor.role == Role.CLINIC:
            units = units.filter(pk=actor.care_unit_id or 0)
        else:
            units = units.filter(sent_cases__receiving_unit__provider_id=actor.provider_id or 0)
        self.filters["clinic"].queryset = units.distinct()
        for field in self.form.fields.values():
            field.widget.attrs["class"] = "ds-input"
            if isinstance(field.widget, forms.TextInput):
                field.widget.attrs["placeholder"] = _("KVÅ eller ord")

    def filter_kva(self, cases: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        """A code or the beginning of one, else words of the procedure's name."""
        text = value.strip()
        by_code = cases.filter(kva__startswith=text.upper())
        return by_code | cases.filter(procedure_name__icontains=text)

    def filter_svf(self, cases: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        return cases.filter(svf=value == "1")
