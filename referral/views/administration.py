"""The region administrator's page about secrecy: openings, protection, holds and extracts."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from organisations.errors import DomainError, InvalidInput
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import PlainForm
from referral import services
from referral.forms import privacy as forms
from referral.models import EmergencyOpening, RetentionHold
from referral.patient_extract import extract_for_administrator
from referral.selectors.administration import accesses_under, holds_of, openings_of
from referral.views.documents import extract_file

FORMS: dict[str, type[PlainForm]] = {
    "unprotect": forms.NumberedReasonForm,
    "hold": forms.NumberedReasonForm,
    "export": forms.NumberedExportForm,
}


@roles_required(Role.REGION_ADMIN)
def privacy_page(request: HttpRequest) -> HttpResponse:
    """Emergency openings to follow up, and what is done to a case by its number alone."""
    return _page(request)


def _page(request: HttpRequest, **bound: PlainForm) -> HttpResponse:
    actor = actor_of(request)
    shown = {
        f"{name}_form": bound.get(name) or form(auto_id=f"{name}_%s")
        for name, form in FORMS.items()
    }
    return render(
        request,
        "referral/privacy/administration.html",
        {"openings": openings_of(actor), "holds": holds_of(actor), **shown},
        status=422 if bound else 200,
    )


@roles_required(Role.REGION_ADMIN)
@require_POST
def privacy_do(request: HttpRequest, verb: str) -> HttpResponse:
    """Lift a protection, place a hold or make an extract, by case number and with a reason."""
    actor, now = actor_of(request), timezone.now()
    form = get_form(verb, request.POST)
    if form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            with transaction.atomic():
                if verb == "export":
                    extract = extract_for_administrator(
                        data["number"], reason=data["reason"], actor=actor, now=now
                    )
                    return extract_file(extract, data["file_format"])
                service = services.unprotect if verb == "unprotect" else services.place_hold
                service(data["number"], reason=data["reason"], actor=actor, now=now)
        except InvalidInput as error:
            form.add_refusal(error)
        except DomainError as error:
            form.add_error("number", str(error.message))
        else:
            messages.success(request, _("Klart."))
            return redirect("privacy")
    return _page(request, **{verb: form})


def get_form(verb: str, data: Any) -> PlainForm:
    """The bound form of the verb in the address, which the route holds to these."""
    return FORMS[verb](data, auto_id=f"{verb}_%s")


@roles_required(Role.REGION_ADMIN)
def opening_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One emergency opening: why, what was read meanwhile, and the follow-up."""
    actor = actor_of(request)
    opening = get_object_or_404(
        EmergencyOpening.objects.filter(region_id=actor.region or ""), pk=pk
    )
    form = forms.FollowUpForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.follow_up_opening(
                opening, **form.cleaned_data, actor=actor, now=timezone.now()
            )
        except InvalidInput as error:
            form.add_refusal(error)
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("opening", pk=opening.pk)
        else:
            messages.success(request, _("Uppföljningen är sparad."))
            return redirect("privacy")
    return render(
        request,
        "referral/privacy/opening.html",
        {"opening": opening, "accesses": accesses_under(opening), "follow_up_form": form},
        status=422 if form.errors else 200,
    )


@roles_required(Role.REGION_ADMIN)
@require_POST
def hold_lift(request: HttpRequest, pk: int) -> HttpResponse:
    hold = get_object_or_404(
        RetentionHold.objects.filter(region_id=actor_of(request).region or ""), pk=pk
    )
    services.lift_hold(hold, actor=actor_of(request), now=timezone.now())
    messages.success(request, _("Gallringsstoppet är hävt."))
    return redirect("privacy")
