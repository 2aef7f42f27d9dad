"""By which channel a notice reaches the patient: 1177, else digital post, else a letter."""

from dataclasses import dataclass

from notices.gateway import has_mailbox, is_active
from notices.models import Notice
from patients.models import Patient

Channel, Why = Notice.Channel, Notice.Why


@dataclass(frozen=True)
class Choice:
    """A channel, and why it was that one."""

    channel: Notice.Channel
    why: Notice.Why


def choose_channel(patient: Patient) -> Choice:
    """Ask the gateway where the patient can be reached now.

    A protected identity is asked about nowhere: only the tax agency's forwarding reaches it.
    Raises :class:`notices.gateway.GatewayError` when the gateway does not answer, which says
    nothing about the patient.
    """
    if patient.is_protected:
        return Choice(Channel.LETTER, Why.PROTECTED)
    if is_active(patient.identity_number):
        return Choice(Channel.INBOX, Why.INBOX)
    if has_mailbox(patient.identity_number):
        return Choice(Channel.DIGITAL, Why.MAILBOX)
    return Choice(Channel.LETTER, Why.NEITHER)
