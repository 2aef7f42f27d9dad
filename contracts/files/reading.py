"""Read a CSV or XLSX file of named columns into rows of text."""

import csv
import io
import zipfile
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from django.utils.translation import gettext as _

from contracts.files.columns import COLUMNS, REQUIRED, Column
from organisations.errors import InvalidInput

MAX_ROWS = 20_000
MAX_BYTES = 20 * 1024 * 1024
# A zip file that unpacks to more than this is no list of contracts.
MAX_UNPACKED = 200 * 1024 * 1024


def read_rows(
    content: bytes,
    *,
    columns: Sequence[Column] = COLUMNS,
    required: Collection[str] = REQUIRED,
    max_rows: int = MAX_ROWS,
) -> list[tuple[int, dict[str, str]]]:
    """Row number in the file and its cells by column key; empty rows are passed over.

    The content decides whether it is a spreadsheet or CSV. CSV may have semicolon, comma or tab
    and be in UTF-8 or Windows-1252. Raises :class:`InvalidInput` when the file cannot be read or
    a column is missing.
    """
    if not content:
        raise _refused(_("Filen är tom."))
    if len(content) > MAX_BYTES:
        raise _refused(_("Filen är större än 20 MB."))
    cells = _spreadsheet(content) if content.startswith(b"PK") else _csv(content)
    rows = iter(cells)
    keys = _keys(next(rows, []), columns, required)
    found: list[tuple[int, dict[str, str]]] = []
    for number, row in enumerate(rows, start=2):
        texts = [_text(cell) for cell in row]
        if not any(texts):
            continue
        if len(found) == max_rows:
            raise _refused(_("Filen har fler än %(most)s rader.") % {"most": max_rows})
        found.append((number, {key: t for key, t in zip(keys, texts, strict=False) if key}))
    if not found:
        raise _refused(_("Filen har inga rader under rubrikerna."))
    return found


def _keys(
    headings: Iterable[Any], columns: Sequence[Column], required: Collection[str]
) -> list[str]:
    known = {name: column.key for column in columns for name in (column.heading, column.key)}
    keys = [known.get(_text(heading).casefold(), "") for heading in headings]
    missing = [c.heading for c in columns if c.key in required and c.key not in keys]
    if missing:
        raise _refused(_("Kolumner saknas: %(names)s.") % {"names": ", ".join(missing)})
    twice = {key for key in keys if key and keys.count(key) > 1}
    if twice:
        raise _refused(_("Kolumner står två gånger: %(names)s.") % {"names": ", ".join(twice)})
    return keys


def _csv(content: bytes) -> Iterable[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        yield from csv.reader(
            io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter
        )
    except csv.Error as error:
        raise _refused(_("Filen går inte att läsa som CSV.")) from error


def _spreadsheet(content: bytes) -> Iterable[tuple[Any, ...]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                raise _refused(_("Filen är för stor uppackad."))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        yield from book.worksheets[0].iter_rows(values_only=True)
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
    text = str(cell).replace("\x00", "").strip()
    # The sign that an export puts before what a spreadsheet would take for a formula.
    return text[1:] if text[:1] == "'" and text[1:2] in "=+-@" else text


def _refused(text: str) -> InvalidInput:
    return InvalidInput(text, fields={"file": text})
