"""Read Peppol BIS Billing 3.0: UBL 2.1 invoices and credit notes (EN 16931).

A small reader of what invoice control needs. It asks what the standard asks of identity, currency,
dates and sums, and says everything that is wrong at once; the full rules are the access point's.
"""

import io
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element  # nosec B405 # the type alone; defusedxml parses

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse
from django.utils.translation import gettext as _

from contracts.files.invoices import (
    MAX_LINES,
    Quoted,
    ReadInvoice,
    ReadLine,
    certificate_in,
    kept_text,
    quoted_in,
)
from organisations.masking import masked
from organisations.uploads import refused

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMES = {"cac": f"{_UBL}CommonAggregateComponents-2", "cbc": f"{_UBL}CommonBasicComponents-2"}
INVOICE, CREDIT_NOTE = f"{{{_UBL}Invoice-2}}Invoice", f"{{{_UBL}CreditNote-2}}CreditNote"
CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
# ISO 6523: Swedish organisation number, and GLN, which says nothing of who it is to us.
ORGANISATION_SCHEME = "0007"
INVOICE_TYPES, CREDIT_NOTE_TYPES = frozenset({"380"}), frozenset({"381"})
OBJECT_TYPE = "130"  # UNCL 1001: invoiced object
CASE_PROPERTIES = frozenset({"ärendenummer", "arendenummer"})

# Two thousand lines have some seventy thousand.
MAX_ELEMENTS, MAX_DEPTH = 120_000, 40
CENT = Decimal("0.01")
# What the database's columns hold.
LARGEST = Decimal(10) ** 9


def read_ubl(content: bytes) -> ReadInvoice:
    """The invoice or credit note in the file.

    Raises :class:`InvalidInput` with everything that is wrong, or that the file is no such thing.
    """
    root = _parsed(content)
    if root.tag not in {INVOICE, CREDIT_NOTE}:
        raise refused(_("Filen är varken en UBL-faktura eller en UBL-kreditfaktura."))
    reader = _Reader(root)
    read = reader.read()
    if reader.faults:
        raise refused(masked(" ".join(reader.faults)))
    return read


def _parsed(content: bytes) -> Element:
    """The document, which must hold neither DTD nor entities, nor be made to exhaust the reader."""
    too_much = _("XML-filen har för många eller för djupa element för en faktura.")
    if content.count(b"<") > 2 * MAX_ELEMENTS:  # seen before a parser is set to work
        raise refused(too_much)
    depth = count = 0
    root: Element | None = None
    try:
        for event, element in iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        ):
            if event == "end":
                depth -= 1
                continue
            root = element if root is None else root
            depth, count = depth + 1, count + 1
            if depth > MAX_DEPTH or count > MAX_ELEMENTS:
                raise refused(too_much)
    except DefusedXmlException as error:
        raise refused(_("XML-filen har en DTD eller entiteter. Sådana tas inte emot.")) from error
    except (ParseError, LookupError, ValueError) as error:
        raise refused(_("XML-filen är skadad och går inte att läsa.")) from error
    if root is None:
        raise refused(_("XML-filen är tom."))
    return root


