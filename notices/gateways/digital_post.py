"""Digital mailboxes, modelled on Mina meddelanden: look up the recipient, deliver."""

from dataclasses import asdict, dataclass
from typing import Any

from notices.gateways import transport


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
        path = "/digital-post/recipients/lookup"
        return transport.look_up(self.name, path, identity_number, "reachable")

    def send(self, message: DigitalLetter, *, key: str) -> str:
        path = "/digital-post/messages"
        return transport.hand_over(self.name, path, message.as_json(), key=key)


DIGITAL_POST = DigitalPost()
