"""Kampanjer: prepare, read and approve, follow, and see what came of it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notices.campaigns import services
from notices.campaigns.filters import CampaignFilter, as_stored, as_typed, waiting_cases
from notices.campaigns.forms import CampaignForm, VersionForm
from notices.campaigns.models import Campaign, CampaignLog
from notices.campaigns.selectors import (
    MAY_SEE,
    Reach,
    approved_reach,
    campaigns_of,
    count_reach,
    navigators_of,
    progress_of,
    reach_of,
    reasons_of,
    sample_of,
)
from notices.campaigns.texts import (
    CannotBeWritten,
    as_letter,
    example_text,
    sample_text,
    texts_of,
)
from notices.campaigns.verbs import STEPS, in_the_way, steps_for
from notices.campaigns.wording import lines_of
from notices.pdf import letter_pdf
from organisations.access import Actor, as_product, record_access
from organisations.errors import DomainError, InvalidInput
from organisations.models import Region, Role
from organisations.pages import actor_of, page_of, pager, roles_required
from organisations.plain_forms import attempt

Verb = CampaignLog.Verb
DEFAULTS = {"waited": 60, "untold": 180}
# Done by a button beside the campaign; a change has a page of its own.
BUTTONS = {
    Verb.START: services.start,
    Verb.PAUSE: services.pause,
    Verb.RESUME: services.resume,
    Verb.STOP: services.stop,
    Verb.DISCARD: services.discard,
}


@roles_required(*MAY_SEE)
def campaigns_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    page = page_of(campaigns_of(actor), request)
    context = {
        "campaigns": page,
        "may_prepare": actor.role == Role.NAVIGATOR,
        "figures_only": actor.role == Role.MANAGER,
    }
    return render(request, "notices/campaigns/campaigns.html", context | pager(page, request))


@roles_required(Role.NAVIGATOR)
def campaign_new(request: HttpRequest) -> HttpResponse:
    return _form_page(request, None)


@roles_required(Role.NAVIGATOR)
def campaign_edit(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = campaign_or_404(actor_of(request), pk)
    why = in_the_way(STEPS[Verb.CHANGE], campaign, actor_of(request))
    if why:
        messages.warning(request, str(why))
        return redirect("campaign", pk=pk)
    return _form_page(request, campaign)


def _form_page(request: HttpRequest, campaign: Campaign | None) -> HttpResponse:
    """The form with its filter; counted as it stands when asked, and kept when saved."""
    actor = actor_of(request)
    typed = request.POST if request.method == "POST" else None
    form = CampaignForm(typed, initial=_content_of(campaign))
    stored = as_typed(campaign.criteria if campaign else DEFAULTS)
    filters = _filter(actor, stored if typed is None else typed)
    counting = "count" in (typed or {})
    if counting:
        filters.is_valid()
    elif typed is not None and form.is_valid() & filters.is_valid():
        values = form.cleaned_data | {"criteria": as_stored(filters.form.cleaned_data)}
        saved, _status = attempt(form, lambda: _save(campaign, values, request, actor))
        if saved:
            messages.success(request, _("Kampanjen är sparad. En kollega ska godkänna den."))
            return redirect("campaign", pk=saved.pk)
    wrong = bool(filters.errors) or (typed is not None and not counting and bool(form.errors))
    context = {
        "form": CampaignForm(initial=typed.dict()) if counting and typed else form,
        "filters": filters.form,
        "campaign": campaign,
        "reach": None if filters.errors else _reach(filters, actor),
        "version": campaign.version if campaign else 0,
    }
    return render(request, "notices/campaigns/edit.html", context, status=422 if wrong else 200)


def _content_of(campaign: Campaign | None) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in CampaignForm.base_fields} if campaign else {}


def _filter(actor: Actor, data: Any) -> CampaignFilter:
    found = CampaignFilter(
        data,
        queryset=waiting_cases(navigators_of(actor.region or "")),
        actor=actor,
        today=timezone.localdate(),
    )
    found.is_valid()
    return found


@as_product("campaign")
def _reach(filters: CampaignFilter, actor: Actor) -> Reach:
    return count_reach(filters.qs, Region.objects.get(pk=actor.region))


def _save(
    campaign: Campaign | None, values: dict[str, Any], request: HttpRequest, actor: Actor
) -> Campaign:
    now = timezone.now()
    if campaign is None:
        return services.prepare(**values, actor=actor, now=now)
    seen = VersionForm(request.POST)
    version = seen.cleaned_data["version"] if seen.is_valid() else 0
    return services.change(campaign, **values, seen_version=version, actor=actor, now=now)


@roles_required(Role.NAVIGATOR)
@require_POST
def campaign_count(request: HttpRequest) -> HttpResponse:
    """How many the filter finds as it stands in the form, while it is being filled in."""
    actor = actor_of(request)
    filters = _filter(actor, request.POST)
    reach = None if filters.errors else _reach(filters, actor)
    return render(
        request, "notices/campaigns/partials/reach.html", {"reach": reach, "wrong": not reach}
    )


@roles_required(*MAY_SEE)
def campaign_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The campaign as it stands; while it runs the progress asks again by itself."""
    actor, now = actor_of(request), timezone.now()
    campaign = campaign_or_404(actor, pk)
    if actor.role == Role.MANAGER:
        return redirect("campaign-result", pk=pk)
    part = getattr(request, "htmx", False) and campaign.is_started
    context: dict[str, Any] = {"campaign": campaign}
    if campaign.is_started:
        context["progress"] = progress_of(campaign)
    if part:
        return render(request, "notices/campaigns/partials/progress.html", context)
    context |= {
        "chosen": lines_of(campaign),
        "example": example_text(campaign),
        "steps": [step for step in steps_for(campaign, actor) if step.verb in BUTTONS],
        "may_change": not in_the_way(STEPS[Verb.CHANGE], campaign, actor),
        "may_approve": not in_the_way(STEPS[Verb.APPROVE], campaign, actor),
        "why_not_approve": in_the_way(STEPS[Verb.APPROVE], campaign, actor)
        if campaign.state == Campaign.State.DRAFT
        else "",
        "approved": approved_reach(campaign),
        "reasons": reasons_of(campaign) if campaign.is_started else [],
        "log": campaign.log.order_by("-pk"),
        "sees_patients": actor.role == Role.NAVIGATOR,
    }
    if not campaign.is_started and campaign.state != Campaign.State.DISCARDED:
        try:
            context["reach"] = reach_of(campaign, now=now)
        except InvalidInput as error:
            context["wrong"] = str(error.message)
    return render(request, "notices/campaigns/campaign.html", context)


