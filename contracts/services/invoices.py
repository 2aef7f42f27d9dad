"""Invoices in: read a file, store what it says, and settle what holds (design 5.5)."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contracts.files.invoice_rows import read_invoice_rows
from contracts.files.invoices import ReadInvoice
from contracts.files.ubl import read_ubl
from contracts.models import Deviation, Invoice, InvoiceFile, InvoiceLine, InvoiceLog
from contracts.selectors.invoices import may_receive
from contracts.services.invoice_lines import lock_call_offs, process_line
from organisations.access import Actor, as_product
from organisations.errors import InvalidInput, NotAllowed
from organisations.models import Provider, Region
from organisations.uploads import XLSX, refused, safe_name

XML, CSV = "application/xml", "text/csv"
# How a text file begins that is XML and no list.
_XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


@dataclass
class Received:
    """What came of a file: its invoices, and whether it had been read before."""

    file: InvoiceFile
    invoices: list[Invoice] = field(default_factory=list)
    is_known: bool = False


def receive_invoices(
    content: bytes, *, name: str, actor: Actor, now: datetime, region: str | None = None
) -> Received:
    """Store the invoices in a Peppol BIS Billing 3.0, CSV or XLSX file and check every line.

    Lines without deviation settle their call-offs at once, the others wait for a person. A file
    that has been read before changes nothing. ``region`` (county code) is for the product itself;
    people and clients receive for their own. Raises :class:`InvalidInput` at ``file`` with all
    that is wrong, and then nothing is stored.
    """
    payer = region if actor.is_system else actor.region
    if payer is None or not (actor.is_system or may_receive(actor)):
        raise NotAllowed(
            _("Bara regionens vårdlotsar, avtalsägare och integrationer läser fakturor.")
        )
    _check_size(content)
    with as_product("invoices"):
        digest = hashlib.sha256(content).hexdigest()
        known = _known(digest, payer)
        if known:
            return known
        read = read_ubl_or_rows(content)
        sellers = _sellers(read)
        _check_regions(read, payer)
        try:
            return _store(
                content, read, sellers, name=name, payer=payer, digest=digest, actor=actor, now=now
            )
        except IntegrityError as error:
            if "sha256" not in str(error) and "invoice_number_once" not in str(error):
                raise
            known = _known(digest, payer)  # another process was first
            if known:
                return known
            raise _number_taken(read) from error


def read_ubl_or_rows(content: bytes) -> list[ReadInvoice]:
    """The content decides what it is, never the name."""
    if content.lstrip()[:8].startswith(_XML_STARTS) or content.startswith(_XML_STARTS):
        return [read_ubl(content)]
    return read_invoice_rows(content)


def _check_size(content: bytes) -> None:
    if not content:
        raise refused(_("Filen är tom."))
    if len(content) > InvoiceFile.MAX_BYTES:
        raise refused(_("Filen är större än 10 MB."))


def _known(digest: str, payer: str) -> Received | None:
    file = InvoiceFile.objects.filter(sha256=digest).first()
    if file is None:
        return None
    if file.region_id != payer:
        raise refused(_("Filen har redan lästs in av en annan region."))
    invoices = list(file.invoices.select_related("provider").order_by("pk"))
    return Received(file, invoices, is_known=True)


def _sellers(read: Iterable[ReadInvoice]) -> dict[str, Provider]:
    """The provider of each organisation number. Raises :class:`InvalidInput` for unknown ones."""
    numbers = {invoice.seller for invoice in read}
    found: dict[str, list[Provider]] = {number: [] for number in numbers}
    for provider in Provider.objects.filter(organisation_number__in=numbers).order_by("pk"):
        found[provider.organisation_number].append(provider)
    unknown = sorted(number for number, providers in found.items() if len(providers) != 1)
    if unknown:
        raise refused(
            _("Ingen vårdgivare har organisationsnumret %(numbers)s.")
            % {"numbers": ", ".join(f"{n[:6]}-{n[6:]}" for n in unknown[:10])}
        )
    return {number: providers[0] for number, providers in found.items()}


def _check_regions(read: Iterable[ReadInvoice], payer: str) -> None:
    """An invoice to another region, or about its cases, is that region's to receive."""
    buyers = {invoice.buyer for invoice in read if invoice.buyer}
    of_others = Provider.objects.filter(
        organisation_number__in=buyers, kind=Provider.Kind.REGION
    ).exclude(region_id=payer)
    ours = Provider.objects.filter(organisation_number__in=buyers, region_id=payer)
    if of_others.exists() and not ours.exists():
        raise refused(_("Fakturan är ställd till en annan region."))
    codes = {line.quoted.case_number[:2] for invoice in read for line in invoice.lines}
    if Region.objects.filter(code__in=codes - {payer, ""}).exists():
        raise refused(_("Fakturan gäller ärenden i en annan region, som ska läsa in den."))


