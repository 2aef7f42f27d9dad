"""E-mail about delivery plans: to the region's contract owners when deliveries fall behind."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from capacity.models import DeliveryPlan
from notices.caps import mail_to
from organisations.models import Assignment, DomainEvent, Role


def on_plan_behind(event: DomainEvent, now: datetime) -> None:
    """The region's contract owners learn that less is delivered than planned."""
    plan = DeliveryPlan.objects.select_related("provider", "care_unit").get(
        pk=event.payload["plan"]
    )
    owners = Assignment.objects.live(now=now).filter(
        role=Role.CONTRACT_OWNER, region=plan.region_id, user__is_active=True
    )
    text = _(
        "%(place)s har under de senaste %(weeks)s veckorna tagit emot %(percent)s %% av det som "
        "leveransplanen för %(kva)s %(year)s säger.\n\nFölj planen: %(address)s"
    )
    values = {
        "place": plan.place,
        "weeks": plan.behind_weeks,
        "percent": event.payload["percent"],
        "kva": plan.kva,
        "year": plan.year,
        "address": f"{settings.BASE_URL}{reverse('delivery-plan', args=[plan.pk])}",
    }
    mail_to(
        set(owners.values_list("user__email", flat=True)) - {""},
        subject=_("Färre patienter än planerat: %(place)s, %(kva)s")
        % {"place": plan.place, "kva": plan.kva},
        body=text % values,
        key=f"plan/{event.pk}",
        now=now,
    )
