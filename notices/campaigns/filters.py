"""Whom a campaign reaches: patients who wait at home, by what is known of their cases.

A campaign keeps the filter's values as JSON, and they are checked again whenever they are used.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from notices.callbacks.selectors import day_bounds
from notices.campaigns.models import Campaign, CampaignRecipient
from organisations.access import Actor
from organisations.errors import InvalidInput
from organisations.models import CareUnit, MedicalArea, Municipality
from organisations.plain_forms import PlainForm
from referral.models import Case, CaseState, Phase
from referral.models.cases import BlockReach, CaseQuerySet

# No provider has taken the case, and no offer waits for an answer.
AT_HOME = (CaseState.RECEIVED, CaseState.RETURNED, CaseState.IN_PROGRESS, CaseState.WATCHED)
MOST_DAYS = 5_000
OLDEST = 125
KVA_BEGINS = re.compile(r"[A-Z]{1,3}[0-9]{0,3}")

Criteria = dict[str, Any]


def waiting_cases(actor: Actor) -> CaseQuerySet:
    """Open cases that no provider has taken, of patients who can be reached; as the actor sees.

    What a patient has blocked against the navigators is no ground for a letter from them, whether
    or not one of them has opened it.
    """
    return (
        Case.objects.visible_to(actor)
        .filter(
            state__in=[*AT_HOME, CaseState.OFFERED],
            patient__deceased_on__isnull=True,
            patient__emigrated_on__isnull=True,
        )
        .exclude(blocked=BlockReach.UNITS)
    )


class CodesField(forms.CharField):
    """KVÅ codes or how they begin, with commas or blanks between; upper case."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        codes = re.split(r"[\s,;]+", text.upper().strip(" ,;")) if text.strip(" ,;") else []
        wrong = [code for code in codes if not KVA_BEGINS.fullmatch(code)]
        if wrong:
            raise forms.ValidationError(
                _("Skriv KVÅ-koder eller början av dem, till exempel NGB49 eller NGB.")
            )
        return " ".join(sorted(set(codes)))


class CodesFilter(django_filters.CharFilter):
    field_class = CodesField


class WholeNumberFilter(django_filters.Filter):
    field_class = forms.IntegerField


def _days(label: Any, method: str, **more: Any) -> WholeNumberFilter:
    return _whole(label, method, most=MOST_DAYS, **more)


def _whole(label: Any, method: str, *, most: int, **more: Any) -> WholeNumberFilter:
    return WholeNumberFilter(method=method, label=label, min_value=0, max_value=most, **more)


def _several(label: Any, field: str, queryset: QuerySet[Any], key: str) -> Any:
    return django_filters.ModelMultipleChoiceFilter(
        field_name=field,
        to_field_name=key,
        queryset=queryset,
        label=label,
        widget=forms.CheckboxSelectMultiple,
        distinct=False,
    )


