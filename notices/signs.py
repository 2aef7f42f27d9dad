"""How the ways out do, for the operator's page."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pybreaker import STATE_CLOSED

from notices.gateways.breaker import State, states
from notices.models import Notice, StaffMail
from notices.printing.selectors import faulty_reports, unacknowledged
from organisations.administration.signs import Sign


def signs(now: datetime) -> Iterator[Sign]:
    for state in states():
        label = str(Notice.Channel(state.name).label)
        yield Sign(label, _told(state), state.state == STATE_CLOSED)
    failed = StaffMail.objects.filter(state=StaffMail.State.FAILED).count()
    text = ngettext("%(n)s kom inte fram", "%(n)s kom inte fram", failed) % {"n": failed}
    yield Sign(_("E-post till personal"), text, not failed, reverse("staff-mail"))
    untold = unacknowledged(now=now).count()
    text = _("%(n)s utan kvittens i tid") % {"n": untold}
    yield Sign(_("Brevleveranser"), text, not untold)
    faulty = faulty_reports(now=now).count()
    text = _("%(n)s med fel") % {"n": faulty}
    yield Sign(_("Kvittensfiler, två veckor"), text, not faulty, reverse("print-reports"))


def _told(state: State) -> str:
    if state.retry_at is not None:
        at = date_format(timezone.localtime(state.retry_at), "H:i:s")
        return _("svarar inte, prövas igen %(at)s") % {"at": at}
    return _("tar emot") if state.state == STATE_CLOSED else _("prövas")
