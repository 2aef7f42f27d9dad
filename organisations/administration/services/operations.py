"""What the operator may do about deliveries that do not get through."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from organisations.access import Actor, as_product
from organisations.administration.log import Verb, record
from organisations.errors import NotAllowed, WrongState
from organisations.events import wake
from organisations.models import EventDelivery, Role


@transaction.atomic
def retry_delivery(delivery: EventDelivery, *, actor: Actor, now: datetime) -> EventDelivery:
    """Have a delivery that failed tried again at once instead of after its pause."""
    if actor.role != Role.OPERATOR:
        raise NotAllowed(_("Bara systemoperatören gör detta."))
    with as_product("retry of a delivery"):
        locked = (
            EventDelivery.objects.select_for_update(of=("self",))
            .select_related("event")
            .get(pk=delivery.pk)
        )
        if locked.done_at:
            raise WrongState(_("Händelsen är redan lämnad."), code="delivery_done")
        locked.due_at = now
        locked.save(update_fields=["due_at"])
    record(
        Verb.DELIVERY_RETRIED,
        actor=actor,
        now=now,
        subject=f"{locked.event.kind} {locked.pk}",
        region=None,
    )
    transaction.on_commit(wake)
    return locked
