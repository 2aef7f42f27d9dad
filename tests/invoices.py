"""Builds invoice files: Peppol BIS Billing 3.0 as a provider's system would write them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from contracts.files.ubl import CUSTOMIZATION, NAMES, PROFILE
from contracts.models import InvoiceLine
from contracts.services import Received, receive_invoices
from organisations.access import Actor
from tests.factories import MadeCase, stockholm

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
NOW = stockholm(2026, 3, 10, 9)


@dataclass
class Row:
    """One line; the case number stands as BT-128 unless ``place`` names another."""

    case: str
    amount: Decimal = Decimal(80_000)
    certificate: str = ""
    treated_on: date | None = date(2026, 3, 10)
    ends_on: date | None = None
    quantity: Decimal = Decimal(1)
    vat: Decimal = Decimal(0)
    name: str = "Knäprotesoperation"
    note: str = ""
    place: str = "object"


@dataclass
class Bill:
    """An invoice, or a credit note when it ``credits`` one."""

    number: str = "F-1001"
    rows: Sequence[Row] = ()
    seller: str = "5599000006"
    buyer: str = "2321000115"
    credits: str = ""
    issued: date = date(2026, 3, 20)
    due: date | None = date(2026, 4, 19)
    currency: str = "SEK"
    customization: str = CUSTOMIZATION
    profile: str = PROFILE
    # Text to put in the place of an amount of LegalMonetaryTotal, by its name.
    totals: dict[str, str] = field(default_factory=dict)

    def xml(self) -> bytes:
        kind = "CreditNote" if self.credits else "Invoice"
        root = Element(
            kind,
            {
                "xmlns": f"{UBL}{kind}-2",
                "xmlns:cac": NAMES["cac"],
                "xmlns:cbc": NAMES["cbc"],
            },
        )
        add(root, "CustomizationID", self.customization)
        add(root, "ProfileID", self.profile)
        add(root, "ID", self.number)
        add(root, "IssueDate", str(self.issued))
        if self.due and not self.credits:
            add(root, "DueDate", str(self.due))
        add(root, f"{kind}TypeCode", "381" if self.credits else "380")
        add(root, "DocumentCurrencyCode", self.currency)
        add(root, "BuyerReference", "VARDGARANTI")
        if self.credits:
            add(part(root, "BillingReference", "InvoiceDocumentReference"), "ID", self.credits)
        self._party(root, "AccountingSupplierParty", self.seller, "Granhöjdens ortopedi AB")
        self._party(root, "AccountingCustomerParty", self.buyer, "Region Halland")
        means = part(root, "PaymentMeans")
        add(means, "PaymentMeansCode", "30")
        add(means, "PaymentID", self.number)
        add(part(means, "PayeeFinancialAccount"), "ID", "SE4550000000058398257466")
        if not self.credits:
            add(part(root, "PaymentTerms"), "Note", "30 dagar")
        self._sums(root)
        for position, row in enumerate(self.rows, start=1):
            self._line(root, f"{kind}Line", position, row)
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root)

    def _party(self, root: Element, role: str, number: str, name: str) -> None:
        party = part(root, role, "Party")
        add(party, "EndpointID", number, schemeID="0007")
        address = part(party, "PostalAddress")
        add(address, "CityName", "Halmstad")
        add(part(address, "Country"), "IdentificationCode", "SE")
        if role == "AccountingSupplierParty":
            tax = part(party, "PartyTaxScheme")
            add(tax, "CompanyID", f"SE{number}01")
            add(part(tax, "TaxScheme"), "ID", "VAT")
        legal = part(party, "PartyLegalEntity")
        add(legal, "RegistrationName", name)
        add(legal, "CompanyID", number, schemeID="0007")

    def _sums(self, root: Element) -> None:
        total = sum((row.amount for row in self.rows), Decimal(0))
        rates = {row.vat for row in self.rows}
        tax = part(root, "TaxTotal")
        whole = sum((self._tax(rate) for rate in rates), Decimal(0))
        self._amount(tax, "TaxAmount", whole)
        for rate in sorted(rates):
            sub = part(tax, "TaxSubtotal")
            of_rate = sum((row.amount for row in self.rows if row.vat == rate), Decimal(0))
            self._amount(sub, "TaxableAmount", of_rate)
            self._amount(sub, "TaxAmount", self._tax(rate))
            category = self._category(sub, "TaxCategory", rate)
            if not rate:
                reason = Element("cbc:TaxExemptionReason")
                reason.text = "Sjukvård, mervärdesskattelagen 10 kap. 6 §"
                category.insert(2, reason)
        sums = part(root, "LegalMonetaryTotal")
        amounts = {
            "LineExtensionAmount": total,
            "TaxExclusiveAmount": total,
            "TaxInclusiveAmount": total + whole,
            "PayableAmount": total + whole,
        }
        for name, amount in amounts.items():
            said = Decimal(self.totals[name]) if name in self.totals else amount
            self._amount(sums, name, said)

    def _tax(self, rate: Decimal) -> Decimal:
        amount = sum((row.amount for row in self.rows if row.vat == rate), Decimal(0))
        return (amount * rate / 100).quantize(Decimal("0.01"))

    def _line(self, root: Element, kind: str, position: int, row: Row) -> None:
        line = part(root, kind)
        add(line, "ID", str(position))
        if row.note or row.place == "note":
            add(line, "Note", f"{row.note} {row.case if row.place == 'note' else ''}".strip())
        quantity = "CreditedQuantity" if self.credits else "InvoicedQuantity"
        add(line, quantity, str(row.quantity), unitCode="C62")
        self._amount(line, "LineExtensionAmount", row.amount)
        if row.treated_on:
            period = part(line, "InvoicePeriod")
            add(period, "StartDate", str(row.treated_on))
            add(period, "EndDate", str(row.ends_on or row.treated_on))
        if row.place == "order":
            add(part(line, "OrderLineReference"), "LineID", row.case)
        if row.place == "object" and row.case:
            reference = part(line, "DocumentReference")
            add(reference, "ID", row.case)
            add(reference, "DocumentTypeCode", "130")
        item = part(line, "Item")
        add(item, "Name", row.name)
        if row.place == "buyers item":
            add(part(item, "BuyersItemIdentification"), "ID", row.case)
        self._category(item, "ClassifiedTaxCategory", row.vat)
        if row.place == "property":
            _property(item, "Ärendenummer", row.case)
        if row.certificate:
            _property(item, "Vårdgarantiintyg", row.certificate)
        price = row.amount / row.quantity if row.quantity else row.amount
        self._amount(part(line, "Price"), "PriceAmount", abs(price))

    def _amount(self, at: Element, name: str, amount: Decimal) -> None:
        add(at, name, f"{amount:.2f}", currencyID=self.currency)

    def _category(self, at: Element, name: str, rate: Decimal) -> Element:
        category = part(at, name)
        add(category, "ID", "S" if rate else "E")
        add(category, "Percent", str(rate))
        add(part(category, "TaxScheme"), "ID", "VAT")
        return category

    def csv(self) -> bytes:
        """The same as a list."""
        lines = [
            "organisationsnummer;fakturanummer;typ;krediterar;fakturadatum;förfallodatum;"
            "ärendenummer;intygsnummer;behandlingsdatum;antal;belopp;moms;text"
        ]
        for row in self.rows:
            cells = [
                *(self.seller, self.number, "kredit" if self.credits else "faktura", self.credits),
                *(str(self.issued), str(self.due or ""), row.case, row.certificate),
                *(str(row.treated_on or ""), str(row.quantity), str(row.amount), str(row.vat)),
                f"{row.name} {row.note}".strip(),
            ]
            lines.append(";".join(cells))
        return "\r\n".join(lines).encode()


def part(at: Element, *names: str) -> Element:
    for name in names:
        at = SubElement(at, f"cac:{name}")
    return at


def add(at: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(at, f"cbc:{name}", attributes).text = text


def _property(item: Element, name: str, value: str) -> None:
    found = part(item, "AdditionalItemProperty")
    add(found, "Name", name)
    add(found, "Value", value)


def row_for(made: MadeCase, **changes: object) -> Row:
    """The line that agrees with everything about a case that has been treated."""
    certificate = made.case.certificates.order_by("-serial").first()
    values: dict[str, object] = {
        "case": made.case.number,
        "amount": made.offer.price_sek,
        "certificate": certificate.number if certificate else "",
        "treated_on": made.offer.referral.treated_on if hasattr(made.offer, "referral") else None,
    }
    return Row(**(values | changes))  # type: ignore[arg-type]


def bill_for(
    *made: MadeCase, number: str = "F-1001", credited: str = "", **changes: object
) -> Bill:
    """An invoice from the first case's provider with a line for each case."""
    provider = made[0].line.care_unit.provider
    rows = [row_for(one, **changes) for one in made]
    return Bill(number=number, credits=credited, seller=provider.organisation_number, rows=rows)


def receive(bill: Bill, actor: Actor, *, now=NOW) -> Received:
    return receive_invoices(bill.xml(), name="faktura.xml", actor=actor, now=now)


def only_line(received: Received) -> InvoiceLine:
    return InvoiceLine.objects.get(invoice__in=received.invoices)
