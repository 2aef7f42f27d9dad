"""The page where an offer is written, read through and sent."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from capacity.models import FreeCapacity
from contracts.models import ContractLine
from organisations.access import record_access
from organisations.errors import DomainError, InvalidInput
from organisations.languages import language_names
from organisations.models import Role
from organisations.pages import actor_of, roles_required
from referral import services
from referral.forms import OfferForm
from referral.machine import actions_for
from referral.models import Case
from referral.selectors.matching import free_places
from referral.texts import OfferFacts, Wishes, offer_languages, write_offer
from referral.views.shared import case_or_404


@roles_required(Role.NAVIGATOR)
def offer_page(request: HttpRequest, number: str, line_id: int) -> HttpResponse:
    """The text the patient will read, and the button that sends it."""
    actor, now = actor_of(request), timezone.now()
    case = case_or_404(actor, number)
    line = get_object_or_404(
        ContractLine.objects.select_related("contract", "care_unit__municipality"), pk=line_id
    )
    slots = free_places(case, [line.care_unit_id], today=timezone.localdate(now))
    slots_here = slots.get(line.care_unit_id, [])
    form = OfferForm(
        request.POST if request.method == "POST" else None,
        slots=slots_here,
        languages=offer_languages(case.region),
        unknown=_unknown(case, line, now=now),
        initial={"slot": slots_here[0].pk if slots_here else None},
    )
    slot = _slot_of(form, slots_here)
    if request.method == "POST" and form.is_valid() and "send" in request.POST:
        try:
            services.send_offer(
                case, line=line, actor=actor, now=now, wishes=form.wishes(), slot=slot
            )
        except InvalidInput as error:
            form.add_refusal(error)
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("case-matching", number=case.number)
        else:
            messages.success(request, _("Erbjudandet är skickat och en plats är reserverad."))
            return redirect("case", number=case.number)
    if "offer" not in actions_for(case, actor):
        messages.warning(request, _("Ärendet kan inte få ett erbjudande just nu."))
        return redirect("case", number=case.number)
    record_access(actor, what="offer", now=now, cases=[(case.number, case.patient_id)])
    context = {"case": case, "line": line, "offer_form": form}
    context |= _preview(case, line, wishes=form.wishes(), slot=slot, now=now)
    return render(request, "referral/offer.html", context, status=422 if form.errors else 200)


def _unknown(case: Case, line: ContractLine, *, now: datetime) -> set[str]:
    """The waits that neither registers nor clinic have told."""
    today = timezone.localdate(now)
    facts = OfferFacts.gather(case, line.care_unit, today=today, wishes=Wishes())
    waits = {"expected_wait_days": facts.wait_days, "home_wait_days": facts.home_wait_days}
    return {name for name, days in waits.items() if days is None}


def _slot_of(form: OfferForm, slots: list[FreeCapacity]) -> FreeCapacity | None:
    """The free place that is chosen, or that the page proposes."""
    if form.is_bound:
        chosen = form.cleaned_data.get("slot") if form.is_valid() else None
    else:
        chosen = form.initial["slot"]
    return next((slot for slot in slots if slot.pk == chosen), None)


def _preview(
    case: Case, line: ContractLine, *, wishes: Wishes, slot: FreeCapacity | None, now: datetime
) -> dict[str, Any]:
    """The text as it would go now, or what keeps it from going."""
    today = timezone.localdate(now)
    facts = OfferFacts.gather(case, line.care_unit, today=today, wishes=wishes, slot=slot)
    try:
        draft = write_offer(facts, wishes=wishes, now=now)
    except InvalidInput as error:
        return {"missing": list(error.fields.values()), "why_not": error.message}
    language = language_names().get(draft.language, draft.language)
    return {"text": draft.text, "language": language, "code": draft.language, "easy": draft.easy}
