"""Monthly figures and national reporting.

The app bears the name of a standard library module and lies before it on ``sys.path``, so that
``from statistics import median`` in a library would land here. The standard module is therefore
loaded from its file and its public names are handed on. Why the name was kept:
docs/decisions/0001-the-statistics-app.md.
"""

import importlib.util
import sysconfig
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "_stdlib_statistics", Path(sysconfig.get_path("stdlib")) / "statistics.py"
)
if _spec is None or _spec.loader is None:
    raise ImportError("The standard library's statistics module was not found.")
_standard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_standard)

__all__ = list(_standard.__all__)
globals().update({name: getattr(_standard, name) for name in _standard.__all__})
