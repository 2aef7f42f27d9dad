"""Waiting lists as files, for tests."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils import timezone

from organisations.access import Actor
from organisations.models import CareUnit
from referral.models import WaitingListFile
from referral.submission import Submission
from referral.waiting_list_file.columns import COLUMNS
from referral.waiting_list_file.services import hand_in
from tests.factories import submission

HEADINGS = [column.heading for column in COLUMNS]


def cells_of(filled: Submission) -> dict[str, str]:
    """The form as a person would write it in a list."""
    cells = {name: _cell(value) for name, value in filled.as_dict().items()}
    return {name: text for name, text in cells.items() if text}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "ja" if value else "nej"
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def csv_list(rows: Iterable[dict[str, str]], *, headings: list[str] | None = None) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(headings or HEADINGS)
    for cells in rows:
        writer.writerow([cells.get(column.key, "") for column in COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def handed_in(unit: CareUnit, actor: Actor, *filled: Submission) -> WaitingListFile:
    """A list that has been checked, of these rows, or of a new patient, and one with a fault."""
    rows = [cells_of(one) for one in filled or [submission()]]
    return hand_in(
        csv_list([*rows, cells_of(submission()) | {"asa": "6"}]),
        name="vantelista.csv",
        sending_unit=unit,
        to_store=False,
        actor=actor,
        now=timezone.now(),
    )
