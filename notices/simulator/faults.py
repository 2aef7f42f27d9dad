"""How the simulator has been told to misbehave."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

MAX_DELAY_SECONDS = 600.0
MAX_COUNT = 1_000_000

Counter = Literal[
    "fail_next",
    "fail_lookups",
    "lose_answer_next",
    "garbage_next",
    "reset_next",
    "lose_callbacks",
    "reject_letters",
    "return_letters",
    "lose_acknowledgements",
]

# In the order of the page where a person sets them.
WORDS = {
    "delay_seconds": "Svara efter så många sekunder",
    "jitter_seconds": "Och upp till så många sekunder till, olika från gång till gång",
    "fail_next": "Ta inte emot de så många nästa meddelandena (503)",
    "fail_lookups": "Svara inte på de så många nästa frågorna om inkorg (503)",
    "lose_answer_next": "Ta emot, men svara inte att det är mottaget, så många gånger",
    "garbage_next": "Svara något som inte går att läsa, så många gånger",
    "reset_next": "Bryt förbindelsen mitt i svaret, så många gånger",
    "double_callbacks": "Lämna varje återkoppling två gånger",
    "shuffle_callbacks": "Lämna återkopplingar i fel ordning",
    "late_callbacks_seconds": "Lämna återkopplingar så många sekunder senare",
    "lose_callbacks": "Tappa bort de så många nästa återkopplingarna",
    "reject_letters": "Tryckeriet avvisar de så många nästa breven",
    "return_letters": "De så många nästa breven kommer i retur",
    "lose_acknowledgements": "Tryckeriet glömmer kvittera de så många nästa leveranserna",
}


@dataclass
class Faults:
    """Each can be set by ``POST /faults``; counters run down by themselves."""

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    fail_next: int = 0
    fail_lookups: int = 0
    lose_answer_next: int = 0
    garbage_next: int = 0
    reset_next: int = 0
    double_callbacks: bool = False
    shuffle_callbacks: bool = False
    late_callbacks_seconds: float = 0.0
    lose_callbacks: int = 0
    reject_letters: int = 0
    return_letters: int = 0
    lose_acknowledgements: int = 0

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

    def spend(self, name: Counter) -> bool:
        """Whether this request is one of those told of; counts down exactly, threads or not."""
        with self._lock:
            left: int = getattr(self, name)
            if left > 0:
                setattr(self, name, left - 1)
            return left > 0

    def from_form(self, form: Mapping[str, str]) -> list[str]:
        """Take over what a person has filled in; returns the names that are wrong."""
        wanted: dict[str, object] = {}
        for field in fields(self):
            text = form.get(field.name, "").strip().replace(",", ".")
            if isinstance(field.default, bool):
                wanted[field.name] = bool(text)
            else:
                wanted[field.name] = _number(text or "0", type(field.default))
        return self.change(wanted)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _number(text: str, kind: type) -> object:
    """The number that the text is, else the text."""
    try:
        return kind(text)
    except ValueError:
        return text


def _fits(value: object, kind: type | None) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return 0 <= value <= MAX_DELAY_SECONDS
    if kind is not int or isinstance(value, bool) or not isinstance(value, int):
        return False
    return 0 <= value <= MAX_COUNT
