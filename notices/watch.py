"""E-mails about the watch list: one to each navigator whose cases were hit, by number alone."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notices.caps import mail_to
from organisations.models import Assignment, DomainEvent, Role
from referral.models import WatchHit

# A mail names so many cases; the rest are in the list it leads to.
MOST_NAMED = 20


def on_watch_found(event: DomainEvent, now: datetime) -> None:
    """Each navigator whose cases were hit learns of them. Others stand in the region's list."""
    found = (
        WatchHit.objects.filter(
            event_id=event.payload["event"],
            handled_at__isnull=True,
            case__navigator__is_active=True,
        )
        .exclude(case__navigator__email="")
        .order_by("case__number")
        .values_list("case__navigator", "case__navigator__email", "case__region", "case__number")
    )
    working = set(
        Assignment.objects.live(now=now)
        .filter(role=Role.NAVIGATOR, user__in={row[0] for row in found})
        .values_list("user", "region")
    )
    numbers: dict[str, list[str]] = {}
    for user, address, region, number in found:
        if (user, region) in working:
            numbers.setdefault(address, []).append(number)
    for address, named in numbers.items():
        _tell(address, named, key=f"watch/{event.payload['event']}", now=now)


def _tell(address: str, numbers: list[str], *, key: str, now: datetime) -> None:
    count = len(numbers)
    listed = numbers[:MOST_NAMED]
    if count > MOST_NAMED:
        listed.append(_("och %(n)s till") % {"n": count - MOST_NAMED})
    text = ngettext(
        "Ett ärende på bevakningslistan kan kanske tas emot nu:",
        "%(n)s ärenden på bevakningslistan kan kanske tas emot nu:",
        count,
    ) % {"n": count}
    link = f"{settings.BASE_URL}{reverse('worklist')}?view=watch_hits"
    mail_to(
        [address],
        subject=_("Träff på bevakningslistan"),
        body="\n\n".join([text, "\n".join(listed), link]),
        key=key,
        now=now,
    )
