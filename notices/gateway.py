"""Another name of :mod:`notices.gateways`."""

from notices.gateways import (
    DigitalLetter,
    GatewayError,
    Held,
    InboxMessage,
    MessageRefused,
    RecipientNotActive,
    has_mailbox,
    is_active,
    may_send,
    send_digital_letter,
    send_message,
)

__all__ = [
    "DigitalLetter",
    "GatewayError",
    "Held",
    "InboxMessage",
    "MessageRefused",
    "RecipientNotActive",
    "has_mailbox",
    "is_active",
    "may_send",
    "send_digital_letter",
    "send_message",
]
