"""Typesets PDF/A documents with Typst (docs/dependencies.md).

Data reaches a template as JSON through ``sys.inputs``: nothing of it is read as markup. Fonts are
the product's own. The same data gives the same bytes, since the document's time is given.

Nothing here needs Django, so that a process that only sets documents begins at once
(:mod:`organisations.typesetters`).
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst
import zxingcpp

_ROOT = Path(__file__).resolve().parent.parent
FONTS = [_ROOT / "static" / "vendor" / name for name in ("inter", "noto")]
Standard = Literal["a-2a", "a-2b", "ua-1"]
PDF_STANDARDS: tuple[Standard, ...] = ("a-2b",)

MASK = 3

# After so many tries all that is not Latin goes at once.
MOST_SIGNS_LACKING = 20
_PAGES = re.compile(rb"<xmpTPg:NPages>(\d+)</xmpTPg:NPages>")
_NOT_SHOWN = re.compile(r'(?:the text|codepoint) `?"([^"]{1,200})"`?')
_PANIC = re.compile(r"panicked with: (.+)")
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
# Signs that would have the words after a name stand backwards.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_BEYOND_LATIN = re.compile(r"[^\x00-\u024f\u2010-\u2026]")


class TypesettingStopped(Exception):
    """The template itself said stop, by Typst's ``panic``; the message is its word."""


class SignsLacking(Exception):
    """No font shipped with the product has these signs."""

    def __init__(self, signs: set[str]) -> None:
        super().__init__(", ".join(f"U+{ord(sign):04X}" for sign in sorted(signs)))
        self.signs = signs


def compile_pdf(
    template: str,
    data: dict[str, Any],
    *,
    at: datetime,
    standards: Sequence[Standard] = PDF_STANDARDS,
    exact: bool = False,
) -> bytes:
    """The PDF/A that ``templates/<template>`` makes of ``data``, dated ``at``.

    PDF/A takes no sign that its fonts lack. What must be read as it was written is ``exact`` and
    raises :class:`SignsLacking`; in the rest, which nobody may have to wait for, it becomes ``?``.
    Raises :class:`TypesettingStopped` when the template refuses what it was given.
    """
    return compile_text(template, as_text(data), at=at, standards=standards, exact=exact)


def as_text(data: dict[str, Any]) -> str:
    """The data as the template reads it."""
    return _TURNS.sub("", json.dumps(data, ensure_ascii=False))


def compile_text(
    template: str, text: str, *, at: datetime, standards: Sequence[Standard], exact: bool
) -> bytes:
    """As :func:`compile_pdf`, of what :func:`as_text` made of the data."""
    for _try in range(MOST_SIGNS_LACKING):
        try:
            return _compiled(template, text, at=at, standards=standards)
        except typst.TypstError as error:
            stopped = _PANIC.search(str(error))
            if stopped:
                raise TypesettingStopped(stopped[1]) from error
            lacking = _lacking(str(error))
            if lacking and exact:
                raise SignsLacking(lacking) from error
            beyond = {ord(sign) for sign in lacking if ord(sign) > 127}
            if not beyond:
                raise
            text = text.translate(dict.fromkeys(beyond, "?"))
    return _compiled(template, _BEYOND_LATIN.sub("?", text), at=at, standards=standards)


def pages_of(content: bytes) -> int:
    """The number of pages by the file's own metadata, which PDF/A has in clear."""
    found = _PAGES.search(content)
    if not found:
        raise ValueError("The PDF does not tell its pages.")
    return int(found[1])


def _compiled(template: str, text: str, *, at: datetime, standards: Sequence[Standard]) -> bytes:
    with _compiler(template) as compiler:
        made = compiler.compile(
            format="pdf",
            sys_inputs={"data": text},
            pdf_standards=list(standards),
            timestamp=int(at.timestamp()),
        )
    if not isinstance(made, bytes):
        raise TypeError("Typst made no single PDF.")
    return made


def _lacking(error: str) -> set[str]:
    """The signs that Typst says no font has."""
    found = _NOT_SHOWN.search(error)
    if not found:
        return set()
    signs = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), found[1])
    return set(signs)


def qr_svg(text: str, *, dark: str = "#000000") -> str:
    """A QR code of the text as an SVG image in one colour, error correction level M.

    All codes get the same mask: to try all eight takes ten times as long, and any reader takes any.
    """
    code = zxingcpp.create_barcode(
        text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=MASK
    )
    drawn: str = code.to_svg(add_quiet_zones=False)
    return drawn.replace("#000000", dark)


@contextmanager
def _compiler(template: str) -> Iterator[typst.Compiler]:
    """A compiler that no other thread uses meanwhile: it does one document at a time, and lets go
    of Python while it does."""
    idle = _idle(template)
    try:
        compiler = idle.pop()
    except IndexError:
        path = _ROOT / "templates" / template
        compiler = typst.Compiler(
            input=path, root=path.parent, font_paths=_fonts(), ignore_system_fonts=True
        )
    try:
        yield compiler
    finally:
        idle.append(compiler)


@cache
def _idle(template: str) -> list[typst.Compiler]:
    return []


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=FONTS)
