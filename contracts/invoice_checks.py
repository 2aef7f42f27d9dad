"""Checks of an invoice line against what higher apps know of the call-off's case.

The ledger knows price, provider and state. When the patient was treated, and under which
certificate, stands with the case: the app above registers a check in ``AppConfig.ready``, as it
does its sweeps, and answers with codes of :class:`Deviation`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from contracts.models import CallOff, Deviation, InvoiceLine

Check = Callable[[InvoiceLine, CallOff], Iterable[Deviation]]

_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Have ``check(line, call_off)`` asked for every line that has a call-off."""
    _checks[name] = check


def further_deviations(line: InvoiceLine, call_off: CallOff) -> list[Deviation]:
    return [code for check in _checks.values() for code in check(line, call_off)]


@dataclass(frozen=True)
class Facts:
    """What was reported for a call-off, to be read beside an invoice line."""

    treated_on: date | None = None
    certificate_number: str = ""


FactFinder = Callable[[CallOff], Facts | None]
_fact_finders: list[FactFinder] = []


def register_facts(find: FactFinder) -> None:
    """Have ``find(call_off)`` tell what the app above knows of it."""
    if find not in _fact_finders:
        _fact_finders.append(find)


def facts_of(call_off: CallOff) -> Facts:
    found = (find(call_off) for find in _fact_finders)
    return next((facts for facts in found if facts), Facts())


# The patient of each case number, for the access log; the app that knows patients gives it.
PatientFinder = Callable[[Collection[str]], Mapping[str, int]]
_finders: list[PatientFinder] = []


def register_patients(find: PatientFinder) -> None:
    """Have ``find(case_numbers)`` tell whose data is shown with an invoice line."""
    if find not in _finders:
        _finders.append(find)


def shown_cases(numbers: Collection[str]) -> list[tuple[str, int | None]]:
    """Case number and patient, as the access log wants them."""
    wanted = {number for number in numbers if number}
    found: dict[str, int] = {}
    for find in _finders:
        found |= find(wanted)
    return [(number, found.get(number)) for number in sorted(wanted)]
