"""How the values of a row agree with each other and with the file.

Values that are wrong by themselves, missing or not applicable are passed over here; what is wrong
with them is said where they stand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from statistics.months import Month
from statistics.waiting_times.domains import (
    KKA,
    Moments,
    child_psychiatry,
    counties,
    day_number,
    later,
    split,
)
from statistics.waiting_times.layout import DONE, MISSING, NOT_APPLICABLE, WAITING, Model

CHILDREN_UNDER = 18


@dataclass
class File:
    """What all rows of a file have in common; the first row says what was not given."""

    owner: str = ""
    month: Month | None = None
    first: int = 0
    end: int = 0

    def of_month(self, text: str) -> bool:
        """Whether the text is the file's month; the first readable one becomes it."""
        found = Month.parse(text)
        if found is None:
            return True
        if self.month is None:
            self.month = found
        if not self.first:
            self.first = day_number(self.month.first_day)
            self.end = day_number(self.month.back(-1).first_day)
        return found == self.month


class Row(NamedTuple):
    """A row and where its variables stand."""

    cells: list[str]
    places: dict[str, int]
    status: str
    phase: str

    def value(self, name: str) -> str:
        """The value; empty when it is missing, not applicable or has no column."""
        at = self.places.get(name)
        value = MISSING if at is None else self.cells[at].strip()
        return MISSING if value == NOT_APPLICABLE else value


Found = Iterator[tuple[str, str]]
Relations = Callable[[Row, File], Found]


def relations_of(model: str, moments: Moments) -> Relations:
    """The rules of a model, as a function of a row."""
    rules = _Rules(moments)
    return rules.specialised if model == Model.SPECIALISED else rules.primary


class _Rules:
    def __init__(self, moments: Moments) -> None:
        self.moment = moments.of
        self.months: dict[str, bool] = {}

    def specialised(self, row: Row, file: File) -> Found:
        value, phase = row.value, row.phase
        if not self._in_month(value("rapportmanad"), file):
            yield "rapportmanad", "VT423"
        yield from self._owner(value("huvudman"), file)
        decided = self.moment(value("beslut"))
        if row.status == DONE:
            yield from self._done(decided, self.moment(value("start")), "start", file)
        elif decided and file.end and decided >= file.end:
            yield "beslut", "VT403"
        yield from self._common(row, decided)
        covered = value("vardgaranti")
        if covered == "1" and phase in "345":
            yield "vardgaranti", "VT408"
        elif covered == "2" and phase in "12":
            yield "vardgaranti", "VT409"
        if phase in "23":
            activity = value("aktivitet")
            if activity and not KKA.fullmatch(activity) and value("mvo") not in child_psychiatry():
                yield "aktivitet", "VT413"
        elif phase == "5":
            yield from self._emergency(row)
        kinds, diagnoses = value("diagnostyp"), value("diagnos")
        if kinds and diagnoses and row.status == DONE:
            listed = split(kinds)
            if len(listed) != len(split(diagnoses)):
                yield "diagnostyp", "VT411"
            if listed.count("H") > 1:
                yield "diagnostyp", "VT412"

    def primary(self, row: Row, file: File) -> Found:
        value = row.value
        if not self._in_month(value("rapportmanad"), file):
            yield "rapportmanad", "VT423"
        decided, done = self.moment(value("beslut")), self.moment(value("genomford"))
        yield from self._done(decided, done, "genomford", file)
        yield from self._common(row, decided)
        born = value("fodelsear")
        # Whoever turns 18 in the year may still be 17 on the day.
        is_grown = done and _is_year(born) and _year_of(done) - int(born) > CHILDREN_UNDER
        if is_grown and value("forsta_linje") == "1":
            yield "forsta_linje", "VT415"

    def _in_month(self, text: str, file: File) -> bool:
        """As :meth:`File.of_month`, remembered for the few spellings of a file."""
        known = self.months.get(text)
        if known is None:
            known = file.of_month(text)
            if len(self.months) < 1_000:
                self.months[text] = known
        return known

    def _owner(self, owner: str, file: File) -> Found:
        if owner and owner in counties():
            file.owner = file.owner or owner
            if owner != file.owner:
                yield "huvudman", "VT422"

    def _done(self, decided: int, done: int, name: str, file: File) -> Found:
        if not done:
            return
        if file.first and not file.first <= done < file.end:
            yield name, "VT402"
        if decided and later(decided, done):
            yield name, "VT401"

    def _common(self, row: Row, decided: int) -> Found:
        value = row.value
        if decided:
            target = self.moment(value("medicinskt_maldatum"))
            if target and later(decided, target):
                yield "medicinskt_maldatum", "VT404"
            born = value("fodelsear")
            if _is_year(born) and int(born) > _year_of(decided):
                yield "fodelsear", "VT407"
        if value("remittenttyp") == "2" and value("remittent"):
            yield "remittent", "VT414"

    def _emergency(self, row: Row) -> Found:
        value = row.value
        if row.status == WAITING:
            if value("bokningssatt") == "4":
                yield "bokningssatt", "VT410"
            return
        names = ("akut_start", "akut_bedomning", "akut_avslut")
        if value("akutverksamhet") == "1":
            for name in names:
                if name in row.places and not value(name):
                    yield name, "VT205"
        came, seen, left = (self.moment(value(name)) for name in names)
        started = self.moment(value("start"))
        if came and started and came != started:
            yield "akut_start", "VT406"
        if (came and seen and later(came, seen)) or (seen and left and later(seen, left)):
            yield "akut_bedomning", "VT405"
        elif came and left and later(came, left):
            yield "akut_avslut", "VT405"


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isdecimal()


def _year_of(moment: int) -> int:
    return date.fromordinal(moment >> 11).year
