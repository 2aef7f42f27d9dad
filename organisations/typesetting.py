"""Typesets PDF/A documents with Typst (docs/dependencies.md).

Data reaches a template as JSON through ``sys.inputs``: nothing of it is read as markup. Fonts are
the product's own. The same data gives the same bytes, since the document's time is given.
"""

import io
import json
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

_lock = threading.Lock()


def compile_pdf(template: str, data: dict[str, Any], *, at: datetime) -> bytes:
    """The PDF/A-2b that ``templates/<template>`` makes of ``data``, dated ``at``."""
    with _lock:  # one compiler for each template and process
        made = _compiler(template).compile(
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            pdf_standards=PDF_STANDARD,
            timestamp=int(at.timestamp()),
        )
    if not isinstance(made, bytes):
        raise TypeError("Typst made no single PDF.")
    return made


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
