"""A file against its model: every row judged as it streams by, nothing of it kept.

What is remembered grows with the number of different values up to a limit, and with the rows by
some forty bytes each for their ids (:mod:`statistics.waiting_times.distinct`). Needs no database.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from statistics.months import Month
from statistics.waiting_times.codes import CODES, Severity, severity_of
from statistics.waiting_times.distinct import FirstSeen
from statistics.waiting_times.domains import Moments, check_of
from statistics.waiting_times.layout import (
    DONE,
    MISSING,
    NOT_APPLICABLE,
    STATUS_WORDS,
    WAITING,
    Model,
    Requirement,
    Variable,
    columns,
    folded,
)
from statistics.waiting_times.reading import Unreadable, rows_of
from statistics.waiting_times.relations import File, Row, relations_of

FAULTS_KEPT = 1_000
NO_LIMIT = sys.maxsize
_ERRORS = frozenset(name for name, code in CODES.items() if code.severity == Severity.ERROR)
_VALUES_KEPT = 20_000  # different values of a column whose judgement is remembered
VALUE, LACKING, NOT_APPLYING = 0, 1, 2

# Without these a row cannot be placed, so the file cannot be read.
KEYS = {
    Model.SPECIALISED: ("rapportmanad", "status", "fas", "vardkontakt_id"),
    Model.PRIMARY: ("rapportmanad", "vardkontakt_id"),
}


class Verdict(TextChoices):
    """What becomes of a file as a delivery: only a refused one does not count."""

    APPROVED = "approved", _("Godkänd")
    INCOMPLETE = "incomplete", _("Godkänd med brister")
    REFUSED = "refused", _("Underkänd")


class Fault(NamedTuple):
    """Row number in the file (the headings are row 1), variable, code; ``first`` of a duplicate.

    Never the value: it may say something of a patient.
    """

    row: int
    variable: str
    code: str
    first: int = 0


Sink = Callable[[Fault], object]


@dataclass
class Result:
    """What is known of a file once it is read."""

    model: str = ""
    month: Month | None = None
    encoding: str = ""
    rows: int = 0
    errors: int = 0
    waiting: int = 0
    done: int = 0
    # (status, variable) → values, missing, not applicable.
    degrees: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)  # (variable, code)
    first_faults: list[Fault] = field(default_factory=list)
    sink: Sink | None = None

    def add(self, row: int, variable: str, code: str, first: int = 0) -> None:
        self.faults[variable, code] += 1
        self.errors += code in _ERRORS
        fault = Fault(row, variable, code, first)
        if len(self.first_faults) < FAULTS_KEPT:
            self.first_faults.append(fault)
        if self.sink:
            self.sink(fault)

    def count(self, severity: Severity) -> int:
        return sum(n for (_name, code), n in self.faults.items() if severity_of(code) == severity)

    @property
    def verdict(self) -> Verdict:
        if self.errors:
            return Verdict.REFUSED
        return Verdict.INCOMPLETE if self.count(Severity.LACK) else Verdict.APPROVED


def validate(
    file: IO[bytes],
    *,
    owner: str = "",
    month: Month | None = None,
    sink: Sink | None = None,
    most_rows: int = NO_LIMIT,
    most_errors: int = NO_LIMIT,
) -> Result:
    """Judge a file. Whatever the bytes are, there is a verdict.

    ``owner`` (county code) and ``month`` are what the rows must be of; without them the first row
    says. ``sink`` gets every fault as it is found; the result keeps the first thousand. Reading
    ends after ``most_rows`` or ``most_errors``, which refuse the file.
    """
    result = Result(month=month, sink=sink)
    number = 1
    try:
        encoding, rows = rows_of(file)
        result.encoding = encoding.name
        headings = next(rows, [])
        reader = _Reader(headings, result, owner)
        try:
            for number, row in enumerate(rows, start=2):
                if row:
                    reader.judge(number, row)
                if result.errors >= most_errors:
                    raise Unreadable("VT112")
                if number > most_rows + 1:  # the headings are row 1
                    raise Unreadable("VT113")
        finally:
            reader.finish()
        if encoding.strays:
            result.add(1, "", "VT110")
    except Unreadable as error:
        result.add(number + 1 if number > 1 else 1, error.variable, error.code)
    return result


class _Cell(NamedTuple):
    """A column as a contact of one status and phase has it."""

    at: int
    name: str
    known: dict[str, tuple[int, str]]
    judge: Callable[[str], tuple[int, str]]
    tally: list[int]


@dataclass
class _Plan:
    """How contacts of one status and phase are judged."""

    status: str
    phase: str
    cells: list[_Cell]
    rows: int = 0


class _Reader:
    """Judges the rows under a file's headings."""

    def __init__(self, headings: list[str], result: Result, owner: str) -> None:
        self.result = result
        self.model = _model_of(headings)
        if not self.model:
            raise Unreadable("VT104")
        result.model = self.model
        self.columns = columns(self.model)
        self.width = len(headings)
        self.moments = Moments()
        self.places = self._place(headings)
        self.seen = FirstSeen()
        self.file = File(owner=owner, month=result.month)
        self.relations = relations_of(self.model, self.moments)
        self.plans: dict[tuple[str, str], _Plan | None] = {}
        self.unjudged: list[tuple[int, str, Callable[[str], str]]] = [
            (self.places[one.name], one.name, check_of(one, self.moments))
            for one in self.columns
            if one.name in KEYS[Model(self.model)]
        ]
        self.month_at = self.places["rapportmanad"]
        self.id_at = self.places["vardkontakt_id"]
        self.key_at = tuple(self.places[name] for name in ("status", "fas") if name in self.places)

    def judge(self, number: int, row: list[str]) -> None:
        """Judge one row and count it."""
        result = self.result
        if len(row) != self.width:
            if not any(map(str.strip, row)):
                return
            if len(row) < self.width or any(map(str.strip, row[self.width :])):
                result.rows += 1
                result.add(number, "", "VT109")
                return
        elif not any(row):
            return
        result.rows += 1
        key = tuple(row[at] for at in self.key_at) or (DONE, "")
        try:
            plan = self.plans[key]  # type: ignore[index]
        except KeyError:
            plan = self._plan_for(key)
        if plan is None:
            self._explain(number, row)
            return
        plan.rows += 1
        add = result.add
        for cell in plan.cells:
            value = row[cell[0]]
            kind, code = cell[2].get(value) or cell[3](value)
            cell[4][kind] += 1
            if code:
                add(number, cell[1], code)
        contact = row[self.id_at].strip()
        first = self.seen.put(contact, number)
        if first and contact not in {MISSING, NOT_APPLICABLE}:
            add(number, "vardkontakt_id", "VT421", first)
        placed = Row(row, self.places, plan.status, plan.phase)
        for variable, code in self.relations(placed, self.file):
            add(number, variable, code)

    def finish(self) -> None:
        """What can be said once all rows are read."""
        result = self.result
        result.month = self.file.month
        if not result.rows:
            result.add(1, "", "VT111")
        plans = {id(plan): plan for plan in self.plans.values() if plan}.values()
        absent = [one for one in self.columns if one.name not in self.places]
        lacking = set()
        for plan in plans:
            if plan.status == DONE:
                result.done += plan.rows
            else:
                result.waiting += plan.rows
            for cell in plan.cells:
                tally = result.degrees.setdefault((plan.status, cell.name), [0, 0, 0])
                tally[:] = map(sum, zip(tally, cell.tally, strict=True))
            for one in absent:
                asked = one.requirement(plan.status, plan.phase)
                tally = result.degrees.setdefault((plan.status, one.name), [0, 0, 0])
                excluded = asked == Requirement.EXCLUDED
                tally[NOT_APPLYING if excluded else LACKING] += plan.rows
                if asked == Requirement.MANDATORY or _is_certain(one, plan.phase):
                    lacking.add(one.name)
        for one in absent:
            if one.name in lacking:
                result.add(1, one.name, "VT106")

    def _place(self, headings: list[str]) -> dict[str, int]:
        named = {one.name: one.name for one in self.columns}
        named |= {one.label.casefold(): one.name for one in self.columns}
        places: dict[str, int] = {}
        for index, heading in enumerate(headings):
            name = named.get(folded(heading))
            if name is None:
                if heading.strip():
                    self.result.add(1, "", "VT108")
            elif name in places:
                self.result.add(1, name, "VT107")
            else:
                places[name] = index
        missing = [name for name in KEYS[Model(self.model)] if name not in places]
        for name in missing[1:]:
            self.result.add(1, name, "VT105")
        if missing:
            raise Unreadable("VT105", missing[0])
        return places

    def _plan_for(self, key: tuple[str, ...]) -> _Plan | None:
        """The plan of a row's status and phase as spelled; ``None`` when they are wrong."""
        status = STATUS_WORDS.get(key[0].strip().casefold(), "")
        phase = key[1].strip()
        phases = {"1", "2", "3", "4", "5"} if self.key_at else {""}
        spelled = (status, phase)
        plan = None
        if status and phase in phases:
            plan = self.plans.get(spelled) or _Plan(status, phase, self._cells(status, phase))
            self.plans[spelled] = plan
        if len(self.plans) < _VALUES_KEPT:
            self.plans[key[0], key[1]] = plan
        return plan

    def _cells(self, status: str, phase: str) -> list[_Cell]:
        cells = []
        for one in self.columns:
            if one.name in self.places:
                known: dict[str, tuple[int, str]] = {}
                judge = _judge(one, one.requirement(status, phase), phase, self.moments, known)
                cells.append(_Cell(self.places[one.name], one.name, known, judge, [0, 0, 0]))
        return cells

    def _explain(self, number: int, row: list[str]) -> None:
        """Why the row cannot be placed."""
        for index, name, check in self.unjudged:
            value = row[index].strip()
            if name == "status":
                value = STATUS_WORDS.get(value.casefold(), value)
            # Without its key a row is no contact: more than a lack.
            code = "VT301" if value in {MISSING, NOT_APPLICABLE} else check(value)
            if code:
                self.result.add(number, name, code)


