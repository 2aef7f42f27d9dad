"""Subscribers are told by e-mail that a month has been frozen: a link, no figures."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from notices.caps import mail_to
from organisations.models import Assignment, Role
from statistics.frozen.models import FrozenMonth, Subscription

# Those who see a whole region's figures; a clinic's head sees its own clinic's.
OF_REGION = (Role.MANAGER, Role.REGION_ADMIN, Role.NAVIGATOR)


def tell_subscribers(frozen: FrozenMonth, *, now: datetime) -> None:
    """Put the mails in the queue, in the transaction that freezes: once per month and version.

    Only to those who may still see what they subscribe to: an open account, and the same kind of
    assignment at the same place.
    """
    with override(settings.LANGUAGE_CODE):  # a page of another language may have published it
        _tell(frozen, now=now)


def _tell(frozen: FrozenMonth, *, now: datetime) -> None:
    month = frozen.month
    address = f"{settings.BASE_URL}{reverse('frozen-month', args=[str(month)])}"
    leave = f"{settings.BASE_URL}{reverse('frozen-subscription')}"
    values = {
        "region": frozen.region.name,
        "month": month.label,
        "version": frozen.version,
        "address": address,
        "leave": leave,
    }
    if frozen.version == 1:
        subject = _("Månadsstatistik %(month)s: %(region)s")
        text = _(
            "Statistiken för %(month)s är fryst: vårdförmedlingen i %(region)s.\n\n"
            "Läs den i Vårdlots: %(address)s\n\n"
            "Du får det här för att du prenumererar. Sluta prenumerera: %(leave)s"
        )
    else:
        subject = _("Månadsstatistik %(month)s, version %(version)s: %(region)s")
        text = _(
            "Version %(version)s av statistiken för %(month)s är publicerad: vårdförmedlingen i "
            "%(region)s. Skälet och de tidigare versionerna står på sidan.\n\n"
            "Läs den i Vårdlots: %(address)s\n\n"
            "Du får det här för att du prenumererar. Sluta prenumerera: %(leave)s"
        )
    mail_to(
        addresses_of(frozen.region_id, now=now),
        subject=subject % values,
        body=text % values,
        key=f"month/{frozen.region_id}/{month}/{frozen.version}",
        now=now,
    )


def addresses_of(region: str, *, now: datetime) -> set[str]:
    """The addresses of the region's subscribers who may still read what they asked for."""
    live = Assignment.objects.live(now=now).filter(user=OuterRef("user"), region=region)
    may_read = Exists(live.filter(role__in=OF_REGION)) & Q(care_unit__isnull=True) | Exists(
        live.filter(role=Role.CLINIC, care_unit=OuterRef("care_unit"))
    )
    found = Subscription.objects.filter(
        may_read, region=region, ended_at__isnull=True, user__is_active=True
    )
    return set(found.values_list("user__email", flat=True)) - {""}
