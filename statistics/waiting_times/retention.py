"""How long delivered files are kept (organisations.retention); receipts stay."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet
from django.db.transaction import on_commit
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.retention import Rule, register_rule
from statistics.waiting_times.models import WaitingTimeDelivery

# Longer than any month can be corrected; the database holds a hundred days by its own clock.
KEPT = timedelta(days=120)


def _old_files(now: datetime) -> QuerySet[WaitingTimeDelivery]:
    before = timezone.localdate(now) - KEPT
    return WaitingTimeDelivery.objects.filter(delivered_on__lt=before).exclude(file="")


def _thin_files(now: datetime, at_most: int) -> int:
    due = _old_files(now).select_for_update(skip_locked=True, of=("self",))
    files = list(due.order_by("pk")[:at_most])
    for made in files:
        storage, name = made.file.storage, str(made.file.name)
        WaitingTimeDelivery.objects.filter(pk=made.pk).update(file="")
        on_commit(partial(storage.delete, name))
    return len(files)


def register_all() -> None:
    register_rule(
        Rule(
            name="waiting_times",
            what=_("Filer till väntetidsdatabasen: patienternas rader"),
            kept=_("120 dagar efter att filen lämnades; kvittensen sparas"),
            law=_("GDPR artikel 5.1 e; en månad rättas i tre månader"),
            due=lambda now: _old_files(now).count(),
            thin=_thin_files,
        )
    )
