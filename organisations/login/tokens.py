"""API tokens: who may issue them, see them and take them back.

Everyone has its own, for the assignment it works in now. A region administrator also has those of
the region's integration clients, which have no person to log in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import ApiToken, Assignment, Role, User
from organisations.scopes import Scope

DAYS_TO_CHOOSE = (30, 90, 365)
# A person's key may live a quarter, a system's a year.
MAX_DAYS = {Role.INTEGRATION: 365}
MAX_DAYS_PERSON = 90
MAX_TOKENS_PER_USER = 20


@dataclass(frozen=True)
class Grant:
    """An assignment that the actor may issue tokens for."""

    assignment: Assignment
    label: str


def grants_for(actor: Actor, *, now: datetime) -> list[Grant]:
    """The actor's own assignment, and for an administrator the region's integration clients."""
    live = Assignment.objects.filter(starts_at__lte=now, user__is_active=True).filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now)
    )
    own = live.filter(
        user_id=actor.user_id or 0,
        role=actor.role,
        region=actor.region,
        care_unit=actor.care_unit_id,
        provider=actor.provider_id,
    )
    rows = list(own.select_related("user").order_by("pk")[:1])
    if actor.role == Role.REGION_ADMIN and actor.region:
        clients = live.filter(role=Role.INTEGRATION, region=actor.region)
        rows += list(clients.select_related("user").order_by("user__name", "pk"))
    return [
        Grant(row, f"{row.user.name} ({row.get_role_display()})")
        for row in rows
        if row.role != Role.OPERATOR
    ]


def visible_tokens(actor: Actor) -> QuerySet[ApiToken]:
    """The actor's own tokens, and for an administrator those of the region's integrations."""
    which = Q(user_id=actor.user_id or 0)
    if actor.role == Role.REGION_ADMIN and actor.region:
        which |= Q(assignment__role=Role.INTEGRATION, assignment__region=actor.region)
    return (
        ApiToken.objects.filter(which)
        .select_related("user", "assignment", "issued_by")
        .order_by("expiry")
    )


@transaction.atomic
def issue_token(
    assignment: Assignment,
    *,
    name: str,
    scopes: Iterable[str],
    days: int,
    actor: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown once and never again.

    Raises :class:`NotAllowed` for an assignment that is not the actor's to issue for, and
    :class:`InvalidInput` for an unknown scope or too long a life.
    """
    if assignment.pk not in {grant.assignment.pk for grant in grants_for(actor, now=now)}:
        raise NotAllowed(_("Du får inte utfärda nycklar för det uppdraget."))
    chosen = sorted(set(scopes))
    if not chosen or not set(chosen) <= set(Scope.values):
        text = _("Välj behörigheter ur listan.")
        raise InvalidInput(text, fields={"scopes": text})
    longest = MAX_DAYS.get(Role(assignment.role), MAX_DAYS_PERSON)
    if not 1 <= days <= longest:
        text = _("Nyckeln får gälla högst %(days)s dagar.") % {"days": longest}
        raise InvalidInput(text, fields={"days": text})
    user = User.objects.select_for_update().get(pk=assignment.user_id)
    if ApiToken.objects.filter(user=user, expiry__gt=now).count() >= MAX_TOKENS_PER_USER:
        raise InvalidInput(
            _("Det finns redan %(count)s nycklar. Återkalla en först.")
            % {"count": MAX_TOKENS_PER_USER}
        )
    token, secret = ApiToken.objects.create(
        user,
        name=name,
        scopes=chosen,
        assignment=assignment,
        issued_by_id=actor.user_id,
    )
    token.expiry = now + timedelta(days=days)
    token.save(update_fields=["expiry"])
    return token, secret


def revoke_token(token: ApiToken, *, actor: Actor) -> None:
    """Take a token back; it serves no more from now on."""
    if not visible_tokens(actor).filter(pk=token.pk).exists():
        raise NotAllowed(_("Du får inte återkalla den nyckeln."))
    token.delete()
