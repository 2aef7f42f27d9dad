"""The file of figures: its columns, and what each row says or why it does not hold."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from contracts.files.columns import Column
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow
from contracts.files.values import decimal_of, whole_of
from organisations.models import Region
from statistics.months import Month
from statistics.performance.rules import FIGURES, Measure

COLUMNS = (
    Column("region", "region", gettext_lazy("länskod med två siffror eller regionens namn")),
    Column("month", "månad", gettext_lazy("ÅÅÅÅ-MM")),
    Column("measure", "mått", gettext_lazy("måttets kod eller namn, se listan")),
    Column("numerator", "täljare", gettext_lazy("antal inom gränsen (över 180 dagar: antal över)")),
    Column("denominator", "nämnare", gettext_lazy("antal alla")),
    Column("pot", "pott", gettext_lazy("regionens reserverade månadspott, kronor; tomt: okänd")),
)
REQUIRED = frozenset({"region", "month", "measure", "numerator", "denominator"})
MAX_ROWS = 10_000
MOST_SEK = Decimal("9999999999.99")


@dataclass
class FigureRow(FileRow):
    """A row of the file, and what it says when it has no errors."""

    month: date | None = None
    measure: str = ""
    numerator: int = 0
    denominator: int = 0
    pot: Decimal | None = None


@override("sv")
def read_figures(content: bytes, *, region: Region, today: date) -> list[FigureRow]:
    """Every row, checked by itself and against the others; only ``region``'s own hold.

    Raises :class:`InvalidInput` when the file cannot be read at all.
    """
    seen: dict[tuple[date, str], int] = {}
    rows = []
    for number, cells in read_rows(content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS):
        row = _row(number, cells, region=region, today=today)
        if not row.errors and row.month:
            first = seen.setdefault((row.month, row.measure), number)
            if first != number:
                row.errors.append(_("Månaden och måttet står redan på rad %(n)s.") % {"n": first})
        rows.append(row)
    return rows


def _row(number: int, cells: dict[str, str], *, region: Region, today: date) -> FigureRow:
    row = FigureRow(number, cells)
    value = partial(row.value_of, columns=COLUMNS, required=REQUIRED)
    value("region", lambda text: _own_region(text, region))
    row.month = value("month", lambda text: _month(text, today=today))
    row.measure = value("measure", _measure) or ""
    numerator, denominator = value("numerator", whole_of), value("denominator", whole_of)
    row.pot = value("pot", _money)
    if numerator is not None and denominator is not None:
        row.numerator, row.denominator = numerator, denominator
        if numerator > denominator:
            row.errors.append(f"täljare: {_('är större än nämnaren.')}")
    return row


def _own_region(text: str, region: Region) -> None:
    code = text.zfill(2) if text.isascii() and text.isdigit() else ""
    names = {region.name.casefold(), region.short_name.casefold()}
    if code != region.code and text.casefold() not in names:
        raise ValueError(_("raden gäller en annan region än din."))


def _month(text: str, *, today: date) -> date:
    # A spreadsheet may have made a day of the month.
    month = Month.parse(text[:7]) if text[7:] in {"", "-01", "-01 00:00:00"} else None
    if month is None:
        raise ValueError(_("skriv månaden som ÅÅÅÅ-MM."))
    if month > Month.of(today):
        raise ValueError(_("månaden har inte varit än."))
    return month.first_day


def _measure(text: str) -> str:
    plain = " ".join(text.casefold().split())
    labels = {str(measure.label).casefold(): measure.value for measure in Measure}
    found = plain if plain in FIGURES else labels.get(plain)
    if found is None:
        raise ValueError(_("%(text)s är inget mått.") % {"text": text[:40]})
    return found


def _money(text: str) -> Decimal:
    amount = decimal_of(text)
    if not 0 <= amount <= MOST_SEK or amount != amount.quantize(Decimal("0.01")):
        raise ValueError(_("skriv ett belopp i kronor med högst två decimaler."))
    return amount
