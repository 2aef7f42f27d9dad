"""A person's own choice to be told when a month is frozen. Nobody can choose for another."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Role, User
from statistics.frozen.mails import OF_REGION
from statistics.frozen.models import Subscription


def own_subscription(actor: Actor) -> Subscription | None:
    """The one that runs, for what the actor sees in the role it works in now."""
    _region, unit = _scope(actor)
    with as_product("own subscription"):
        return Subscription.objects.filter(
            user=actor.user_id, region=actor.region, care_unit=unit, ended_at__isnull=True
        ).first()


@transaction.atomic
def subscribe(*, actor: Actor, now: datetime) -> Subscription:
    """Begin; a second time changes nothing.

    The mails go to the address of the actor's own account; without one :class:`InvalidInput`.
    """
    region, unit = _scope(actor)
    with as_product("own subscription"):
        user = User.objects.select_for_update(no_key=True).get(pk=actor.user_id or 0)
        if not user.email:
            raise InvalidInput(
                _("Ditt konto har ingen e-postadress. Be din administratör lägga till den."),
                code="no_address",
            )
        found, _made = Subscription.objects.get_or_create(
            user=user,
            region_id=region,
            care_unit_id=unit,
            ended_at=None,
            defaults={"began_at": now},
        )
        return found


@transaction.atomic
def unsubscribe(*, actor: Actor, now: datetime) -> int:
    """Leave; returns how many subscriptions that ended: one or none."""
    region, unit = _scope(actor)
    with as_product("own subscription"):
        return Subscription.objects.filter(
            user=actor.user_id, region=region, care_unit=unit, ended_at__isnull=True
        ).update(ended_at=now)


def _scope(actor: Actor) -> tuple[str, int | None]:
    """The region and, of a clinic's own, the unit. Raises :class:`NotAllowed`."""
    if actor.region and actor.user_id and actor.role in OF_REGION:
        return actor.region, None
    if actor.region and actor.user_id and actor.role == Role.CLINIC and actor.care_unit_id:
        return actor.region, actor.care_unit_id
    raise NotAllowed(_("Din roll ser ingen statistik."))
