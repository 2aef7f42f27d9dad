"""Writes docs/state-machine.md from the table in referral/machine.py (design 5.2)."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from organisations.access import PATIENT, SYSTEM
from organisations.models import Role
from referral.machine import SUBMIT, TRANSITIONS, Transition
from referral.models import CaseState

PATH = Path(settings.BASE_DIR) / "docs" / "state-machine.md"

HEAD = """\
# The case as a state machine

Written by `manage.py state_machine_doc` from `TRANSITIONS` in `referral/machine.py`; do not edit.
Pages show, and the API names in `actions`, the verbs this table allows. Every transition locks the
case, checks, writes the new state, one row in the case log and its domain event, and one row in
the access log when a person did it, all in one transaction.
"""

# What a verb needs, in English; the table in code has it in Swedish, as pages show it.
NEEDS = {
    "return_to_clinic": "what is missing",
    "resubmit": "a complete form",
    "offer": "a contract line with room under its cap",
    "accept": "the way the answer came",
    "decline": "the way the answer came, and a reason",
    "withdraw_offer": "a reason",
    "reject": "a coded reason and a comment",
    "book": "date and time",
    "treat": "date of treatment",
    "close": "the back-referral",
    "park": "what the case waits for, and the day it is seen again",
    "review": "the day it is seen again, at most 30 days ahead",
    "end": "a coded reason",
    "leave_list": "the way the answer came",
    "note": "a text",
    "pause": "reason and dates",
    "end_pause": "last paused day",
}

# What a verb asks of the case and the actor beside state and role.
CONDITIONS = {
    "assign": "somebody else, or nobody, handles the case",
    "end": "a clinic only before the case is handled (received, returned)",
    "pause": "the clock runs",
    "end_pause": "the clock is paused",
}

OTHERS = {SYSTEM: "Systemet", PATIENT: "Patienten"}


class Command(BaseCommand):
    help = "Write docs/state-machine.md from the table of transitions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail when the page is out of date"
        )

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        text = render()
        current = PATH.read_text() if PATH.exists() else ""
        if text == current:
            self.stdout.write(f"{PATH.name} is up to date ({len(TRANSITIONS)} verbs).")
        elif check:
            raise CommandError(f"{PATH.name} is out of date; run manage.py state_machine_doc.")
        else:
            PATH.write_text(text)
            self.stdout.write(f"{PATH.name} written ({len(TRANSITIONS)} verbs).")


def render() -> str:
    """The whole page as Markdown."""
    with translation.override("sv"):
        return "\n".join(
            [HEAD, *_diagram(), "", "## States", "", *_states(), "", "## Verbs", "", *_verbs(), ""]
        )


def _diagram() -> Iterable[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {CaseState.RECEIVED}: {SUBMIT}"
    for transition in TRANSITIONS.values():
        if transition.target is None:
            continue
        for source in _in_order(transition.sources):
            yield f"    {source} --> {transition.target}: {transition.verb}"
    yield f"    {CaseState.CLOSED} --> [*]"
    yield "```"
    staying = [f"`{t.verb}`" for t in TRANSITIONS.values() if t.target is None]
    yield ""
    yield f"Verbs that leave the state as it is are not drawn: {', '.join(staying)}."


def _states() -> Iterable[str]:
    yield "| state | shown as |"
    yield "|---|---|"
    for state in CaseState:
        yield f"| `{state}` | {state.label} |"


def _verbs() -> Iterable[str]:
    yield "| verb | shown as | from | to | who | needs | only when | event |"
    yield "|---|---|---|---|---|---|---|---|"
    for transition in TRANSITIONS.values():
        yield _verb(transition)


def _verb(transition: Transition) -> str:
    verb = transition.verb
    if transition.sources == frozenset(CaseState):
        sources = "any state"
    elif len(transition.sources) > len(CaseState) / 2:
        left_out = frozenset(CaseState) - transition.sources
        sources = f"any but {_codes(_in_order(left_out))}"
    else:
        sources = _codes(_in_order(transition.sources))
    roles = [f"`{role}` {role.label}" for role in Role if role in transition.roles]
    roles += [f"`{role}` {label}" for role, label in OTHERS.items() if role in transition.roles]
    cells = (
        f"`{verb}`",
        str(transition.label),
        sources,
        f"`{transition.target}`" if transition.target else "stays",
        ", ".join(roles),
        NEEDS.get(verb, ""),
        CONDITIONS.get(verb, ""),
        f"`{transition.event}`" if transition.event else "",
    )
    return f"| {' | '.join(cells)} |"


def _in_order(states: Iterable[CaseState]) -> list[CaseState]:
    chosen = set(states)
    return [state for state in CaseState if state in chosen]


def _codes(states: Iterable[CaseState]) -> str:
    return ", ".join(f"`{state}`" for state in states)
