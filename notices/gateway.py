"""The gateway to 1177's inbox and to digital post over HTTP (docs/integrations.md).

Modelled on the inbox contracts IsActiveUser and AddMessage, and on Mina meddelanden: look up the
recipient, deliver. Every message bears an idempotency key; sending the same key again gives the
first receipt and no second message.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from notices.signature import HEADER, sign
from organisations.tracing import HEADER as REQUEST_ID
from organisations.tracing import current_request_id


class GatewayError(Exception):
    """The gateway could not be reached or did not take the message; try again later."""


class RecipientNotActive(GatewayError):
    """The patient has no inbox in 1177, or no digital mailbox."""


class MessageRefused(GatewayError):
    """The gateway will never take this message; trying again does not help."""


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


def is_active(identity_number: str) -> bool:
    """Whether the patient has an active inbox in 1177. Raises :class:`GatewayError`."""
    return _lookup("/1177/recipients/lookup", identity_number, "active")


def has_mailbox(identity_number: str) -> bool:
    """Whether the patient has a digital mailbox. Raises :class:`GatewayError`."""
    return _lookup("/digital-post/recipients/lookup", identity_number, "reachable")


def _lookup(path: str, identity_number: str, answer: str) -> bool:
    """The gateway's yes or no; everything else is no answer, and never a no."""
    response = _post(path, {"identity_number": identity_number}, headers={})
    if response.status_code != 200:
        raise GatewayError(f"answered {response.status_code}")
    try:
        found = response.json()[answer]
    except (ValueError, KeyError, TypeError) as error:
        raise GatewayError("the answer could not be read") from error
    if not isinstance(found, bool):
        raise GatewayError("the answer could not be read")
    return found


def send_message(message: InboxMessage, *, key: str) -> str:
    """Hand the message over to 1177 and return the gateway's message id.

    Raises :class:`RecipientNotActive`, :class:`MessageRefused` or :class:`GatewayError`.
    """
    return _send("/1177/messages", message.as_json(), key=key)


def send_digital_letter(letter: DigitalLetter, *, key: str) -> str:
    """Hand the letter over to the digital mailbox; returns and raises as ``send_message``."""
    return _send("/digital-post/messages", letter.as_json(), key=key)


def _send(path: str, content: Mapping[str, Any], *, key: str) -> str:
    response = _post(path, content, headers={"Idempotency-Key": key})
    if response.status_code in {200, 201}:
        try:
            return str(response.json()["message_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("the receipt could not be read") from error
    if response.status_code == 404:
        raise RecipientNotActive("no active recipient")
    if 400 <= response.status_code < 500 and response.status_code not in {401, 408, 429}:
        raise MessageRefused(f"refused with {response.status_code}")
    raise GatewayError(f"answered {response.status_code}")


@cache
def _client(process: int) -> httpx.Client:
    """One client per process, whose connections stay open: making one, with its list of trusted
    certificates, takes longer than the call. A worker that forks gets its own."""
    return httpx.Client()


def _post(path: str, payload: Mapping[str, Any], *, headers: Mapping[str, str]) -> httpx.Response:
    """POST with a short retry for a connection that breaks; long pauses stand in the notice row."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    traced = current_request_id()
    attempts = Retrying(
        stop=stop_after_attempt(2),
        wait=wait_exponential_jitter(multiplier=0.1, max=1),
        retry=retry_if_exception_type(httpx.TransportError),
    )
    try:
        for attempt in attempts:
            with attempt:
                return _client(os.getpid()).post(
                    f"{settings.GATEWAY_URL}{path}",
                    content=body,
                    headers={
                        "Content-Type": "application/json",
                        HEADER: sign(body, secret=settings.GATEWAY_SECRET, at=time.time()),
                        **({REQUEST_ID: traced} if traced else {}),
                        **headers,
                    },
                    timeout=settings.GATEWAY_TIMEOUT_SECONDS,
                    follow_redirects=False,
                )
    except RetryError as error:
        raise GatewayError("the gateway does not answer") from error
    raise GatewayError("the gateway does not answer")
