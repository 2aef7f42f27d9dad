"""Digital mailboxes, modelled on Mina meddelanden: look up the recipient, deliver."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from notices.gateways import transport

LOOKUP = "/digital-post/recipients/lookup"


@dataclass(frozen=True)
class DigitalLetter:
    """A letter to a patient's digital mailbox; it cannot be answered there."""

    recipient: str
    sender_hsa_id: str
    sender_name: str
    subject: str
    body: str
    reference: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class DigitalPost:
    name = "digital"

    def has_mailbox(self, identity_number: str) -> bool:
        """Whether the patient has a digital mailbox."""
        return transport.look_up(self.name, LOOKUP, identity_number, "reachable")

    def have_mailbox(self, identity_numbers: Sequence[str]) -> dict[str, bool]:
        """:meth:`has_mailbox` of many at once, for those that the gateway answers about."""
        return transport.look_up_many(self.name, LOOKUP, identity_numbers, "reachable")

    def send(self, message: DigitalLetter, *, key: str) -> str:
        path = "/digital-post/messages"
        return transport.hand_over(self.name, path, message.as_json(), key=key)


DIGITAL_POST = DigitalPost()
