"""Free places from a file: every row is checked, and all are stored or none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from capacity.models import FreeCapacity
from capacity.slots.selectors import units_of
from capacity.slots.services import change_slot, post_slot
from capacity.slots.weeks import monday_of, sunday_of
from contracts.files.columns import Column
from contracts.files.reading import read_rows
from contracts.files.rows import FileRow
from contracts.files.values import day_of, whole_of
from organisations.access import Actor
from organisations.errors import DomainError
from organisations.models import CareUnit

COLUMNS = (
    Column("care_unit", "hsa-id", gettext_lazy("er enhet som har platserna")),
    Column("kva", "kvå", gettext_lazy("tre tecken eller hela koden")),
    Column("offered", "platser", gettext_lazy("antal, 1–999")),
    Column("first_day", "från vecka", gettext_lazy("till exempel 2026-W50")),
    Column("last_day", "till vecka", gettext_lazy("till exempel 2026-W52")),
    Column("book_by", "boka senast", gettext_lazy("ÅÅÅÅ-MM-DD")),
    Column("asa_ceiling", "asa", gettext_lazy("högsta ASA-klass, 1–4; tomt: 2")),
    Column("age_min", "ålder från", gettext_lazy("år; tomt: ingen gräns")),
    Column("age_max", "ålder till", gettext_lazy("år; tomt: ingen gräns")),
    Column("contact", "kontakt", gettext_lazy("vem vårdlotsen frågar")),
    Column("note", "anmärkning", gettext_lazy("fritt, högst 300 tecken")),
)
REQUIRED = frozenset({"care_unit", "kva", "offered", "first_day", "last_day", "book_by"})
MAX_ROWS = 5000
# What makes places in a file the same as places that are posted.
KEY = ("care_unit", "kva", "first_day", "last_day", "asa_ceiling", "age_min", "age_max")


@dataclass(frozen=True)
class Outcome:
    """What became of the file; with ``faults`` nothing was stored."""

    rows: int
    posted: int = 0
    changed: int = 0
    faults: tuple[FileRow, ...] = ()


class _NotAll(Exception):
    """A row did not hold."""


def import_slots(content: bytes, *, actor: Actor, now: datetime) -> Outcome:
    """Post the file's places; those that are posted already are changed to what the file says.

    Raises :class:`InvalidInput` when the file cannot be read at all.
    """
    rows = [
        FileRow(number, cells)
        for number, cells in read_rows(
            content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS
        )
    ]
    _interpret(rows, units={unit.hsa_id: unit for unit in units_of(actor)})
    counts = {"posted": 0, "changed": 0}
    try:
        with transaction.atomic():
            for row in rows:
                if not row.errors:
                    _store(row, counts, actor=actor, now=now)
            if any(row.errors for row in rows):
                raise _NotAll
    except _NotAll:
        return Outcome(len(rows), faults=tuple(row for row in rows if row.errors))
    return Outcome(len(rows), posted=counts["posted"], changed=counts["changed"])


def _interpret(rows: list[FileRow], *, units: dict[str, CareUnit]) -> None:
    """Turn the cells into values; every fault becomes a text on its row."""
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        for column in COLUMNS:
            text = row.cells.get(column.key, "")
            if not text and column.key in REQUIRED:
                row.errors.append(_("%(key)s saknas.") % {"key": column.heading})
                continue
            try:
                row.values[column.key] = _value(column.key, text, units)
            except ValueError as error:
                row.errors.append(f"{column.heading}: {error}")
        if row.errors:
            continue
        key = tuple(row.values[name] for name in KEY)
        if key in seen:
            row.errors.append(_("Samma platser står redan på rad %(row)s.") % {"row": seen[key]})
        seen.setdefault(key, row.number)


def _value(key: str, text: str, units: dict[str, CareUnit]) -> Any:
    match key:
        case "care_unit":
            if text.upper() not in units:
                raise ValueError(_("ni har ingen enhet med HSA-id %(text)s.") % {"text": text[:40]})
            return units[text.upper()]
        case "kva":
            return text.upper()
        case "first_day":
            return monday_of(text)
        case "last_day":
            return sunday_of(text)
        case "book_by":
            return day_of(text)
        case "asa_ceiling":
            return _small(text) if text else 2
        case "age_min" | "age_max":
            return _small(text) if text else None
        case "offered":
            return _small(text)
        case _:
            return text


def _small(text: str) -> int:
    """A whole number that the database's small column can hold; the rest the service says."""
    value = whole_of(text)
    if value > 999:
        raise ValueError(_("%(text)s är för stort.") % {"text": text[:40]})
    return value


def _store(row: FileRow, counts: dict[str, int], *, actor: Actor, now: datetime) -> None:
    same = FreeCapacity.objects.filter(
        withdrawn_at__isnull=True, **{name: row.values[name] for name in KEY}
    ).select_related("care_unit")
    values = {name: value for name, value in row.values.items() if name != "care_unit"}
    slot = same.first()
    try:
        if slot is None:
            post_slot(values, care_unit=row.values["care_unit"], actor=actor, now=now)
        else:
            change_slot(slot, values, actor=actor, now=now)
    except DomainError as error:
        row.errors.append(str(error.message))
    else:
        counts["posted" if slot is None else "changed"] += 1
