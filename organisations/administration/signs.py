"""What higher apps tell the operator of their connections; they register, this asks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Sign:
    """One line on the operator's page: kinds, counts and times, nothing of a patient."""

    label: str
    text: str
    is_well: bool
    link: str = ""


Source = Callable[[datetime], Iterable[Sign]]
_sources: dict[str, Source] = {}


def register_signs(name: str, source: Source) -> None:
    """Show what the source tells; registering a name twice replaces it."""
    _sources[name] = source


def signs(now: datetime) -> list[Sign]:
    return [sign for source in _sources.values() for sign in source(now)]
