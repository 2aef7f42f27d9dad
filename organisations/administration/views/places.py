"""Pages of care units, and for the operator of regions, providers and integrations."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.administration import selectors, services
from organisations.administration.authority import Place, units_ruled
from organisations.administration.forms import (
    ClientForm,
    NoticeDaysForm,
    NoticePricesForm,
    PatientFactsForm,
    ProviderForm,
    RegionForm,
    SearchForm,
    UnitFilter,
    UnitForm,
)
from organisations.administration.views.people import ADMINISTRATORS
from organisations.administration.views.shared import try_service
from organisations.models import AdministrationLog, Provider, Region, Role
from organisations.pages import actor_of, page_of, pager, roles_required
from organisations.plain_forms import PlainForm


@roles_required(*ADMINISTRATORS)
def units_page(request: HttpRequest) -> HttpResponse:
    filters = UnitFilter(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = selectors.units(
        actor_of(request), search=chosen.get("q", ""), state=chosen.get("state", "")
    )
    page = page_of(found, request)
    context = {"units": page, "filters": filters}
    return render(request, "organisations/units.html", context | pager(page, request))


@roles_required(*ADMINISTRATORS)
def unit_new_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    form = UnitForm(request.POST or None, actor=actor)
    if request.method == "POST":
        made = try_service(form, lambda: services.create_unit(form.details(), actor=actor, now=now))
        if made:
            messages.success(request, _("Enheten är upplagd."))
            return redirect("unit", pk=made.pk)
    return _render(request, "organisations/unit.html", {"form": form})


@roles_required(*ADMINISTRATORS)
def unit_page(request: HttpRequest, pk: int) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    unit = get_object_or_404(units_ruled(actor), pk=pk)
    initial = UnitForm.initial_of(unit)
    form = UnitForm(request.POST or None, actor=actor, initial=initial)
    if request.method == "POST":
        made = try_service(
            form, lambda: services.change_unit(unit, form.details(), actor=actor, now=now)
        )
        if made:
            messages.success(request, _("Enheten är sparad."))
            return redirect("unit", pk=pk)
    rows = selectors.history(actor, unit=unit)[: selectors.HISTORY_ROWS]
    context = {"form": form, "unit": unit, "history": rows}
    return _render(request, "organisations/unit.html", context)


@require_POST
@roles_required(*ADMINISTRATORS)
def unit_close(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    unit = get_object_or_404(units_ruled(actor), pk=pk)
    services.close_unit(unit, actor=actor, now=timezone.now())
    messages.success(request, _("Enheten är stängd för nya ärenden."))
    return redirect("unit", pk=pk)


@require_POST
@roles_required(*ADMINISTRATORS)
def unit_open(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    unit = get_object_or_404(units_ruled(actor), pk=pk)
    services.open_unit(unit, actor=actor, now=timezone.now())
    messages.success(request, _("Enheten är öppen igen."))
    return redirect("unit", pk=pk)


@roles_required(Role.OPERATOR)
def regions_page(request: HttpRequest) -> HttpResponse:
    regions = selectors.regions_with_administrators(now=timezone.now())
    return render(request, "organisations/regions.html", {"regions": regions})


@roles_required(Role.OPERATOR)
def region_page(request: HttpRequest, code: str) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    region = get_object_or_404(Region, code=code)
    form = RegionForm(request.POST or None, initial=RegionForm.initial_of(region))
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.change_region(region, form.cleaned_data, actor=actor, now=now),
        )
        if made:
            messages.success(request, _("Inställningarna är sparade."))
            return redirect("regions")
    context = {
        "form": form,
        "title": region.name,
        "crumb": _("Regioner"),
        "crumb_page": "regions",
        "note": _("Pågående ärenden behåller den garanti och de erbjudanden de har."),
        "button": _("Spara"),
    }
    return _render(request, "organisations/form.html", context)


def _own_region_settings(
    request: HttpRequest,
    form_class: type[PlainForm],
    save: Callable[[Region, dict[str, Any]], Region],
    *,
    done: str,
) -> tuple[Region, PlainForm, HttpResponse | None]:
    """Some settings of the administrator's region: the form, and where to once they are saved."""
    region = get_object_or_404(Region, code=actor_of(request).region)
    initial = {name: getattr(region, name) for name in form_class.base_fields}
    form = form_class(request.POST or None, initial=initial)
    saved = None
    if request.method == "POST":
        saved = try_service(form, lambda: save(region, form.cleaned_data))
    if saved is None:
        return region, form, None
    messages.success(request, done)
    return region, form, redirect("notice-days")


