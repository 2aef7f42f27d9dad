"""Drafts of offers: send them, each by the ordinary checks, or throw them away."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from organisations.access import Actor, as_product, record_access
from organisations.errors import DomainError, InvalidInput
from referral.models import OfferDraft
from referral.selectors.allocation import drafts_of
from referral.services.offers import send_offer

# As many as one request has time for: each is a transaction with its own checks and notices.
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Sent:
    """What became of one draft: sent, or why not; then it is left as it was."""

    case_number: str
    unit: str
    problem: str = ""


def send_drafts(keys: Collection[int], *, actor: Actor, now: datetime) -> list[Sent]:
    """Send the offers of the chosen drafts one by one; one that is refused stops no other.

    Each goes through :func:`send_offer`, so a draft that is out of date is refused with the
    reason, and the database decides who gets the last place.
    """
    return [_send(draft, actor=actor, now=now) for draft in _chosen(keys, actor)]


def _send(draft: OfferDraft, *, actor: Actor, now: datetime) -> Sent:
    number, unit = draft.case.number, draft.line.care_unit.name
    try:
        send_offer(draft.case, line=draft.line, actor=actor, now=now)
    except DomainError as error:
        return Sent(number, unit, str(error.message))
    return Sent(number, unit)


def discard_drafts(keys: Collection[int], *, actor: Actor, now: datetime) -> int:
    """Throw the chosen drafts away; returns how many there were. The cases are as before."""
    drafts = _chosen(keys, actor)
    with as_product("drafts of offers thrown away"):
        OfferDraft.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()
    record_access(
        actor,
        what="offer_draft_discarded",
        now=now,
        cases=[(draft.case.number, draft.case.patient_id) for draft in drafts],
        of_change=True,
    )
    return len(drafts)


def _chosen(keys: Collection[int], actor: Actor) -> list[OfferDraft]:
    if len(keys) > MOST_AT_ONCE:
        raise InvalidInput(_("Högst %(most)s utkast åt gången.") % {"most": MOST_AT_ONCE})
    drafts = list(drafts_of(actor).filter(pk__in=keys))
    if not drafts:
        raise InvalidInput(_("Välj minst ett utkast."))
    return drafts
