"""A row of a file that is read: what every import keeps of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FileRow:
    """One row of the file: its cells, what they mean, and what is wrong with them."""

    number: int
    cells: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
