"""Hits on the watch list: whose to-do they are, and what stands on the case's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Q, QuerySet

from capacity.matching import refusals
from capacity.slots.selectors import slot_refusals
from organisations.access import Actor
from organisations.models import Assignment, Role
from referral.models import Case, WatchHit
from referral.selectors.matching import need_of


def open_hits() -> QuerySet[WatchHit]:
    """The open hits of the case that a query stands at."""
    return WatchHit.objects.filter(case=OuterRef("pk"), handled_at__isnull=True)


def handled_by(actor: Actor) -> Q:
    """Cases whose to-dos are the actor's: the own ones, and those that nobody else looks after.

    That is a case without navigator, or one whose navigator no longer works in the region.
    """
    others = Assignment.objects.filter(
        role=Role.NAVIGATOR, region_id=actor.region, user__is_active=True, ends_at__isnull=True
    ).exclude(user=actor.user_id)
    return Q(navigator__isnull=True) | ~Q(navigator__in=others.values("user"))


@dataclass(frozen=True)
class ShownHit:
    """A hit with why it no longer holds, if so."""

    hit: WatchHit
    reasons: tuple[str, ...]


def hits_of(case: Case, *, today: date) -> list[ShownHit]:
    """The case's open hits, the newest first, held against the hard filters as they are today."""
    need = need_of(case, today=today)
    shown = []
    hits = case.watch_hits.filter(handled_at__isnull=True).select_related(
        "line__contract__owner_region", "line__care_unit__municipality", "slot"
    )
    for hit in hits:
        reasons = refusals(hit.line, need, today=today)
        if hit.slot is not None:
            reasons += slot_refusals(hit.slot, need, today=today)
        shown.append(ShownHit(hit, tuple(reasons)))
    return shown


def hits_by_case(cases: Iterable[Case]) -> dict[int, list[WatchHit]]:
    """The open hits of a page's cases, in one query."""
    found: dict[int, list[WatchHit]] = {}
    hits = WatchHit.objects.filter(case__in=[case.pk for case in cases], handled_at__isnull=True)
    for hit in hits.select_related("line__care_unit", "slot"):
        found.setdefault(hit.case_id, []).append(hit)
    return found
