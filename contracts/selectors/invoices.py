"""Who may see which invoices, and the list of what waits for a person."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from contracts.invoice_checks import shown_cases
from contracts.models import Deviation, Invoice, InvoiceLine
from organisations.access import Actor, record_access
from organisations.models import Role

S = InvoiceLine.State

RECEIVES = frozenset({Role.NAVIGATOR, Role.CONTRACT_OWNER, Role.INTEGRATION})


def may_receive(actor: Actor) -> bool:
    """Who reads invoices for a region; an integration of one unit does not."""
    return actor.role in RECEIVES and actor.region is not None and actor.care_unit_id is None


def invoices_of(actor: Actor) -> QuerySet[Invoice]:
    """The invoices to the actor's region, newest first, with their lines counted."""
    invoices = Invoice.objects.all()
    if not actor.is_system:
        own = invoices.filter(region_id=actor.region)
        invoices = own if may_receive(actor) else invoices.none()
    return (
        invoices.select_related("provider", "file")
        .annotate(
            n_lines=Count("lines"),
            n_open=Count("lines", filter=Q(lines__state__in=InvoiceLine.OPEN)),
        )
        .order_by("-pk")
    )


def invoice_lines_of(actor: Actor) -> QuerySet[InvoiceLine]:
    """The lines of the region's invoices."""
    return InvoiceLine.objects.filter(
        invoice__in=invoices_of(actor).order_by().values("pk")
    ).select_related("invoice__provider", "call_off__line__contract", "call_off__line__care_unit")


def deviating_lines(
    actor: Actor, *, state: str = "", deviation: str = "", words: str = ""
) -> QuerySet[InvoiceLine]:
    """What is not settled, the oldest first; ``words`` is a case or invoice number or a seller."""
    lines = invoice_lines_of(actor).filter(state__in=[state] if state else InvoiceLine.OPEN)
    if deviation in Deviation.values:
        lines = lines.filter(deviations__contains=[deviation])
    words = words.replace("\x00", "").strip()
    if words:
        lines = lines.filter(
            Q(case_number__icontains=words)
            | Q(quoted__icontains=words)
            | Q(invoice__number__icontains=words)
            | Q(invoice__provider__name__icontains=words)
        )
    return lines.order_by("pk")


def open_lines_count(actor: Actor) -> int:
    """How many lines wait for somebody to decide."""
    return invoice_lines_of(actor).filter(state=S.DEVIATES).order_by().count()


def record_look(actor: Actor, lines: Iterable[InvoiceLine], *, what: str, now: datetime) -> None:
    """Say in the access log whose care was seen; a contract owner is shown no patient's data."""
    if actor.role in {Role.NAVIGATOR, Role.INTEGRATION}:
        cases: Any = shown_cases({line.case_number for line in lines})
        record_access(actor, what=what, now=now, cases=cases)