def _judge(
    variable: Variable,
    asked: Requirement,
    phase: str,
    moments: Moments,
    known: dict[str, tuple[int, str]],
) -> Callable[[str], tuple[int, str]]:
    """A cell's kind and what is wrong with it; remembered while there is room."""
    check = check_of(variable, moments)
    is_status = variable.name == "status"
    certain = _is_certain(variable, phase)

    def look(value: str) -> tuple[int, str]:
        value = value.strip()
        if asked == Requirement.EXCLUDED:
            if value == NOT_APPLICABLE:
                return NOT_APPLYING, ""
            return NOT_APPLYING, "VT204" if value == MISSING else "VT203"
        if value == MISSING:
            if certain:
                return LACKING, "VT205"
            return LACKING, "VT201" if asked == Requirement.MANDATORY else ""
        if value == NOT_APPLICABLE:
            always = asked == Requirement.MANDATORY or certain
            return NOT_APPLYING, "VT202" if always else ""
        return VALUE, "" if is_status else check(value)

    def judge(value: str) -> tuple[int, str]:
        found = look(value)
        if len(known) < _VALUES_KEPT:
            known[value] = found
        return found

    # An id comes once: there is nothing to remember.
    return look if variable.domain == "contact_id" else judge


def _is_certain(variable: Variable, phase: str) -> bool:
    """Whether the phase alone makes a conditional variable mandatory."""
    return variable.rule == "follow_up" and phase == "4"


def _model_of(headings: list[str]) -> str:
    """The model whose columns the headings are, by what tells the two apart."""
    told = {folded(heading) for heading in headings}
    scores = {
        model: sum(one.name in told or one.label.casefold() in told for one in columns(model))
        for model in Model.values
    }
    best = max(scores, key=lambda model: scores[model])
    return best if scores[best] >= 2 else ""


def faults_in_words(result: Result) -> Iterator[tuple[str, str, int]]:
    """Variable, code and how often, the gravest first."""
    order = list(Severity)
    ranked: Any = sorted(
        result.faults.items(), key=lambda item: (order.index(severity_of(item[0][1])), item[0][1])
    )
    for (variable, code), number in ranked:
        yield variable, code, number


__all__ = ["WAITING", "Fault", "Result", "Verdict", "faults_in_words", "validate"]
