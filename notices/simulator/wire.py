"""What goes over the wire: signed JSON in, JSON and problem details (RFC 9457) out."""

import json
from typing import Any

import httpx
from flask import Response, abort, request

from notices.simulator.choices import choices_of, coded
from notices.simulator.signature import HEADER, verify

REQUIRED = ("recipient", "sender_hsa_id", "sender_name", "subject", "body", "reference", "thread")


def json_answer(content: Any, *, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, status=status, content_type="application/json")


def problem(status: int, title: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "title": title})
    return Response(body, status=status, content_type="application/problem+json")


def check_signature(secret: str) -> None:
    """Answer 401 unless the request's signature holds."""
    if not verify(request.headers.get(HEADER, ""), request.get_data(), secret):
        abort(401, "the signature does not hold")


def signed_object(secret: str) -> dict[str, Any]:
    check_signature(secret)
    return object_sent()


def object_sent() -> dict[str, Any]:
    """The request's JSON object; 400 for anything that is none or could not be written again."""
    try:
        found = json.loads(request.get_data())
        # Half a surrogate pair, NaN and what is nested too deep can be read but not told on.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        abort(400, "the body is not JSON")
    if not isinstance(found, dict):
        abort(400, "an object is needed")
    return found


def message_of(sent: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The message's known fields, and the names of those that are missing or malformed."""
    wrong = [name for name in REQUIRED if not isinstance(sent.get(name), str) or not sent[name]]
    language, answerable = sent.get("language", "sv"), sent.get("answerable", False)
    url = sent.get("callback_url") or ""
    reasons = _decline_reasons(sent.get("answer_options"))
    choices = choices_of(sent.get("answer_options"))
    if not isinstance(language, str):
        wrong.append("language")
    if not isinstance(answerable, bool):
        wrong.append("answerable")
    if not _is_address(url):
        wrong.append("callback_url")
    if reasons is None or choices is None:
        wrong.append("answer_options")
    return {
        **{name: sent.get(name) for name in REQUIRED},
        "language": language,
        "answerable": answerable,
        "answer_options": {"decline_reasons": reasons, "choices": choices},
        "callback_url": url,
    }, wrong


def digital_letter_of(sent: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A letter to a digital mailbox in the form of a message nobody can answer."""
    return message_of({name: sent.get(name) for name in REQUIRED} | {"thread": "-"})


def answer_of(
    message: dict[str, Any], *, accepted: object, reason: object, comment: object
) -> dict[str, Any] | None:
    """The patient's answer, or None when it is none that the message allows."""
    codes = [known["code"] for known in message["content"]["answer_options"]["decline_reasons"]]
    if message["content"]["answer_options"].get("choices"):
        return None
    if not isinstance(accepted, bool) or not isinstance(comment, str):
        return None
    if not accepted and reason not in codes:
        return None
    return {"accepted": accepted, "reason": None if accepted else reason, "comment": comment[:2000]}


def _decline_reasons(options: object) -> list[dict[str, str]] | None:
    return coded(options.get("decline_reasons", []) if isinstance(options, dict) else options or [])


def _is_address(url: object) -> bool:
    """Whether callbacks can go there; no address at all means that none are wanted."""
    if url == "":
        return True
    if not isinstance(url, str):
        return False
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    port_exists = address.port is None or 0 < address.port < 65536
    return address.scheme in {"http", "https"} and bool(address.host) and port_exists
