"""Read a CSV or XLSX file of named columns into rows of text."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from django.utils.translation import gettext as _

from contracts.files.columns import COLUMNS, REQUIRED, Column
from organisations.errors import InvalidInput
from organisations.spreadsheets import FORMULA_STARTS
from organisations.uploads import check_container

MAX_ROWS = 20_000
MAX_COLUMNS = 64
# Empty rows are passed over, but a sheet can say that it has a million of them.
EMPTY_ROWS = 80_000
MAX_BYTES = 20 * 1024 * 1024
# A zip file that unpacks to more than this is no list: 200 000 waiting times take half.
MAX_UNPACKED = 128 * 1024 * 1024


def read_rows(
    content: bytes,
    *,
    columns: Sequence[Column] = COLUMNS,
    required: Collection[str] = REQUIRED,
    max_rows: int = MAX_ROWS,
) -> list[tuple[int, dict[str, str]]]:
    """Row number in the file and its cells by column key; empty rows are passed over.

    The content decides whether it is a spreadsheet or CSV. CSV may have semicolon, comma or tab
    and be in UTF-8, Windows-1252 or UTF-16 with its mark. Raises :class:`InvalidInput` when the
    file cannot be read or a column is missing.
    """
    found = list(iterate_rows(content, columns=columns, required=required, max_rows=max_rows))
    if not found:
        raise _refused(_("Filen har inga rader under rubrikerna."))
    return found


def iterate_rows(
    content: bytes, *, columns: Sequence[Column], required: Collection[str], max_rows: int
) -> Iterator[tuple[int, dict[str, str]]]:
    """As :func:`read_rows`, row by row; a refusal may come after some of them."""
    rows = text_rows(content, max_rows=max_rows)
    _first, headings = next(rows, (1, []))
    keys = _keys(headings, columns, required)
    for number, texts in rows:
        yield number, {key: t for key, t in zip(keys, texts, strict=False) if key}


def text_rows(content: bytes, *, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Row number and texts of the first row and of each later one that is not empty."""
    if not content:
        raise _refused(_("Filen är tom."))
    if len(content) > MAX_BYTES:
        raise _refused(_("Filen är större än 20 MB."))
    cells = _spreadsheet(content) if content.startswith(b"PK") else _csv(content)
    found = 0
    for number, row in enumerate(cells, start=1):
        if number > max_rows + EMPTY_ROWS + 1:
            raise _refused(
                _("Filen fortsätter efter rad %(last)s. Ta bort tomma rader i slutet.")
                % {"last": max_rows + EMPTY_ROWS}
            )
        texts = [_text(cell) for cell in row[: MAX_COLUMNS if number > 1 else None]]
        if number > 1 and not any(texts):
            continue
        found += 1
        if found > max_rows + 1:
            raise _refused(_("Filen har fler än %(most)s rader.") % {"most": max_rows})
        yield number, texts


def _keys(texts: Sequence[str], columns: Sequence[Column], required: Collection[str]) -> list[str]:
    known = {name: column.key for column in columns for name in (column.heading, column.key)}
    keys = [known.get(text.casefold(), "") for text in texts]
    if any(texts[MAX_COLUMNS:]):
        raise _refused(_("Filen har fler än 64 kolumner."))
    missing = [c.heading for c in columns if c.key in required and c.key not in keys]
    if missing:
        raise _refused(_("Kolumner saknas: %(names)s.") % {"names": ", ".join(missing)})
    twice = [key for key, count in Counter(keys).items() if key and count > 1]
    if twice:
        raise _refused(_("Kolumner står två gånger: %(names)s.") % {"names": ", ".join(twice)})
    return keys


def _csv(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise _refused(_("Filen går inte att läsa som CSV.")) from error


def _decoded(content: bytes) -> str:
    """The text, or a refusal: nothing is guessed and no letter is lost."""
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf_16 else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _refused(_("Filen är inte en textfil. Spara den som CSV i UTF-8 eller som XLSX."))


def _spreadsheet(content: bytes) -> Iterator[tuple[Any, ...]]:
    """The first sheet's rows. openpyxl reads XML by defusedxml: no entities, nothing fetched."""
    check_container(content, unpacked=MAX_UNPACKED).close()
    try:
        book = openpyxl.load_workbook(
            io.BytesIO(content), read_only=True, data_only=True, keep_links=False
        )
        sheet = book.worksheets[0]
        # What the sheet says of its own size is not to be trusted.
        sheet.reset_dimensions()
        # One column more than is read, so that too many are seen.
        yield from sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True)
    except InvalidInput:
        raise
    except Exception as error:  # what a broken workbook raises is not written down anywhere
        raise _refused(_("Filen går inte att läsa som kalkylblad.")) from error


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).replace("\x00", "")
    if not text.isascii():
        # XML in a sheet can spell half a pair of surrogates, which PostgreSQL cannot hold.
        text = text.encode("utf-16", "replace").decode("utf-16")
    text = text.strip()
    # The sign that an export puts before what a spreadsheet would take for a formula.
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


def _refused(text: str) -> InvalidInput:
    return InvalidInput(text, fields={"file": text})