class CampaignFilter(django_filters.FilterSet):
    """By wait, clinic, procedure, area, phase, guarantee, home, age and earlier campaigns."""

    waited = _days(_lazy("Väntat mer än, dagar sedan beslutet"), "filter_waited")
    guarantee = django_filters.ChoiceFilter(
        choices=[("passed", _lazy("Passerad")), ("within", _lazy("Inte passerad"))],
        method="filter_guarantee",
        label=_lazy("Vårdgarantins sista dag"),
        empty_label=_lazy("Alla"),
    )
    phase = django_filters.ChoiceFilter(
        choices=Phase.choices, label=_lazy("Vårdgarantins del"), empty_label=_lazy("Alla")
    )
    kva = CodesFilter(
        method="filter_kva",
        label=_lazy("Åtgärder (KVÅ)"),
        max_length=400,
        help_text=_lazy("Koder eller början av dem, med mellanrum. Tomt betyder alla."),
    )
    age_from = _whole(_lazy("Ålder från, år"), "filter_age_from", most=OLDEST)
    age_to = _whole(_lazy("Ålder till och med, år"), "filter_age_to", most=OLDEST)
    untold = _days(
        _lazy("Inte med i någon annan kampanj de senaste, dagar"),
        "filter_untold",
        help_text=_lazy("Tomt betyder att andra kampanjer inte räknas."),
    )
    offered = django_filters.BooleanFilter(
        method="filter_offered",
        label=_lazy("Ta med dem som har ett erbjudande att svara på"),
        widget=forms.CheckboxInput,
    )
    clinics = _several(_lazy("Kliniker"), "sending_unit__hsa_id", CareUnit.objects.none(), "hsa_id")
    areas = _several(
        _lazy("Medicinska områden (MVO)"),
        "sending_unit__medical_area",
        MedicalArea.objects.none(),
        "mvo",
    )
    homes = _several(
        _lazy("Hemkommuner"), "patient__municipality", Municipality.objects.none(), "code"
    )

    # These may have several values, by their codes.
    of_many = frozenset({"clinics", "areas", "homes"})

    class Meta:
        model = Case
        fields: tuple[str, ...] = ()
        form = PlainForm

    def __init__(self, *args: Any, actor: Actor, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        clinics = CareUnit.objects.filter(sends=True, region_id=actor.region)
        self.filters["clinics"].queryset = clinics
        self.filters["areas"].queryset = MedicalArea.objects.filter(
            pk__in=clinics.values("medical_area")
        )
        self.filters["homes"].queryset = Municipality.objects.filter(region_id=actor.region)

    @property
    def qs(self) -> Any:
        """Those who have an offer to answer are left out unless asked for."""
        cases = super().qs
        return cases if self.form.cleaned_data.get("offered") else cases.filter(state__in=AT_HOME)

    def filter_waited(self, cases: CaseQuerySet, name: str, value: int) -> CaseQuerySet:
        return cases.filter(decision_date__lt=self.today - timedelta(days=value))

    def filter_guarantee(self, cases: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        """A paused clock does not run out."""
        passed = Q(last_day__lt=self.today, paused_from__isnull=True)
        return cases.filter(passed) if value == "passed" else cases.exclude(passed)

    def filter_kva(self, cases: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        wanted = Q()
        for code in value.split():
            wanted |= Q(kva__startswith=code)
        return cases.filter(wanted)

    def filter_age_from(self, cases: CaseQuerySet, name: str, value: int) -> CaseQuerySet:
        return cases.filter(patient__birth_date__lte=years_before(self.today, value))

    def filter_age_to(self, cases: CaseQuerySet, name: str, value: int) -> CaseQuerySet:
        return cases.filter(patient__birth_date__gt=years_before(self.today, value + 1))

    def filter_untold(self, cases: CaseQuerySet, name: str, value: int) -> CaseQuerySet:
        """Also whoever another campaign is about to tell."""
        others = CampaignRecipient.objects.filter(patient=OuterRef("patient"))
        running = (Campaign.State.RUNNING, Campaign.State.PAUSED)
        waits = others.filter(state=CampaignRecipient.State.WAITING, campaign__state__in=running)
        since, _end = day_bounds(self.today - timedelta(days=value))
        told = others.filter(told_at__gte=since)
        return cases.filter(~Exists(told), ~Exists(waits))

    def filter_offered(self, cases: CaseQuerySet, name: str, value: bool) -> CaseQuerySet:
        return cases


def years_before(day: date, years: int) -> date:
    """The same day so many years before; of 29 February in a common year, 28 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def as_stored(cleaned: Mapping[str, Any]) -> Criteria:
    """The values of a valid filter as JSON; those that choose nothing are left out."""
    kept: Criteria = {}
    for name, value in cleaned.items():
        if name in CampaignFilter.of_many:
            key = CampaignFilter.base_filters[name].extra["to_field_name"]
            value = sorted(getattr(one, key) for one in value)
        if value is not None and value is not False and value not in ("", []):
            kept[name] = value
    return kept


def as_typed(criteria: Mapping[str, Any]) -> MultiValueDict[str, str]:
    """Stored values in the shape a form is filled with."""
    return MultiValueDict(
        {
            name: [str(one) for one in (value if isinstance(value, list) else [value])]
            for name, value in criteria.items()
        }
    )


def filter_of(criteria: Mapping[str, Any], *, actor: Actor, today: date) -> CampaignFilter:
    """The stored filter, checked anew. Raises :class:`InvalidInput` when it holds no more."""
    unknown = set(criteria) - set(CampaignFilter.base_filters)
    filters = CampaignFilter(
        as_typed(criteria), queryset=waiting_cases(actor), actor=actor, today=today
    )
    if unknown or not filters.is_valid():
        fields = {name: " ".join(map(str, texts)) for name, texts in filters.errors.items()}
        raise InvalidInput(
            _("Urvalet gäller inte längre: en klinik, kommun eller ett värde finns inte."),
            fields=fields,
        )
    return filters
