"""How the simulator has been told to misbehave."""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

MAX_DELAY_SECONDS = 600.0


@dataclass
class Faults:
    """Each can be set by ``POST /faults``; counters run down by themselves."""

    delay_seconds: float = 0.0
    fail_next: int = 0
    fail_lookups: int = 0
    lose_answer_next: int = 0
    double_callbacks: bool = False
    shuffle_callbacks: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def change(self, wanted: dict[str, object]) -> list[str]:
        """Take over the settings, or none of them; returns the names that are wrong."""
        known = {field.name: type(field.default) for field in fields(self)}
        refused = [name for name, value in wanted.items() if not _fits(value, known.get(name))]
        if not refused:
            with self._lock:
                for name, value in wanted.items():
                    setattr(self, name, value)
        return refused

    def spend(self, name: Literal["fail_next", "fail_lookups", "lose_answer_next"]) -> bool:
        """Whether this request is one of those told of; counts down exactly, threads or not."""
        with self._lock:
            left: int = getattr(self, name)
            if left > 0:
                setattr(self, name, left - 1)
            return left > 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _fits(value: object, kind: type | None) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return 0 <= value <= MAX_DELAY_SECONDS
    return kind is int and isinstance(value, int) and not isinstance(value, bool) and value >= 0
