"""Invoices as a list, CSV or XLSX: one row is one line, and a file may hold several invoices."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.files.columns import Column
from contracts.files.invoices import (
    MAX_LINES,
    ReadInvoice,
    ReadLine,
    certificate_in,
    kept_text,
    quoted_in,
)
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow, heading_of
from contracts.files.values import day_of, decimal_of
from organisations.errors import InvalidInput
from organisations.masking import masked

COLUMNS = (
    Column("seller", "organisationsnummer", gettext_lazy("vårdgivarens, tio siffror")),
    Column("number", "fakturanummer", gettext_lazy("samma på alla rader i fakturan")),
    Column("kind", "typ", gettext_lazy("faktura eller kredit; tomt är faktura")),
    Column("credits", "krediterar", gettext_lazy("fakturans nummer, på en kreditfaktura")),
    Column("issued_on", "fakturadatum", gettext_lazy("ÅÅÅÅ-MM-DD")),
    Column("due_on", "förfallodatum", gettext_lazy("ÅÅÅÅ-MM-DD")),
    Column("case", "ärendenummer", gettext_lazy("som det står på intyget"), of_line=True),
    Column(
        "certificate", "intygsnummer", gettext_lazy("ärendenumret, / och siffran"), of_line=True
    ),
    Column("treated_on", "behandlingsdatum", gettext_lazy("ÅÅÅÅ-MM-DD"), of_line=True),
    Column("quantity", "antal", gettext_lazy("tomt är 1"), of_line=True),
    Column(
        "amount", "belopp", gettext_lazy("kronor utan moms; positivt även på kredit"), of_line=True
    ),
    Column("vat", "moms", gettext_lazy("procent; tomt är 0"), of_line=True),
    Column("text", "text", gettext_lazy("vad raden gäller, inga personuppgifter"), of_line=True),
)
REQUIRED = frozenset({"seller", "number", "issued_on", "case", "amount"})
_OF_INVOICE = tuple(column.key for column in COLUMNS if not column.of_line)
_CREDITS = {"": False, "faktura": False, "kredit": True, "kreditfaktura": True}
_DIGITS = Decimal(10) ** 9


class Row(FileRow):
    """One row: its cells, what is wrong with them, and the invoice it belongs to."""

    def value(self, key: str, read: Callable[[str], Any], default: Any = None) -> Any:
        return self.value_of(key, read, columns=COLUMNS, required=REQUIRED, default=default)


def read_invoice_rows(content: bytes) -> list[ReadInvoice]:
    """The invoices in the list; every row must hold.

    Raises :class:`InvalidInput`; ``fields["file"]`` names each bad row by number and reason.
    """
    rows = [Row(n, cells) for n, cells in read_rows(content, columns=COLUMNS, required=REQUIRED)]
    first: dict[tuple[str, str], Row] = {}
    found: dict[tuple[str, str], ReadInvoice] = {}
    for row in rows:
        key = (_organisation(row.text("seller")), row.text("number"))
        head = first.setdefault(key, row)
        if head is row:
            found[key] = _invoice(row)
        _check_same(row, head)
        if len(found[key].lines) == MAX_LINES:
            row.errors.append(_("Fakturan har fler än %(most)s rader.") % {"most": MAX_LINES})
            break
        found[key].lines.append(_line(row, len(found[key].lines) + 1))
    for invoice in found.values():
        invoice.total_sek = sum((line.amount_sek for line in invoice.lines), Decimal(0))
    _refuse_faults(rows)
    return list(found.values())


def _refuse_faults(rows: list[Row]) -> None:
    faults = [
        _("Rad %(row)s: %(faults)s") % {"row": row.number, "faults": " ".join(row.errors)}
        for row in rows
        if row.errors
    ]
    if faults:
        more = len(faults) - 20
        shown = masked(" ".join(faults[:20]))
        if more > 0:
            shown += " " + _("Ytterligare %(n)s rader har fel.") % {"n": more}
        raise InvalidInput(shown, fields={"file": shown})


def _invoice(row: Row) -> ReadInvoice:
    is_credit_note = row.value("kind", _kind, default=False)
    credited = row.text("credits")[:50]
    if is_credit_note != bool(credited):
        row.errors.append(
            _("En kreditfaktura säger vilken faktura den krediterar, en faktura gör det inte.")
        )
    issued, due = row.value("issued_on", day_of), row.value("due_on", day_of)
    if issued and due and due < issued:
        row.errors.append(_("Förfallodagen ligger före fakturadatum."))
    return ReadInvoice(
        number=row.value("number", _invoice_number, default=""),
        is_credit_note=is_credit_note,
        credits_number=credited,
        issued_on=issued,
        due_on=due,
        seller=row.value("seller", _seller, default=""),
        buyer="",
        total_sek=Decimal(0),
    )


def _line(row: Row, position: int) -> ReadLine:
    texts = [row.text("text")]
    case, certificate = row.text("case"), row.text("certificate")
    quoted = quoted_in([case], [case])
    text, _held = kept_text(texts)
    treated = row.value("treated_on", day_of)
    if not case:
        row.errors.append(_("%(key)s saknas.") % {"key": heading_of("case", COLUMNS)})
    return ReadLine(
        position=position,
        line_id=str(position),
        quoted=type(quoted)(
            masked(quoted.text or case)[:60],
            quoted.case_number,
            certificate_in([certificate, case], quoted.case_number),
        ),
        text=text,
        treated_from=treated,
        treated_to=treated,
        quantity=row.value("quantity", _quantity, default=Decimal(1)),
        amount_sek=row.value("amount", _amount, default=Decimal(0)),
        vat_percent=row.value("vat", _per_cent, default=Decimal(0)),
        has_identity_number=kept_text([*texts, case, certificate])[1],
    )


def _check_same(row: Row, head: Row) -> None:
    for key in _OF_INVOICE:
        if row.text(key) != head.text(key):
            row.errors.append(
                _("%(key)s är inte detsamma som på rad %(row)s i samma faktura.")
                % {"key": heading_of(key, COLUMNS), "row": head.number}
            )


def _organisation(text: str) -> str:
    return "".join(character for character in text if character not in " -\xa0")


def _seller(text: str) -> str:
    digits = _organisation(text)
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(_("ett organisationsnummer har tio siffror."))
    return digits


def _invoice_number(text: str) -> str:
    if len(text) > 50:
        raise ValueError(_("fakturanumret är längre än 50 tecken."))
    return text


def _kind(text: str) -> bool:
    try:
        return _CREDITS[text.casefold()]
    except KeyError:
        raise ValueError(_("skriv faktura eller kredit.")) from None


def _within(value: Decimal) -> Decimal:
    if abs(value) >= _DIGITS:
        raise ValueError(_("talet är för stort."))
    return value


def _amount(text: str) -> Decimal:
    value = _within(decimal_of(text))
    cents = value.quantize(Decimal("0.01"))
    if cents != value:
        raise ValueError(_("beloppet har fler än två decimaler."))
    return cents


def _quantity(text: str) -> Decimal:
    return _within(decimal_of(text)).quantize(Decimal("0.001"))


def _per_cent(text: str) -> Decimal:
    value = decimal_of(text.rstrip("%"))
    if not 0 <= value <= 100:
        raise ValueError(_("momsen är 0–100 procent."))
    return value.quantize(Decimal("0.01"))
