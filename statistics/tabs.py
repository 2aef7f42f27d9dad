"""The pages of statistics beside each other, and what is chosen on one that another knows too."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from organisations.models import Role
from statistics.dashboards.forms import DashboardForm
from statistics.forms import StatisticsForm
from statistics.guarantee.forms import GuaranteeForm
from statistics.pathways.forms import PeriodForm
from statistics.performance.forms import PerformanceForm
from statistics.selectors import clinics_of

Read = Callable[[QueryDict, Actor, date], forms.Form]


def _month(data: QueryDict, actor: Actor, today: date) -> forms.Form:
    return StatisticsForm(data, clinics=clinics_of(actor), today=today)


def _dashboard(data: QueryDict, actor: Actor, today: date) -> forms.Form:
    return DashboardForm(data, actor=actor, today=today)


def _guarantee(data: QueryDict, actor: Actor, today: date) -> forms.Form:
    return GuaranteeForm(data, actor=actor, today=today)


def _performance(data: QueryDict, _actor: Actor, today: date) -> forms.Form:
    return PerformanceForm(data, today=today)


def _pathways(data: QueryDict, _actor: Actor, today: date) -> forms.Form:
    return PeriodForm(data, today=today)


@dataclass(frozen=True)
class Page:
    """A page by its address's name; ``fields`` are the names that ``read`` can find chosen."""

    name: str
    label: object
    fields: Iterable[str] = ()
    read: Read | None = None
    not_for: frozenset[str] = frozenset()


NOT_CLINIC = frozenset({Role.CLINIC})
PAGES = (
    Page("statistics", _("Månaden"), StatisticsForm.base_fields, _month),
    Page("dashboard", _("Översikt"), DashboardForm.base_fields, _dashboard),
    Page("frozen-months", _("Frysta månader")),
    Page("guarantee", _("Vårdgarantin"), GuaranteeForm.base_fields, _guarantee),
    Page(
        *("performance", _("Prestationskrav"), PerformanceForm.base_fields, _performance),
        not_for=NOT_CLINIC,
    ),
    Page("pathways", _("Cancerförlopp"), PeriodForm.base_fields, _pathways, NOT_CLINIC),
    Page("open-data", _("Öppna data")),
)


def tabs_for(actor: Actor, data: QueryDict, *, today: date) -> list[dict[str, object]]:
    """The pages of the actor's role, each with what it understands of what is chosen."""
    found: list[dict[str, object]] = []
    for page in PAGES:
        if actor.role not in page.not_for:
            kept = urlencode(_understood(page, actor, data, today=today))
            address = reverse(page.name) + (f"?{kept}" if kept else "")
            found.append({"name": page.name, "label": page.label, "url": address})
    return found


def _understood(page: Page, actor: Actor, data: QueryDict, *, today: date) -> dict[str, str]:
    """What the page's own form reads without fault; another page's field or month is left out."""
    if page.read is None or not any(data.get(name) for name in page.fields):
        return {}
    form = page.read(data, actor, today)
    form.is_valid()
    return {name: str(value) for name, value in form.cleaned_data.items() if value}
