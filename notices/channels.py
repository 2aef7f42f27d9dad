"""By which channel a notice reaches the patient: 1177, else digital post, else a letter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notices.at_once import at_once
from notices.gateways import (
    GatewayError,
    are_active,
    has_mailbox,
    have_mailbox,
    is_active,
)
from notices.models import Notice
from patients.models import Patient

Channel, Why = Notice.Channel, Notice.Why
Answer = bool | Exception


@dataclass(frozen=True)
class Choice:
    """A channel, and why it was that one."""

    channel: Notice.Channel
    why: Notice.Why


def choose_channels(patients: Sequence[Patient], *, until: float) -> list[Choice | Exception]:
    """Ask the gateway where each patient can be reached now, all at once.

    A protected identity is asked about nowhere: only the tax agency's forwarding reaches it.
    In place of a choice stands what was raised where the gateway does not answer about a patient,
    which says nothing about the patient. Nothing is asked after ``until`` (notices.at_once).
    """
    numbers = {patient.identity_number for patient in patients if not patient.is_protected}
    in_1177 = _ask(sorted(numbers), are_active, is_active, until=until)
    others = sorted(number for number in numbers if in_1177[number] is False)
    mailbox = _ask(others, have_mailbox, has_mailbox, until=until)
    return [_choice(patient, in_1177, mailbox) for patient in patients]


def _choice(
    patient: Patient, in_1177: dict[str, Answer], mailbox: dict[str, Answer]
) -> Choice | Exception:
    if patient.is_protected:
        return Choice(Channel.LETTER, Why.PROTECTED)
    for found, channel, why in (
        (in_1177[patient.identity_number], Channel.INBOX, Why.INBOX),
        (mailbox.get(patient.identity_number, False), Channel.DIGITAL, Why.MAILBOX),
    ):
        if isinstance(found, Exception):
            return found
        if found:
            return Choice(channel, why)
    return Choice(Channel.LETTER, Why.NEITHER)


def _ask(
    numbers: list[str],
    many: Callable[[Sequence[str]], dict[str, bool]],
    one: Callable[[str], bool],
    *,
    until: float,
) -> dict[str, Answer]:
    """The answer about each number. Those that the list brought none for are asked about by
    themselves, so that one that the gateway does not like holds up nobody else."""
    if not numbers:
        return {}
    try:
        found: dict[str, Answer] = dict(many(numbers))
    except GatewayError as error:
        return dict.fromkeys(numbers, error)
    left = [number for number in numbers if number not in found]
    return found | dict(zip(left, at_once(one, left, until=until), strict=True))