def _number_taken(read: Iterable[ReadInvoice]) -> InvalidInput:
    numbers = ", ".join(sorted({invoice.number for invoice in read})[:10])
    return refused(
        _("Vårdgivaren har redan lämnat en annan faktura med samma nummer: %(numbers)s.")
        % {"numbers": numbers}
    )


@transaction.atomic
def _store(
    content: bytes,
    read: list[ReadInvoice],
    sellers: dict[str, Provider],
    *,
    name: str,
    payer: str,
    digest: str,
    actor: Actor,
    now: datetime,
) -> Received:
    _refuse_taken(read, sellers)
    stored = InvoiceFile.objects.create(
        region_id=payer,
        sha256=digest,
        name=safe_name(name, otherwise=_("faktura")),
        content_type=_content_type(content),
        size=len(content),
        received_at=now,
        received_by=actor.name[:120],
    )
    invoices = [
        _store_invoice(stored, one, sellers[one.seller], actor=actor, now=now) for one in read
    ]
    _process(invoices, actor=actor, now=now)
    # Last of all: a file whose row was refused leaves nothing on the disk.
    stored.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    stored.save(update_fields=["file"])
    return Received(stored, invoices)


def _refuse_taken(read: Iterable[ReadInvoice], sellers: dict[str, Provider]) -> None:
    """A number that the provider has used; the constraint refuses what slips through."""
    taken = [
        one
        for one in read
        if Invoice.objects.filter(provider=sellers[one.seller], number=one.number).exists()
    ]
    if taken:
        raise _number_taken(taken)


def _store_invoice(
    file: InvoiceFile, read: ReadInvoice, seller: Provider, *, actor: Actor, now: datetime
) -> Invoice:
    kind = Invoice.Kind.CREDIT_NOTE if read.is_credit_note else Invoice.Kind.INVOICE
    invoice = Invoice.objects.create(
        file=file,
        region_id=file.region_id,
        provider=seller,
        kind=kind,
        number=read.number,
        credits_number=read.credits_number,
        issued_on=read.issued_on,
        due_on=read.due_on,
        total_sek=read.total_sek,
        received_at=now,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=line.position,
            line_id=line.line_id,
            is_credit=read.is_credit_note,
            case_number=line.quoted.case_number,
            quoted=line.quoted.text,
            certificate_number=line.quoted.certificate_number,
            text=line.text,
            treated_from=line.treated_from,
            treated_to=line.treated_to,
            quantity=line.quantity,
            amount_sek=line.amount_sek,
            vat_percent=line.vat_percent,
            has_identity_number=line.has_identity_number,
        )
        for line in read.lines
    )
    InvoiceLog.objects.create(
        invoice=invoice, at=now, verb=InvoiceLog.Verb.RECEIVE, why=file.name, **actor.signature
    )
    return invoice


def _process(invoices: list[Invoice], *, actor: Actor, now: datetime) -> None:
    """Check and settle every line, and the credits that came before what they credit."""
    lines = list(
        InvoiceLine.objects.filter(invoice__in=invoices).select_related("invoice").order_by("pk")
    )
    call_offs = lock_call_offs(line.case_number for line in lines)
    early = InvoiceLine.objects.filter(
        is_credit=True,
        state=InvoiceLine.State.DEVIATES,
        deviations__contains=[Deviation.CREDIT_UNKNOWN],
        invoice__credits_number__in=[invoice.number for invoice in invoices],
        invoice__provider__in={invoice.provider_id for invoice in invoices},
        case_number__in={line.case_number for line in lines if line.case_number},
    ).select_related("invoice")
    waiting = list(early.order_by("pk").select_for_update(of=("self",)))
    invoiced = [line for line in lines if not line.is_credit]
    for line in (*invoiced, *waiting, *(line for line in lines if line.is_credit)):
        # A credit before this one may have changed the line or the call-off.
        line.refresh_from_db(fields=["state", "credited_sek", "deviations"])
        if line.is_open:
            process_line(line, call_offs.get(line.case_number), actor=actor, now=now)


def _content_type(content: bytes) -> str:
    if content.startswith(b"PK"):
        return XLSX
    return XML if b"<" in content[:8] else CSV
