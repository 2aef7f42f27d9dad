"""Set the letters whose data comes on standard input, one a line, with Typst and nothing else.

Tells the seconds that its processor worked. A part of :mod:`benchmarks.letters`.
"""

import sys
import time
from pathlib import Path

import typst

from organisations.typesetting import FONTS

TEMPLATE = Path("templates/notices/letter.typ")
STANDARDS = ["a-2a", "ua-1"]


def main() -> None:
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=list(FONTS)
    )
    compiler = typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=fonts)
    for line in sys.stdin:
        compiler.compile(
            format="pdf",
            sys_inputs={"data": line},
            pdf_standards=STANDARDS,
            timestamp=1_774_306_800,
        )
    print(time.process_time())


if __name__ == "__main__":
    main()
