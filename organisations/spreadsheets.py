"""CSV that a Swedish spreadsheet opens as it stands, and that holds no formulas."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

# A cell that begins like this would be a formula in a spreadsheet; the wide forms of the signs are
# taken for the plain ones in some languages.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# Text is written as text: no formula, and no link to a page or to a file beside the workbook.
XLSX_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def safe(text: str) -> str:
    """Text that a spreadsheet cannot take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_bytes(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Semicolons, decimal comma and a byte-order mark; every text made safe."""
    out = io.StringIO()
    write = row_writer(out)
    write(headings)
    for row in rows:
        write(row)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def row_writer(out: IO[str]) -> Callable[[Sequence[Any]], object]:
    """Writes one row after the other, as :func:`csv_bytes` does."""
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    return lambda row: writer.writerow([_cell(cell) for cell in row])


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return safe(cell)
    return str(cell).replace(".", ",") if isinstance(cell, float) else cell
