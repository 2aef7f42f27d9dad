"""The ways out: 1177, digital post, e-mail and the print provider, behind one small interface.

Each is guarded by time-outs, a short retry, a circuit breaker (``breaker``) and a limit a minute
(``rates``); long pauses between tries stand in the rows. Formats: docs/integrations.md.
"""

from notices.gateways.breaker import is_resting
from notices.gateways.digital_post import DIGITAL_POST, DigitalLetter
from notices.gateways.inbox import INBOX, InboxMessage
from notices.gateways.interface import (
    Gateway,
    GatewayError,
    Held,
    MessageRefused,
    RecipientNotActive,
)
from notices.gateways.mail import SMTP, Mail
from notices.gateways.rates import is_used_up

__all__ = [
    "DigitalLetter",
    "Gateway",
    "GatewayError",
    "Held",
    "InboxMessage",
    "Mail",
    "MessageRefused",
    "RecipientNotActive",
    "are_active",
    "has_mailbox",
    "have_mailbox",
    "is_active",
    "may_send",
    "send_digital_letter",
    "send_mail",
    "send_message",
]

# What the sweeps call.
is_active, are_active = INBOX.is_active, INBOX.are_active
has_mailbox, have_mailbox = DIGITAL_POST.has_mailbox, DIGITAL_POST.have_mailbox
send_message = INBOX.send
send_digital_letter = DIGITAL_POST.send
send_mail = SMTP.send


def may_send(name: str) -> bool:
    """Whether the gateway takes more at this moment: it does not rest, and has not had its share.

    A courtesy to the sweep, which need not claim what would be held anyway.
    """
    return not is_resting(name) and not is_used_up(name)
