"""Typesets PDF/A documents with Typst (docs/dependencies.md).

Data reaches a template as JSON through ``sys.inputs``: nothing of it is read as markup. Fonts are
the product's own. The same data gives the same bytes, since the document's time is given.
"""

import io
import json
import re
import threading
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import segno
import typst
from django.conf import settings

FONTS = Path(settings.BASE_DIR) / "static" / "vendor" / "inter"
PDF_STANDARD: Literal["a-2b"] = "a-2b"

# After so many tries all that is not Latin goes at once.
MOST_SIGNS_LACKING = 20
_NOT_SHOWN = re.compile(r'the text `?"([^"]{1,200})"`? could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
# Signs that would have the words after a name stand backwards.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_BEYOND_LATIN = re.compile(r"[^\x00-\u024f\u2010-\u2026]")

_lock = threading.Lock()


def compile_pdf(template: str, data: dict[str, Any], *, at: datetime) -> bytes:
    """The PDF/A-2b that ``templates/<template>`` makes of ``data``, dated ``at``.

    PDF/A takes no sign that its fonts lack, and nobody's letter may stop for one: it becomes ``?``.
    """
    text = _TURNS.sub("", json.dumps(data, ensure_ascii=False))
    for _try in range(MOST_SIGNS_LACKING):
        try:
            return _compiled(template, text, at=at)
        except typst.TypstError as error:
            lacking = _lacking(str(error))
            if not lacking:
                raise
            text = text.translate(dict.fromkeys(map(ord, lacking), "?"))
    return _compiled(template, _BEYOND_LATIN.sub("?", text), at=at)


def _compiled(template: str, text: str, *, at: datetime) -> bytes:
    with _lock:  # one compiler for each template and process
        made = _compiler(template).compile(
            format="pdf",
            sys_inputs={"data": text},
            pdf_standards=PDF_STANDARD,
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
    return {sign for sign in signs if ord(sign) > 127}


def qr_svg(text: str) -> str:
    """A QR code of the text as an SVG image, error correction level M."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0, dark="#12344a")
    return out.getvalue().decode()


@cache
def _compiler(template: str) -> typst.Compiler:
    path = Path(settings.BASE_DIR) / "templates" / template
    return typst.Compiler(
        input=path, root=path.parent, font_paths=_fonts(), ignore_system_fonts=True
    )


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FONTS])
