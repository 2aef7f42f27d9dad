"""Bytes to rows, one at a time, whatever the bytes are.

Semicolon, comma or tab; UTF-8 with or without its mark, UTF-16 with its mark; what is not UTF-8 is
read as Windows-1252, and said. Memory holds one line and never more than ``LONGEST_LINE`` of it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

SAMPLE = 64 * 1024
LONGEST_LINE = 64 * 1024
# A byte that is no UTF-8, as Python marks it.
_STRAY = re.compile("[\udc80-\udcff]")


class Unreadable(Exception):
    """The file cannot be read (any further); ``code`` says why, at a column or the whole."""

    def __init__(self, code: str, variable: str = "") -> None:
        super().__init__(code)
        self.code, self.variable = code, variable


@dataclass
class Encoding:
    """The file's encoding; ``strays`` are the lines read so far with bytes that are not in it."""

    name: str
    strays: int = 0


def rows_of(file: IO[bytes]) -> tuple[Encoding, Iterator[list[str]]]:
    """The encoding and the rows. Raises :class:`Unreadable`, now or in the middle of the rows."""
    binary = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file, SAMPLE)  # type: ignore[type-var]
    sample = binary.peek(SAMPLE)[:SAMPLE]
    if not sample:
        raise Unreadable("VT101")
    encoding = Encoding("utf-8")
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding.name = "utf-16"
        text = io.TextIOWrapper(binary, encoding="utf-16", newline="")
        first = sample.decode("utf-16", "ignore")
    else:
        if b"\x00" in sample or sample.startswith((b"PK\x03\x04", b"%PDF-")):
            raise Unreadable("VT102")
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        first = sample.decode("utf-8", "replace")
    heading = first.splitlines()[0] if first.strip() else ""
    delimiter = max(";,\t", key=heading.count)
    return encoding, _rows(_lines(text, encoding), delimiter)


def _lines(text: io.TextIOWrapper, encoding: Encoding) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if not line.isascii() and _STRAY.search(line):
            encoding.strays += 1
            line = _STRAY.sub(_as_windows, line)
        yield line


def _as_windows(stray: re.Match[str]) -> str:
    byte = stray.group().encode("utf-8", "surrogateescape")
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return byte.decode("latin-1")


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise Unreadable("VT103") from error
    except UnicodeError as error:
        raise Unreadable("VT102") from error
