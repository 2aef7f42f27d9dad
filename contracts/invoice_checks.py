"""Checks of an invoice line against what higher apps know of the call-off's case.

The ledger knows price, provider and state. When the patient was treated, and under which
certificate, stands with the case: the app above registers a check in ``AppConfig.ready``, as it
does its sweeps, and answers with codes of :class:`Deviation`.
"""

from collections.abc import Callable, Iterable

from contracts.models import CallOff, Deviation, InvoiceLine

Check = Callable[[InvoiceLine, CallOff], Iterable[Deviation]]

_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Have ``check(line, call_off)`` asked for every line that has a call-off."""
    _checks[name] = check


def further_deviations(line: InvoiceLine, call_off: CallOff) -> list[Deviation]:
    return [code for check in _checks.values() for code in check(line, call_off)]
