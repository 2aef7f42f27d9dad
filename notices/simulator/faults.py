"""How the simulator has been told to misbehave."""

from dataclasses import dataclass, fields


@dataclass
class Faults:
    """Each can be set by ``POST /faults``; counters run down by themselves."""

    delay_seconds: float = 0.0
    fail_next: int = 0
    lose_answer_next: int = 0
    double_callbacks: bool = False
    shuffle_callbacks: bool = False

    def change(self, wanted: dict[str, object]) -> list[str]:
        """Take over known settings of the right kind; returns the names that are not."""
        refused = []
        for name, value in wanted.items():
            known = {field.name: type(field.default) for field in fields(self)}
            kind = known.get(name)
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if kind is None or type(value) is not kind:
                refused.append(name)
            else:
                setattr(self, name, value)
        return refused
