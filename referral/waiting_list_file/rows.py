"""From the file to rows: what each says, whether it holds, and whether its case runs already."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from contracts.files.reading import iterate_rows
from organisations.access import Actor
from organisations.errors import InvalidInput
from organisations.models import CareUnit, Municipality
from patients.identity import IdentityNumber
from patients.models import Patient
from patients.selectors import identity_hashes
from referral.models import Case, Phase, WaitingListFile
from referral.services.submitted import runs_elsewhere
from referral.submission import Submission, check
from referral.waiting_list_file.columns import COLUMNS, FIELDS, REQUIRED, UNIT

Outcome = WaitingListFile.Outcome

MAX_ROWS = 50_000
LOOKED_UP = 2_000  # rows at a time


@dataclass(slots=True)
class ListRow:
    """A row of the file; ``faults`` are columns' keys with what is wrong."""

    number: int
    submission: Submission | None = None
    identity: IdentityNumber | None = None
    key: tuple[str, str] = ("", "")  # the patient and the procedure, of a row that holds
    faults: list[tuple[str, str]] = field(default_factory=list)
    outcome: str = Outcome.NEW
    case_number: str = ""

    def refuse(self, key: str, text: str) -> None:
        self.faults.append((key, text[:1].upper() + text[1:]))
        self.outcome = Outcome.FAULT


@override("sv")  # the words of the columns, and a report that others will read
def read_list(content: bytes, *, unit: CareUnit, actor: Actor, today: date) -> list[ListRow]:
    """Every row of the file, checked by itself, against the others and against running cases.

    Raises :class:`InvalidInput` when the file cannot be read at all.
    """
    codes = frozenset(Municipality.objects.values_list("code", flat=True))
    rows = [
        _interpret(ListRow(number), cells, unit, today=today, is_municipality=codes.__contains__)
        for number, cells in iterate_rows(
            content, columns=COLUMNS, required=REQUIRED, max_rows=MAX_ROWS
        )
    ]
    if not rows:
        text = _("Filen har inga rader under rubrikerna.")
        raise InvalidInput(text, fields={"file": text})
    _refuse_twice(rows)
    find_running(rows, unit=unit, actor=actor)
    return rows


def _interpret(
    row: ListRow,
    cells: dict[str, str],
    unit: CareUnit,
    *,
    today: date,
    is_municipality: Callable[[str], bool],
) -> ListRow:
    named = cells.get(UNIT.key, "")
    if named and named.upper() != unit.hsa_id.upper():
        row.refuse(UNIT.key, _("raden gäller en annan enhet."))
    values: dict[str, Any] = {}
    for column, read, required in FIELDS:
        text = cells.get(column.key, "")
        if text:
            try:
                values[column.key] = read(text)
            except ValueError as error:
                row.refuse(column.key, str(error))
        elif required:
            row.refuse(column.key, _("saknas."))
    wrong = {key for key, _text in row.faults}
    submission = Submission(**(_in_their_place(wrong, values, today=today) | values))
    for key, text in check(submission, today=today, is_municipality=is_municipality).items():
        if key not in wrong:
            row.refuse(key, text)
    if not row.faults:
        row.submission = submission
        row.identity = IdentityNumber.parse(submission.identity_number, today=today)
        row.key = (row.identity.value, submission.kva)
    return row


def _in_their_place(wrong: set[str], values: dict[str, Any], *, today: date) -> dict[str, Any]:
    """What stands for required cells that cannot be read, so that the others are checked too."""
    if not wrong:
        return {}
    day = values.get("referral_date") or values.get("decision_date") or today
    days = {"referral_date": day, "decision_date": day}
    sound = {"phase": Phase.TREATMENT, "asa": 1, "transferable": True}
    return dict.fromkeys(REQUIRED, "") | days | sound


def _refuse_twice(rows: Iterable[ListRow]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.faults:
            continue
        first = seen.setdefault(row.key, row.number)
        if first != row.number:
            text = _("Samma patient och åtgärd står redan på rad %(row)s.") % {"row": first}
            row.refuse("kva", text)


def find_running(rows: Sequence[ListRow], *, unit: CareUnit, actor: Actor) -> None:
    """Mark the rows whose case runs: known at the unit itself, refused at another."""
    new = [row for row in rows if row.outcome == Outcome.NEW]
    for start in range(0, len(new), LOOKED_UP):
        _find_running(new[start : start + LOOKED_UP], unit=unit, actor=actor)


def _find_running(rows: Sequence[ListRow], *, unit: CareUnit, actor: Actor) -> None:
    numbers = {
        digest: row.identity.value
        for row in rows
        if row.identity
        for digest in identity_hashes(row.identity)
    }
    patients = {
        key: numbers[digest]
        for key, digest in Patient.objects.filter(identity_hash__in=numbers).values_list(
            "pk", "identity_hash"
        )
    }
    cases = Case.objects.open().filter(patient__in=patients)
    shown = set(cases.visible_to(actor).values_list("number", flat=True))
    running = {
        (patients[patient], kva): (number, sender)
        for patient, kva, number, sender in cases.values_list(
            "patient", "kva", "number", "sending_unit"
        )
    }
    for row in rows:
        number, sender = running.get(row.key, ("", None))
        if sender == unit.pk:
            row.outcome = Outcome.KNOWN
            row.case_number = number if number in shown else ""
        elif sender is not None:
            row.refuse("kva", runs_elsewhere())
