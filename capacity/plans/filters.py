"""Filters of the list of plans, the same for page and API."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from capacity.models import DeliveryPlan


class PlanFilter(django_filters.FilterSet):
    """Year, state, code and words in the place's or contract's name."""

    q = django_filters.CharFilter(method="by_text", label=_("Text"), max_length=100)
    kva = django_filters.CharFilter(method="by_code", label=_("KVÅ-kod"), max_length=5)
    year = django_filters.NumberFilter(
        field_name="year", label=_("År"), min_value=2000, max_value=9999, decimal_places=0
    )
    state = django_filters.ChoiceFilter(
        choices=DeliveryPlan.State.choices, label=_("Läge"), empty_label=_("Alla")
    )

    class Meta:
        model = DeliveryPlan
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.form.fields.values():
            field.widget.attrs["class"] = "ds-input"

    def by_text(self, plans: QuerySet[DeliveryPlan], _name: str, text: str) -> Any:
        for word in text.replace("\x00", "").split():
            plans = plans.filter(
                Q(provider__name__icontains=word)
                | Q(care_unit__name__icontains=word)
                | Q(contract__number__icontains=word)
            )
        return plans

    def by_code(self, plans: QuerySet[DeliveryPlan], _name: str, code: str) -> Any:
        return plans.filter(kva__startswith=code.replace("\x00", "").strip().upper())
