"""Reads of waiting lists that were handed in, as far as the actor may see them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from organisations.access import Actor
from organisations.models import CareUnit, Role
from referral.models import Case, WaitingListFile
from referral.waiting_list_file.columns import HEADINGS


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, at a column."""

    row: int
    key: str
    text: str

    @property
    def heading(self) -> str:
        return HEADINGS.get(self.key, self.key)


@dataclass(frozen=True)
class RowOutcome:
    """What became of a row; its case's number when there is one that the reader may know."""

    row: int
    outcome: str
    case_number: str
    faults: tuple[Fault, ...]

    @property
    def label(self) -> str:
        return str(WaitingListFile.Outcome(self.outcome).label)


def lists_of(actor: Actor) -> QuerySet[WaitingListFile]:
    """The lists the actor may see, newest first, without what became of each row.

    A clinic's own list may hold patients who have blocked it from the region's navigators, so they
    see the lists that a navigator handed in.
    """
    lists = WaitingListFile.objects.select_related("sending_unit__region").defer("report")
    if actor.role == Role.CLINIC and actor.care_unit_id:
        return lists.filter(sending_unit_id=actor.care_unit_id)
    if actor.role in {Role.NAVIGATOR, Role.INTEGRATION} and actor.region:
        own = lists.filter(region_id=actor.region, role=actor.role)
        return own.filter(sending_unit_id=actor.care_unit_id) if actor.care_unit_id else own
    return lists.none()


def units_for(actor: Actor) -> QuerySet[CareUnit]:
    """The units whose list the actor may hand in."""
    units = CareUnit.objects.select_related("region", "medical_area").filter(
        sends=True, is_active=True
    )
    if actor.role == Role.CLINIC or actor.care_unit_id:
        return units.filter(pk=actor.care_unit_id or 0)
    if actor.role in {Role.NAVIGATOR, Role.INTEGRATION}:
        return units.filter(region_id=actor.region or "").order_by("name")
    return units.none()


def outcomes_of(made: WaitingListFile) -> list[RowOutcome]:
    """What became of each row, in the file's order."""
    rows: list[Any] = made.report.get("rows", [])
    return [
        RowOutcome(number, outcome, case, tuple(Fault(number, *fault) for fault in faults))
        for number, outcome, case, faults in rows
    ]


def named_cases(actor: Actor, outcomes: list[RowOutcome]) -> list[tuple[str, int | None]]:
    """Number and patient of the cases that the outcomes name, for the access log."""
    numbers = [one.case_number for one in outcomes if one.case_number]
    return list(
        Case.objects.visible_to(actor).filter(number__in=numbers).values_list("number", "patient")
    )
