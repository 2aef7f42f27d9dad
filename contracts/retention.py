"""How long invoices are kept (organisations.retention)."""

from datetime import date, datetime

from django.db.models import QuerySet
from django.db.transaction import on_commit
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contracts.models import InvoiceFile, InvoiceLine
from organisations.retention import Rule, register_rule

YEARS_KEPT = 7


def _old_files(now: datetime) -> QuerySet[InvoiceFile]:
    """Files all of whose invoices are of years that ended more than seven years ago."""
    first_kept = date(timezone.localdate(now).year - YEARS_KEPT, 1, 1)
    return (
        InvoiceFile.objects.filter(invoices__issued_on__lt=first_kept)
        .exclude(invoices__issued_on__gte=first_kept)
        .exclude(file="")
        .distinct()
    )


def _thin_files(now: datetime, at_most: int) -> int:
    """The file and the provider's own words go; numbers, days and amounts stay in the ledger."""
    keys = list(_old_files(now).order_by("pk").values_list("pk", flat=True)[:at_most])
    for file in InvoiceFile.objects.filter(pk__in=keys).select_for_update():
        storage, name = file.file.storage, str(file.file.name)
        InvoiceLine.objects.filter(invoice__file=file).exclude(text="").update(text="")
        InvoiceFile.objects.filter(pk=file.pk).update(file="")
        on_commit(lambda storage=storage, name=name: storage.delete(name))  # type: ignore[misc]
    return len(keys)


def register_all() -> None:
    register_rule(
        Rule(
            name="invoices",
            what=_("Fakturors filer och texter"),
            kept=_("7 år efter kalenderåret de ställdes ut"),
            law=_("lagen (2018:597) om kommunal bokföring och redovisning 3 kap."),
            due=lambda now: _old_files(now).count(),
            thin=_thin_files,
        )
    )
