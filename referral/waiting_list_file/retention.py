"""How long waiting lists that were handed in are kept (organisations.retention)."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.transaction import on_commit
from django.utils.translation import gettext_lazy as _

from organisations.retention import Rule, register_rule
from referral.models import WaitingListFile

CONTENT_KEPT = timedelta(days=30)
KEPT = timedelta(days=365)


def _old_contents(now: datetime) -> QuerySet[WaitingListFile]:
    """Files whose patients stand there still, though nobody is to mend rows any more."""
    return WaitingListFile.objects.filter(handed_in_at__lt=now - CONTENT_KEPT).exclude(
        file="", report=""
    )


def _thin_contents(now: datetime, at_most: int) -> int:
    due = _old_contents(now).select_for_update(skip_locked=True, of=("self",)).defer("report")
    files = list(due.order_by("pk")[:at_most])
    for made in files:
        _empty(made, now=now)
    return len(files)


def _empty(made: WaitingListFile, *, now: datetime) -> None:
    storage, name = made.file.storage, str(made.file.name)
    unread = {"state": WaitingListFile.State.FAILED, "done_at": now}
    queued = made.state == WaitingListFile.State.QUEUED
    kept = WaitingListFile.objects.filter(pk=made.pk)
    kept.update(file="", report="", **(unread if queued else {}))
    if name:
        on_commit(lambda: storage.delete(name))


def _old_files(now: datetime) -> QuerySet[WaitingListFile]:
    return WaitingListFile.objects.filter(handed_in_at__lt=now - KEPT, file="")


def _thin_files(now: datetime, at_most: int) -> int:
    keys = list(_old_files(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    return WaitingListFile.objects.filter(pk__in=keys).delete()[0]


def register_all() -> None:
    register_rule(
        Rule(
            name="waiting_lists",
            what=_("Inlämnade väntelistor: filen och radernas utfall"),
            kept=_("30 dagar efter att filen lämnades"),
            law=_("GDPR artikel 5.1 e; det som lästes in står i ärendena"),
            due=lambda now: _old_contents(now).count(),
            thin=_thin_contents,
        )
    )
    register_rule(
        Rule(
            name="waiting_list_figures",
            what=_("Inlämnade väntelistor: fingeravtryck och antal, utan patienter"),
            kept=_("1 år efter att filen lämnades"),
            law=_("GDPR artikel 5.1 e; samma fil läses inte in två gånger"),
            due=lambda now: _old_files(now).count(),
            thin=_thin_files,
        )
    )
