"""When nobody is to call any more (domain events, design 5.4)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from notices.callbacks.models import CallBack
from notices.callbacks.services import cancel_call
from organisations.access import Actor
from organisations.models import DomainEvent
from referral.models import Case

REASONS = {
    "case.closed": "Ärendet avslutades.",
    "case.patient_moved": "Ärendet flyttades till en annan patient.",
    "case.blocked": "Uppgifterna spärrades.",
}


def on_calls_not_wanted(events: Sequence[DomainEvent], now: datetime) -> None:
    """Most cases have no call to come: those that have are found by one look."""
    coming = CallBack.objects.filter(state__in=CallBack.COMING)
    numbers = {event.case_number for event in events}
    found = set(coming.filter(case__number__in=numbers).values_list("case__number", flat=True))
    for event in events:
        if event.kind == "case.blocked" or event.case_number in found:
            _cancel_calls(event, now)


def _cancel_calls(event: DomainEvent, now: datetime) -> None:
    """The call to come is cancelled and its time free; of all that a block reaches.

    A call that was booked after the event, as when a block is lifted again, stands.
    """
    case = Case.objects.get(number=event.case_number)
    cases = Case.objects.filter(pk=case.pk)
    if event.kind == "case.blocked":
        cases = Case.objects.filter(patient=case.patient_id, sending_unit=case.sending_unit_id)
    coming = CallBack.objects.filter(
        case__in=cases, state__in=CallBack.COMING, booked_at__lte=event.happened_at
    )
    for call in coming.select_related("case").order_by("case", "pk"):
        cancel_call(call, actor=Actor.system("Vårdlots"), now=now, reason=_(REASONS[event.kind]))