class _Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.faults: list[str] = []
        self.is_credit_note = root.tag == CREDIT_NOTE

    def read(self) -> ReadInvoice:
        self._check_kind()
        issued = self._day("cbc:IssueDate")
        due = self._day("cbc:DueDate", required=False)
        credited = self._text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")
        if self.is_credit_note and not credited:
            self._fault(_("Kreditfakturan säger inte vilken faktura den krediterar (BT-25)."))
        read = ReadInvoice(
            number=self._required("cbc:ID", _("Fakturanummer saknas (BT-1)."))[:50],
            is_credit_note=self.is_credit_note,
            credits_number=credited[:50] if self.is_credit_note else "",
            issued_on=issued or date.min,
            due_on=due,
            seller=self._organisation("cac:AccountingSupplierParty/cac:Party"),
            buyer=self._organisation("cac:AccountingCustomerParty/cac:Party"),
            total_sek=_to_cents(
                self._amount("cac:LegalMonetaryTotal/cbc:PayableAmount") or Decimal(0)
            ),
        )
        if issued and due and due < issued:
            self._fault(_("Förfallodagen ligger före fakturadatum."))
        if len(self._text("cbc:ID")) > 50:
            self._fault(_("Fakturanumret är längre än 50 tecken."))
        if not read.seller:
            self._fault(_("Säljarens organisationsnummer saknas (schema 0007)."))
        read.lines = list(self._lines())
        self._check_sums(read)
        return read

    # What the document is

    def _check_kind(self) -> None:
        customization = self._text("cbc:CustomizationID")
        if not (customization == CUSTOMIZATION or customization.startswith(f"{CUSTOMIZATION}#")):
            self._fault(_("CustomizationID är inte Peppol BIS Billing 3.0 (BT-24)."))
        if self._text("cbc:ProfileID") != PROFILE:
            self._fault(_("ProfileID är inte Peppol BIS Billing 3.0 (BT-23)."))
        path = "cbc:CreditNoteTypeCode" if self.is_credit_note else "cbc:InvoiceTypeCode"
        known = CREDIT_NOTE_TYPES if self.is_credit_note else INVOICE_TYPES
        if self._text(path) not in known:
            self._fault(
                _("Fakturatypen ska vara %(codes)s (BT-3).") % {"codes": ", ".join(sorted(known))}
            )
        currencies = {self._text("cbc:DocumentCurrencyCode")}
        currencies |= {
            e.get("currencyID", "SEK") for e in self.root.iter() if "currencyID" in e.attrib
        }
        if currencies != {"SEK"}:
            self._fault(_("Valutan ska vara SEK (BT-5)."))

    def _organisation(self, party: str) -> str:
        """The party's organisation number, as ten digits."""
        for path in (
            "cac:PartyLegalEntity/cbc:CompanyID",
            "cac:PartyIdentification/cbc:ID",
            "cbc:EndpointID",
        ):
            for element in self._all(f"{party}/{path}"):
                digits = "".join(c for c in element.text or "" if c.isdigit() and c.isascii())
                scheme = element.get("schemeID", "")
                if scheme in {"", ORGANISATION_SCHEME} and len(digits) == 10:
                    return digits
        # Swedish VAT number: SE, organisation number, 01.
        vat = self._text(f"{party}/cac:PartyTaxScheme/cbc:CompanyID").replace(" ", "").upper()
        is_swedish = len(vat) == 14 and vat.startswith("SE") and vat[2:].isdecimal()
        return vat[2:12] if is_swedish and vat.isascii() else ""

    # Lines

    def _lines(self) -> Iterator[ReadLine]:
        name = "cac:CreditNoteLine" if self.is_credit_note else "cac:InvoiceLine"
        found = self._all(name)
        if not found:
            self._fault(_("Fakturan har inga rader."))
        if len(found) > MAX_LINES:
            self._fault(_("Fakturan har fler än %(most)s rader.") % {"most": MAX_LINES})
            return
        of_all = [
            self._text("cbc:ID", at)
            for at in self._all("cac:AdditionalDocumentReference")
            if self._text("cbc:DocumentTypeCode", at) == OBJECT_TYPE
        ]
        for position, element in enumerate(found, start=1):
            yield self._line(position, element, of_all)

    def _line(self, position: int, line: Element, of_all: list[str]) -> ReadLine:
        where = _("Rad %(row)s: ") % {"row": position}
        texts = self._line_texts(line)
        quoted = self._quoted(line, texts, of_all)
        text, held = kept_text(texts)
        begins, ends = self._treated(line, where)
        quantity = "cbc:CreditedQuantity" if self.is_credit_note else "cbc:InvoicedQuantity"
        vat = self._amount(
            "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent", line, where, optional=True
        )
        every = [*texts, *(element.text or "" for element in line.iter())]
        return ReadLine(
            position=position,
            line_id=masked(self._text("cbc:ID", line))[:50] or str(position),
            quoted=quoted,
            text=text,
            treated_from=begins,
            treated_to=ends,
            quantity=self._amount(quantity, line, where) or Decimal(0),
            amount_sek=_to_cents(
                self._amount("cbc:LineExtensionAmount", line, where) or Decimal(0)
            ),
            vat_percent=_to_cents(max(Decimal(0), min(vat or Decimal(0), Decimal(100)))),
            has_identity_number=held or kept_text(every)[1],
        )

    def _line_texts(self, line: Element) -> list[str]:
        paths = ("cac:Item/cbc:Name", "cac:Item/cbc:Description", "cbc:Note")
        return [element.text or "" for path in paths for element in self._all(path, line)]

    def _quoted(self, line: Element, texts: list[str], of_all: list[str]) -> Quoted:
        """The case number, in the preferred place or where suppliers else put it."""
        objects = [
            self._text("cbc:ID", at)
            for at in self._all("cac:DocumentReference", line)
            if self._text("cbc:DocumentTypeCode", at) in {OBJECT_TYPE, ""}
        ]
        named: list[str] = []
        values: list[str] = []
        for at in self._all("cac:Item/cac:AdditionalItemProperty", line):
            value = self._text("cbc:Value", at)
            is_case = self._text("cbc:Name", at).casefold() in CASE_PROPERTIES
            (named if is_case else values).append(value)
        others = [
            self._text("cac:OrderLineReference/cbc:LineID", line),
            self._text("cac:Item/cac:BuyersItemIdentification/cbc:ID", line),
        ]
        fields = [*objects, *named, *others]
        # What is said to be the number is it, right or wrong; elsewhere other things may stand.
        quoted = quoted_in([*objects, *named], [*objects, *named])
        if not quoted.text:
            quoted = quoted_in(others, [*others, *values, *texts])
        if not quoted.case_number and not quoted.text:
            quoted = quoted_in(of_all, of_all)
        certificate = certificate_in([*fields, *values, *texts], quoted.case_number)
        return Quoted(
            masked(quoted.text)[:60],
            quoted.case_number,
            certificate or quoted.certificate_number,
        )

    def _treated(self, line: Element, where: str) -> tuple[date | None, date | None]:
        """First and last day of the care: the line's period, else the day or period of all."""
        begins = self._day("cac:InvoicePeriod/cbc:StartDate", line, where=where, required=False)
        ends = self._day("cac:InvoicePeriod/cbc:EndDate", line, where=where, required=False)
        if not (begins or ends):
            begins = self._day("cac:Delivery/cbc:ActualDeliveryDate", required=False)
        if begins and ends and ends < begins:
            self._fault(where + _("perioden slutar före den börjar."))
        return begins or ends, ends or begins

    # Sums

    def _check_sums(self, read: ReadInvoice) -> None:
        """The sums of EN 16931 (BR-CO-10, 13, 15 and 16), to the öre."""

        def total(name: str) -> Decimal:
            path = f"cac:LegalMonetaryTotal/cbc:{name}"
            return self._amount(path, optional=True) or Decimal(0)

        if total("AllowanceTotalAmount") or total("ChargeTotalAmount"):
            self._fault(_("Avdrag och avgifter ska stå på raden de gäller, inte på hela fakturan."))
            return
        lines = sum((line.amount_sek for line in read.lines), Decimal(0))
        tax = sum(
            (
                self._number(element.text, "") or Decimal(0)
                for element in self._all("cac:TaxTotal/cbc:TaxAmount")
            ),
            Decimal(0),
        )
        without, with_tax = total("TaxExclusiveAmount"), total("TaxInclusiveAmount")
        payable = with_tax - total("PrepaidAmount") + total("PayableRoundingAmount")
        for said, counted, name in (
            (total("LineExtensionAmount"), lines, _("radernas summa")),
            (without, lines, _("summan utan moms")),
            (with_tax, without + tax, _("summan med moms")),
            (total("PayableAmount"), payable, _("beloppet att betala")),
        ):
            if _to_cents(said) != _to_cents(counted):
                self._fault(
                    _("Fakturans %(name)s är %(said)s men blir %(counted)s.")
                    % {"name": name, "said": said, "counted": counted}
                )

    # Elements

    def _all(self, path: str, at: Element | None = None) -> list[Any]:
        return (self.root if at is None else at).findall(path, NAMES)

    def _text(self, path: str, at: Element | None = None) -> str:
        found = (self.root if at is None else at).findtext(path, "", NAMES)
        return (found or "").replace("\x00", "").strip()

    def _required(self, path: str, fault: str) -> str:
        text = self._text(path)
        if not text:
            self._fault(fault)
        return text

    def _day(
        self, path: str, at: Element | None = None, *, where: str = "", required: bool = True
    ) -> date | None:
        text = self._text(path, at)
        if not text and not required:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            name = path.rsplit(":", 1)[-1]
            self._fault(where + _("%(name)s är inget datum.") % {"name": name})
            return None

    def _amount(
        self, path: str, at: Element | None = None, where: str = "", *, optional: bool = False
    ) -> Decimal | None:
        text = self._text(path, at)
        if not text and optional:
            return None
        value = self._number(text, where + path.rsplit(":", 1)[-1])
        return value

    def _number(self, text: str | None, name: str) -> Decimal | None:
        try:
            value = Decimal((text or "").strip())
        except InvalidOperation:
            value = Decimal("NaN")
        exponent = value.as_tuple().exponent
        if not value.is_finite() or abs(value) >= LARGEST or not isinstance(exponent, int):
            self._fault(_("%(name)s är inget tal.") % {"name": name})
            return None
        return value if exponent >= -3 else value.quantize(Decimal("0.001"))

    def _fault(self, text: str) -> None:
        if text not in self.faults and len(self.faults) < 20:
            self.faults.append(text)


def _to_cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)