@roles_required(Role.REGION_ADMIN)
def notice_days_page(request: HttpRequest) -> HttpResponse:
    """When the region reminds of an unanswered offer and sends it as a letter, with history."""
    actor, now = actor_of(request), timezone.now()
    region, form, saved = _own_region_settings(
        request,
        NoticeDaysForm,
        lambda region, days: services.change_notice_days(region, **days, actor=actor, now=now),
        done=_("Dagarna är sparade."),
    )
    if saved:
        return saved
    rows = selectors.history(actor, verb=AdministrationLog.Verb.REGION_CHANGED)
    context = {"form": form, "region": region, "history": rows[: selectors.HISTORY_ROWS]}
    return _render(request, "organisations/notice_days.html", context)


@roles_required(Role.REGION_ADMIN)
def notice_prices_page(request: HttpRequest) -> HttpResponse:
    """What the region pays for a letter and a digital message."""
    actor, now = actor_of(request), timezone.now()
    _region, form, saved = _own_region_settings(
        request,
        NoticePricesForm,
        lambda region, sek: services.change_notice_prices(region, **sek, actor=actor, now=now),
        done=_("Priserna är sparade."),
    )
    if saved:
        return saved
    context = {
        "form": form,
        "title": _("Priser för utskick"),
        "crumb": _("Utskick"),
        "crumb_page": "notice-days",
        "note": _("Kampanjer beräknas med priserna. En godkänd kampanj behåller sina."),
        "button": _("Spara"),
    }
    return _render(request, "organisations/form.html", context)


@roles_required(Role.REGION_ADMIN)
def patient_facts_page(request: HttpRequest) -> HttpResponse:
    """Whom patients call, how their journey is paid and which letters go early."""
    actor, now = actor_of(request), timezone.now()
    _region, form, saved = _own_region_settings(
        request,
        PatientFactsForm,
        lambda region, facts: services.change_patient_facts(region, facts, actor=actor, now=now),
        done=_("Uppgifterna är sparade."),
    )
    if saved:
        return saved
    context = {
        "form": form,
        "title": _("Uppgifter till patienter"),
        "crumb": _("Utskick"),
        "crumb_page": "notice-days",
        "note": _("Uppgifterna står i varje text. Saknas någon skickas inget erbjudande."),
        "button": _("Spara"),
    }
    return _render(request, "organisations/form.html", context)


@roles_required(Role.OPERATOR)
def providers_page(request: HttpRequest) -> HttpResponse:
    filters = SearchForm(request.GET)
    search = filters.cleaned_data["q"] if filters.is_valid() else ""
    page = page_of(selectors.providers(search=search), request)
    context = {"providers": page, "filters": filters}
    return render(request, "organisations/providers.html", context | pager(page, request))


@roles_required(Role.OPERATOR)
def provider_page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new provider without ``pk``, else the particulars of one."""
    actor, now = actor_of(request), timezone.now()
    provider = get_object_or_404(Provider, pk=pk) if pk else None
    initial = (
        {name: getattr(provider, name) for name in ProviderForm.base_fields} if provider else {}
    )
    form = ProviderForm(request.POST or None, initial=initial)
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.save_provider(provider, **form.cleaned_data, actor=actor, now=now),
        )
        if made:
            messages.success(request, _("Vårdgivaren är sparad."))
            return redirect("providers")
    context = {
        "form": form,
        "title": provider.name if provider else _("Ny vårdgivare"),
        "crumb": _("Vårdgivare"),
        "crumb_page": "providers",
        "button": _("Spara"),
    }
    return _render(request, "organisations/form.html", context)


@roles_required(Role.OPERATOR)
def client_new_page(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    form = ClientForm(request.POST or None)
    if request.method == "POST":
        made = try_service(
            form,
            lambda: services.create_client(
                login=form.cleaned_data["login"],
                name=form.cleaned_data["name"],
                place=Place(
                    region=form.cleaned_data["region"], care_unit=form.cleaned_data["unit"]
                ),
                actor=actor,
                now=now,
            ),
        )
        if made:
            messages.success(request, _("Integrationen är upplagd."))
            return redirect("person", pk=made.user_id)
    context = {
        "form": form,
        "title": _("Ny integration"),
        "crumb": _("Personer"),
        "crumb_page": "people",
        "button": _("Lägg upp"),
    }
    return _render(request, "organisations/form.html", context)


def _render(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A refused form is answered 422."""
    refused = request.method == "POST"
    return render(request, template, context, status=422 if refused else 200)