def campaign_or_404(actor: Actor, pk: int) -> Campaign:
    return get_object_or_404(campaigns_of(actor), pk=pk)


@roles_required(Role.NAVIGATOR, Role.REGION_ADMIN)
@require_POST
def campaign_do(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One of the buttons; the approval says which version was read."""
    actor, now = actor_of(request), timezone.now()
    campaign = campaign_or_404(actor, pk)
    try:
        if verb == Verb.APPROVE:
            seen = VersionForm(request.POST)
            version = seen.cleaned_data["version"] if seen.is_valid() else 0
            services.approve(campaign, seen_version=version, actor=actor, now=now)
        elif verb in BUTTONS:
            BUTTONS[Verb(verb)](campaign, actor=actor, now=now)
        else:
            raise Http404
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Klart: %(action)s.") % {"action": STEPS[verb].label})
    return redirect("campaign", pk=pk)


@roles_required(Role.NAVIGATOR)
def campaign_sample(request: HttpRequest, pk: int) -> HttpResponse:
    """A few of the patients with the texts they would get, the same ones for each look."""
    actor, now = actor_of(request), timezone.now()
    campaign = campaign_or_404(actor, pk)
    cases = sample_of(campaign, actor, now=now)
    shown = [(case.number, case.patient_id) for case in cases]
    record_access(actor, what="campaign_sample", now=now, cases=shown)
    texts = texts_of(campaign)
    written = [(case, sample_text(campaign, case, texts, now=now)) for case in cases]
    return render(
        request, "notices/campaigns/sample.html", {"campaign": campaign, "texts": written}
    )


@roles_required(Role.NAVIGATOR)
def campaign_sample_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter to the first of the sample as PDF."""
    actor, now = actor_of(request), timezone.now()
    campaign = campaign_or_404(actor, pk)
    case = next(iter(sample_of(campaign, actor, now=now)), None)
    if case is None:
        raise Http404
    record_access(actor, what="campaign_sample", now=now, cases=[(case.number, case.patient_id)])
    try:
        content, _pages = letter_pdf(as_letter(campaign, case, now=now))
    except CannotBeWritten as error:
        messages.error(request, str(error))
        return redirect("campaign-sample", pk=pk)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="kampanj-{campaign.pk}.pdf"'
    return response
