"""Signed JSON over HTTP to the gateway, by mutual TLS where the settings name a certificate."""

import json
import os
import ssl
import time
from collections.abc import Mapping, Sequence
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

from notices.gateways.breaker import guard
from notices.gateways.interface import GatewayError, MessageRefused, RecipientNotActive
from notices.gateways.rates import take_turn
from notices.signature import HEADER, sign
from organisations.tracing import HEADER as REQUEST_ID
from organisations.tracing import current_request_id

# Answers that speak of the moment and not of the message.
PASSING = frozenset({401, 408, 429})


def look_up(gateway: str, path: str, identity_number: str, answer: str) -> bool:
    """The gateway's yes or no; everything else is no answer, and never a no."""
    with guard(gateway):
        found = _object(_call("POST", path, {"identity_number": identity_number}))
        if not isinstance(found.get(answer), bool):
            raise GatewayError("the answer could not be read")
    return bool(found[answer])


def look_up_many(
    gateway: str, path: str, identity_numbers: Sequence[str], answer: str
) -> dict[str, bool]:
    """The yes or no of each number; a number without one is not there, nor is any when the gateway
    refuses the list: then one of the numbers may be what it does not like."""
    with guard(gateway):
        response = _call("POST", path, {"identity_numbers": list(identity_numbers)})
        if response.status_code in {400, 404, 413, 422}:
            return {}
        try:
            rows = {row["identity_number"]: row[answer] for row in _object(response)["recipients"]}
        except (KeyError, TypeError) as error:
            raise GatewayError("the answer could not be read") from error
    return {
        number: rows[number] for number in identity_numbers if isinstance(rows.get(number), bool)
    }


def hand_over(gateway: str, path: str, content: Mapping[str, Any], *, key: str) -> str:
    """Hand a message over and return the gateway's id for it."""
    take_turn(gateway)
    with guard(gateway):
        response = _call("POST", path, content, {"Idempotency-Key": key})
        if response.status_code in {200, 201}:
            return _receipt(response)
        if response.status_code == 404:
            raise RecipientNotActive("no active recipient")
        if 400 <= response.status_code < 500 and response.status_code not in PASSING:
            raise MessageRefused(f"refused with {response.status_code}")
        raise GatewayError(f"answered {response.status_code}")


def ask(gateway: str, path: str) -> dict[str, Any] | None:
    """What the gateway knows about something; None when it knows nothing of it."""
    with guard(gateway):
        response = _call("GET", path)
        return None if response.status_code in {404, 405} else _object(response)


def _receipt(response: httpx.Response) -> str:
    try:
        receipt = response.json()["message_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise GatewayError("the receipt could not be read") from error
    if not isinstance(receipt, str) or not 0 < len(receipt) <= 80 or not receipt.isprintable():
        raise GatewayError("the receipt could not be read")
    return receipt


def _object(response: httpx.Response) -> dict[str, Any]:
    if response.status_code != 200:
        raise GatewayError(f"answered {response.status_code}")
    try:
        found = response.json()
    except ValueError as error:
        raise GatewayError("the answer could not be read") from error
    if not isinstance(found, dict):
        raise GatewayError("the answer could not be read")
    return found


def _call(
    method: str,
    path: str,
    content: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """One request, and a second for a connection that breaks; long pauses stand in the row."""
    body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
    traced = current_request_id()
    attempts = Retrying(
        stop=stop_after_attempt(2),
        wait=wait_exponential_jitter(multiplier=0.1, max=1),
        retry=retry_if_exception_type(httpx.TransportError),
    )
    client = _client(os.getpid(), settings.GATEWAY_CERT, settings.GATEWAY_KEY, settings.GATEWAY_CA)
    try:
        for attempt in attempts:
            with attempt:
                return client.request(
                    method,
                    f"{settings.GATEWAY_URL}{path}",
                    content=body,
                    headers={
                        "Content-Type": "application/json",
                        HEADER: sign(body, secret=settings.GATEWAY_SECRET, at=time.time()),
                        **({REQUEST_ID: traced} if traced else {}),
                        **(headers or {}),
                    },
                    timeout=settings.GATEWAY_TIMEOUT_SECONDS,
                    follow_redirects=False,
                )
    except RetryError as error:
        raise GatewayError("the gateway does not answer") from error
    except httpx.HTTPError as error:  # an answer that is no HTTP, or cannot be unpacked
        raise GatewayError("the answer could not be read") from error
    raise GatewayError("the gateway does not answer")


@cache
def _client(process: int, cert: str, key: str, ca: str) -> httpx.Client:
    """One client per process for all its threads, whose connections stay open: making one, with
    its list of trusted certificates, takes longer than the call. A worker that forks gets its own.
    """
    trusted = ssl.create_default_context(cafile=ca or None)
    if cert:
        trusted.load_cert_chain(cert, key or None)
    return httpx.Client(verify=trusted)
