"""1177's inbox, modelled on the contracts IsActiveUser, AddMessage and GetMessageThreadStatus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from notices.gateways import transport
from notices.gateways.interface import GatewayError

LOOKUP = "/1177/recipients/lookup"


@dataclass(frozen=True)
class InboxMessage:
    """A message in the sending clinic's name to one patient."""

    recipient: str
    sender_hsa_id: str
    sender_name: str
    subject: str
    body: str
    reference: str
    thread: str
    answerable: bool
    language: str = "sv"
    decline_reasons: tuple[tuple[str, str], ...] = ()
    # Of a message that is answered by one of several choices and not by yes or no.
    choices: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "recipient": self.recipient,
            "sender_hsa_id": self.sender_hsa_id,
            "sender_name": self.sender_name,
            "subject": self.subject,
            "body": self.body,
            "language": self.language,
            "reference": self.reference,
            "thread": self.thread,
            "answerable": self.answerable,
            "answer_options": {
                "decline_reasons": [
                    {"code": code, "text": text} for code, text in self.decline_reasons
                ],
                "choices": [{"code": code, "text": text} for code, text in self.choices],
            },
            "callback_url": f"{settings.BASE_URL}/gateway/1177/callback/",
        }


@dataclass(frozen=True)
class ThreadStatus:
    """What the patient has done with a message, as 1177 knows it."""

    is_read: bool
    answer: dict[str, Any] | None


class Inbox:
    """Every message bears an idempotency key; the same key again gives the first receipt."""

    name = "1177"

    def is_active(self, identity_number: str) -> bool:
        """Whether the patient has an active inbox in 1177."""
        return transport.look_up(self.name, LOOKUP, identity_number, "active")

    def are_active(self, identity_numbers: Sequence[str]) -> dict[str, bool]:
        """:meth:`is_active` of many at once, for those that the gateway answers about."""
        return transport.look_up_many(self.name, LOOKUP, identity_numbers, "active")

    def send(self, message: InboxMessage, *, key: str) -> str:
        return transport.hand_over(self.name, "/1177/messages", message.as_json(), key=key)

    def thread_status(self, message_id: str) -> ThreadStatus | None:
        """Whether the message has been read and answered; None when 1177 does not know it."""
        found = transport.ask(self.name, f"/1177/messages/{message_id}")
        if found is None:
            return None
        answer, read_at = found.get("answer"), found.get("read_at")
        if not isinstance(answer, dict | None) or not isinstance(read_at, str | None):
            raise GatewayError("the answer could not be read")
        return ThreadStatus(is_read=bool(read_at) or answer is not None, answer=answer)


INBOX = Inbox()
