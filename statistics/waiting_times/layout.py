"""The layout of the monthly files, read from the tables in ``reference/``: a row, a variable."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

FOLDER = Path(__file__).parent / "reference"

# One marker each, on the way in and out: a value that is not known, and one that cannot apply.
MISSING = ""
NOT_APPLICABLE = "EA"

WAITING, DONE = "V", "G"
STATUS_WORDS = {"v": WAITING, "väntande": WAITING, "g": DONE, "genomförd": DONE}
ALL_PHASES = frozenset("12345")


class Model(TextChoices):
    """Which of the two national models a file follows."""

    SPECIALISED = "specialised", _("Specialiserad vård")
    PRIMARY = "primary", _("Primärvård")


class Requirement(StrEnum):
    """What the model asks of a variable; the words stand in the tables."""

    MANDATORY = "mandatory"
    CONDITIONAL = "conditional"
    IF_REGISTERED = "if_registered"
    VOLUNTARY = "voluntary"
    EXCLUDED = "excluded"
    SEPARATE = "separate"


REQUIREMENT_LABELS = {
    Requirement.MANDATORY: _("obligatorisk"),
    Requirement.CONDITIONAL: _("obligatorisk med villkor"),
    Requirement.IF_REGISTERED: _("obligatorisk om den finns registrerad"),
    Requirement.VOLUNTARY: _("frivillig"),
    Requirement.EXCLUDED: _("ingår ej"),
    Requirement.SEPARATE: _("hämtas separat"),
}


@dataclass(frozen=True)
class Variable:
    """One variable of a model, with what is asked of it."""

    name: str
    label: str
    part: str
    done: Requirement
    waiting: Requirement
    phases: frozenset[str]
    domain: str
    values: dict[str, str]
    rule: str
    condition: str

    def requirement(self, status: str, phase: str) -> Requirement:
        """What is asked for a contact of this status and phase; no phase in primary care."""
        if phase and phase not in self.phases:
            return Requirement.EXCLUDED
        return self.done if status == DONE else self.waiting

    @property
    def is_column(self) -> bool:
        """Whether the file has a column for it."""
        return Requirement.SEPARATE not in {self.done, self.waiting}

    @property
    def requirement_labels(self) -> tuple[str, str]:
        """For done and waiting contacts, in words."""
        done, waiting = REQUIREMENT_LABELS[self.done], REQUIREMENT_LABELS[self.waiting]
        return str(done), str(waiting)

    @property
    def phases_label(self) -> str:
        """The phases as the appendix writes them; empty in primary care."""
        phases = sorted(self.phases)
        return "–".join(dict.fromkeys((phases[0], phases[-1]))) if phases else ""


@cache
def variables(model: str) -> tuple[Variable, ...]:
    """All variables of the model, in the order of the columns."""
    with (FOLDER / f"{Model(model).value}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_variable(row) for row in csv.DictReader(file))


@cache
def columns(model: str) -> tuple[Variable, ...]:
    """The variables that the file has a column for."""
    return tuple(one for one in variables(model) if one.is_column)


@cache
def by_name(model: str) -> dict[str, Variable]:
    return {one.name: one for one in variables(model)}


def folded(heading: str) -> str:
    """A heading without regard to capitals and spaces."""
    return " ".join(heading.split()).casefold()


def place_of(name: str, headings: list[str]) -> int:
    """Which column is the variable, by its name or label in either model; -1 without one."""
    names = {name} | {by_name(m)[name].label.casefold() for m in Model.values if name in by_name(m)}
    return next((at for at, heading in enumerate(headings) if folded(heading) in names), -1)


def label_of(model: str, name: str) -> str:
    """The variable's name for people; what is no variable keeps its name."""
    one = by_name(model).get(name)
    return one.label if one else name


def _variable(row: dict[str, str]) -> Variable:
    first, _hyphen, last = row["phases"].partition("-")
    return Variable(
        name=row["name"],
        label=row["label"],
        part=row["part"],
        done=Requirement(row["done"]),
        waiting=Requirement(row["waiting"]),
        phases=frozenset(p for p in ALL_PHASES if first and first <= p <= (last or first)),
        domain=row["domain"],
        values=dict(pair.split("=", 1) for pair in row["values"].split("|") if pair),
        rule=row["rule"],
        condition=row["condition"],
    )
