"""Retention: how long each thing is kept, by which law, and what thins it when its time is over.

One table for the whole product. An app registers its rules in ``AppConfig.ready``, as it does its
sweeps; ``manage.py retention`` shows the table, counts and thins. A rule takes what is due in
batches, each a transaction of its own, so that a run can be broken off and taken up again. What
the law holds most strictly the database holds too: its functions for the append-only tables refuse
a row whose time has not come, by the database's own clock. The access log has no rule: it is never
thinned (HSLF-FS 2016:40 asks for five years at least), since its hash chain is whole or broken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from organisations.access import as_product
from organisations.models import DomainEvent, EventDelivery
from organisations.models.login import ApiToken

BATCH = 200
EVENTS_KEPT = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of row: what it is, how long it is kept, by which law, how many are due."""

    name: str
    what: str | Promise
    kept: str | Promise
    law: str | Promise
    due: Callable[[datetime], int]
    thin: Callable[[datetime, int], int]  # takes at most so many; returns how many it took


_rules: list[Rule] = []


def register_rule(rule: Rule) -> None:
    """Add a rule to the table; registering a name twice replaces it."""
    _rules[:] = [known for known in _rules if known.name != rule.name]
    _rules.append(rule)


def rules() -> tuple[Rule, ...]:
    return tuple(_rules)


def thin(rule: Rule, *, now: datetime, batch: int = BATCH) -> int:
    """Thin all that is due by the rule, batch by batch; returns how many rows of its kind."""
    taken = 0
    while True:
        with transaction.atomic(), as_product(f"retention: {rule.name}"):
            count = rule.thin(now, batch)
        taken += count
        if count < batch:
            return taken


def count_due(rule: Rule, *, now: datetime) -> int:
    with as_product(f"retention: {rule.name}"):
        return rule.due(now)


# The rules of what this app and the framework keep.


def _thin_sessions(now: datetime, at_most: int) -> int:
    keys = Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)[:at_most]
    return Session.objects.filter(pk__in=list(keys)).delete()[0]


def _thin_tokens(now: datetime, at_most: int) -> int:
    keys = ApiToken.objects.filter(expiry__lt=now).values_list("pk", flat=True)[:at_most]
    return ApiToken.objects.filter(pk__in=list(keys)).delete()[0]


def _old_events(now: datetime) -> QuerySet[DomainEvent]:
    waiting = EventDelivery.objects.filter(done_at__isnull=True).values("event")
    return DomainEvent.objects.filter(happened_at__lt=now - EVENTS_KEPT).exclude(pk__in=waiting)


def _thin_events(now: datetime, at_most: int) -> int:
    keys = list(_old_events(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    EventDelivery.objects.filter(event__in=keys).delete()
    return DomainEvent.objects.filter(pk__in=keys).delete()[0]


def register_all() -> None:
    register_rule(
        Rule(
            name="sessions",
            what=_("Utgångna inloggningar"),
            kept=_("till de går ut"),
            law=_("GDPR artikel 5.1 e"),
            due=lambda now: Session.objects.filter(expire_date__lt=now).count(),
            thin=_thin_sessions,
        )
    )
    register_rule(
        Rule(
            name="tokens",
            what=_("Utgångna API-nycklar"),
            kept=_("till de går ut"),
            law=_("GDPR artikel 5.1 e"),
            due=lambda now: ApiToken.objects.filter(expiry__lt=now).count(),
            thin=_thin_tokens,
        )
    )
    register_rule(
        Rule(
            name="events",
            what=_("Levererade händelser"),
            kept=_("1 år"),
            law=_("GDPR artikel 5.1 e; det som hände står i ärendeloggen"),
            due=lambda now: _old_events(now).count(),
            thin=_thin_events,
        )
    )
