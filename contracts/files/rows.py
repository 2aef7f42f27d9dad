"""A row of a file that is read: what every import keeps of it, and how a cell is read."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from contracts.files.columns import Column


@dataclass
class FileRow:
    """One row of the file: its cells, what they mean, and what is wrong with them."""

    number: int
    cells: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def text(self, key: str) -> str:
        return self.cells.get(key, "").strip()

    def value_of(
        self,
        key: str,
        read: Callable[[str], Any],
        *,
        columns: Sequence[Column],
        required: Collection[str] = (),
        default: Any = None,
    ) -> Any:
        """What ``read`` makes of the cell; what is wrong with it is kept on the row."""
        text = self.text(key)
        if not text:
            if key in required:
                self.errors.append(f"{heading_of(key, columns)}: {_('saknas.')}")
            return default
        try:
            return read(text)
        except ValueError as error:
            self.errors.append(f"{heading_of(key, columns)}: {error}")
            return default


def heading_of(key: str, columns: Sequence[Column]) -> str:
    return next(column.heading for column in columns if column.key == key)
