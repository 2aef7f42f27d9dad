"""Search, filters and order of free capacity, the same for page and API."""

from datetime import date, timedelta
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from capacity.models import FreeCapacity
from capacity.slots.selectors import with_code
from capacity.slots.weeks import WeekField
from contracts.codes import covering_codes
from contracts.selectors import procedures_with
from organisations.models import Region

MOST_CODES = 200
# Name of the order, the column or annotation it follows, and the heading.
ORDERS = (
    ("kva", "kva", _("Åtgärd")),
    ("unit", "unit_name", _("Enhet")),
    ("region", "region_name", _("Region")),
    ("week", "first_day", _("Veckor")),
    ("left", "n_left", _("Platser kvar")),
    ("asa", "asa_ceiling", _("ASA högst")),
    ("book_by", "book_by", _("Boka senast")),
)
FIRST_ORDER = "book_by"


class WeekFilter(django_filters.Filter):
    field_class = WeekField


class SlotFilter(django_filters.FilterSet):
    """By code or words, region, week and the patient's ASA class."""

    q = django_filters.CharFilter(method="by_words", label=_("Åtgärd eller enhet"), max_length=60)
    region = django_filters.ModelChoiceFilter(
        field_name="care_unit__region",
        queryset=Region.objects.all(),
        label=_("Region"),
        empty_label=_("Alla"),
    )
    week = WeekFilter(method="by_week", label=_("Vecka"))
    asa = django_filters.ChoiceFilter(
        field_name="asa_ceiling",
        lookup_expr="gte",
        choices=[(n, f"ASA {n}") for n in range(1, 5)],
        label=_("Patientens ASA"),
        empty_label=_("Alla"),
    )
    sort = django_filters.ChoiceFilter(
        choices=[
            (sign + name, label if not sign else format_lazy("{}, {}", label, _("fallande")))
            for name, _column, label in ORDERS
            for sign in ("", "-")
        ],
        method="by_order",
        label=_("Sortering"),
        empty_label=_("Boka senast"),
    )

    class Meta:
        model = FreeCapacity
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.form.fields.values():
            field.widget.attrs["class"] = "ds-input"

    def by_order(self, slots: QuerySet[FreeCapacity], _name: str, order: str) -> Any:
        """The key comes last: the same slots come in the same order each time."""
        column = next(column for name, column, _label in ORDERS if name == order.lstrip("-"))
        return slots.order_by(f"-{column}" if order.startswith("-") else column, "pk")

    def by_words(self, slots: QuerySet[FreeCapacity], _name: str, text: str) -> Any:
        """A code finds its group too; words are looked for in procedures, unit and provider."""
        words = text.replace("\x00", "").strip()
        code = words.split(" ")[0].upper() if words else ""
        named = {p.kva for p in procedures_with(words, most=MOST_CODES)} if words else set()
        named |= {group for kva in named for group in covering_codes(kva)}
        for_code = with_code(slots, code) if len(code) >= 3 else slots.none()
        by_name = slots.filter(
            Q(kva__in=named)
            | Q(care_unit__name__icontains=words)
            | Q(care_unit__provider__name__icontains=words)
        )
        return for_code | by_name if words else slots

    @extend_schema_field(OpenApiTypes.STR)
    def by_week(self, slots: QuerySet[FreeCapacity], _name: str, monday: date) -> Any:
        return slots.filter(first_day__lte=monday, last_day__gte=monday + timedelta(days=6))
