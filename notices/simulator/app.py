"""The simulator's HTTP side: the gateway protocol and the pages where one plays the patient."""

import hashlib
import json
import logging
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from notices.simulator.book import Book, now
from notices.simulator.callbacks import CallbackSender
from notices.simulator.faults import Faults
from notices.simulator.signature import HEADER, verify

logger = logging.getLogger("simulator")

REQUIRED = ("recipient", "sender_hsa_id", "sender_name", "subject", "body", "reference", "thread")
MAX_BYTES = 256 * 1024


def create_app(*, data_dir: Path, secret: str) -> Flask:
    """The application; ``app.extensions`` holds its ``book``, ``faults`` and ``sender``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.jinja_env.filters["local"] = _local_time
    book, faults = Book(data_dir / "simulator.sqlite3"), Faults()
    sender = CallbackSender(book, secret, faults)
    app.extensions |= {"book": book, "faults": faults, "sender": sender, "secret": secret}
    _gateway_routes(app, book, faults, secret)
    _pages(app, book, sender)
    _steering(app, book, faults, sender)
    app.register_error_handler(HTTPException, _problem_of)
    return app


def _gateway_routes(app: Flask, book: Book, faults: Faults, secret: str) -> None:
    @app.post("/1177/recipients/lookup")
    def lookup() -> Response:
        number = _signed_json(secret).get("identity_number")
        if not isinstance(number, str):
            return _problem(400, "identity_number is missing")
        return _json({"active": book.is_active(number)})

    @app.post("/1177/messages")
    def messages() -> Response:
        if faults.delay_seconds:
            time.sleep(faults.delay_seconds)
        content = _signed_json(secret)
        key = request.headers.get("Idempotency-Key", "")
        missing = [n for n in REQUIRED if not isinstance(content.get(n), str) or not content[n]]
        if missing or not 0 < len(key) <= 200:
            return _problem(400, f"missing: {', '.join(missing) or 'Idempotency-Key'}")
        if faults.fail_next > 0:
            faults.fail_next -= 1
            return _problem(503, "told to fail")
        if not book.is_active(content["recipient"]):
            return _problem(404, "recipient-not-active")
        body_hash = hashlib.sha256(request.get_data()).hexdigest()
        message, outcome = book.take(key, body_hash, content)
        logger.info("message case %s: %s", content["reference"], outcome)
        if faults.lose_answer_next > 0:
            faults.lose_answer_next -= 1
            return _problem(503, "told to lose the answer")
        if outcome == "other":
            return _problem(409, "the key was used for another message")
        receipt = {
            "message_id": message["message_id"],
            "received_at": message["received_at"],
            "duplicate": outcome == "same",
        }
        return _json(receipt, status=201 if outcome == "new" else 200)

    @app.get("/1177/messages/<message_id>")
    def status(message_id: str) -> Response:
        if not verify(request.headers.get(HEADER, ""), request.get_data(), secret):
            abort(401)
        message = book.message(message_id)
        if message is None:
            return _problem(404, "no such message")
        return _json({key: message[key] for key in ("message_id", "read_at", "answer")})


def _pages(app: Flask, book: Book, sender: CallbackSender) -> None:
    @app.get("/")
    def inbox() -> str:
        reference = request.args.get("reference", "").strip()
        return render_template("inbox.html", messages=book.messages(reference), reference=reference)

    @app.get("/meddelanden/<message_id>")
    def read(message_id: str) -> str:
        message = _found(book.message(message_id))
        if book.mark_read(message_id):
            _call_back(book, sender, message, "message.read")
            message = _found(book.message(message_id))
        return render_template(
            "message.html", message=message, callbacks=book.callbacks_of(message_id), problem=""
        )

    @app.post("/meddelanden/<message_id>")
    def answer(message_id: str) -> BaseResponse | tuple[str, int]:
        message = _found(book.message(message_id))
        given, problem = _form_answer(message)
        if given is not None and not _take_answer(book, sender, message, given):
            problem = "Du har redan svarat. Ring vårdlotsen om du vill ändra dig."
        if problem:
            page = render_template(
                "message.html",
                message=message,
                callbacks=book.callbacks_of(message_id),
                problem=problem,
            )
            return page, 422
        return redirect(url_for("read", message_id=message_id))

    @app.get("/e-post")
    def emails() -> str:
        return render_template("emails.html", emails=book.emails())

    @app.get("/e-post/<int:number>")
    def email(number: int) -> str:
        return render_template("email.html", email=_found(book.email(number)))


def _steering(app: Flask, book: Book, faults: Faults, sender: CallbackSender) -> None:
    """How a program plays the patient and has the simulator misbehave."""

    @app.get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok"})

    @app.get("/book.json")
    def whole_book() -> Response:
        return _json({"messages": book.messages(), "emails": book.emails()})

    @app.post("/faults")
    def set_faults() -> Response:
        refused = faults.change(_object())
        return _problem(400, f"not known: {refused}") if refused else _json(vars(faults))

    @app.post("/recipients.json")
    def recipients() -> Response:
        wanted = _object()
        if not isinstance(wanted.get("identity_number"), str):
            return _problem(400, "identity_number is missing")
        book.set_active(wanted["identity_number"], wanted.get("active") is True)
        return _json({"status": "ok"})

    @app.post("/answer.json")
    def answer_json() -> Response:
        wanted = _object()
        message = book.message(str(wanted.get("message_id")))
        if message is None or not isinstance(wanted.get("accepted"), bool):
            return _problem(400, "message_id and accepted are needed")
        given = {
            "accepted": wanted["accepted"],
            "reason": wanted.get("reason"),
            "comment": str(wanted.get("comment") or ""),
        }
        if not _take_answer(book, sender, message, given):
            return _problem(409, "the message is answered")
        return _json(given)


def _form_answer(message: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The answer on the form, or what is wrong with it."""
    choice, reason = request.form.get("answer"), request.form.get("reason", "")
    comment = request.form.get("comment", "")[:2000]
    if choice == "yes":
        return {"accepted": True, "reason": None, "comment": comment}, ""
    codes = [r["code"] for r in message["content"].get("answer_options", {})["decline_reasons"]]
    if choice != "no" or reason not in codes:
        return None, "Välj varför du tackar nej."
    return {"accepted": False, "reason": reason, "comment": comment}, ""


def _take_answer(
    book: Book, sender: CallbackSender, message: dict[str, Any], given: dict[str, Any]
) -> bool:
    if not message["content"].get("answerable") or not book.answer(message["message_id"], given):
        return False
    _call_back(book, sender, message, "message.answered", given)
    return True


def _call_back(
    book: Book,
    sender: CallbackSender,
    message: dict[str, Any],
    kind: str,
    answer: dict[str, Any] | None = None,
) -> None:
    content = message["content"]
    payload = {
        "delivery_id": str(uuid.uuid4()),
        "type": kind,
        "occurred_at": now(),
        "message_id": message["message_id"],
        "thread": content["thread"],
        "reference": content["reference"],
    }
    if answer is not None:
        payload["answer"] = answer
    if content.get("callback_url"):
        book.queue_callback(message["message_id"], content["callback_url"], payload)
        sender.wake()


def _signed_json(secret: str) -> dict[str, Any]:
    if not verify(request.headers.get(HEADER, ""), request.get_data(), secret):
        abort(401, "the signature does not hold")
    return _object()


def _object() -> dict[str, Any]:
    found = request.get_json(force=True)
    if not isinstance(found, dict):
        abort(400, "an object is needed")
    return found


def _found(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        abort(404)
    return row


def _json(content: Any, *, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, status=status, content_type="application/json")


def _problem(status: int, title: str) -> Response:
    body = json.dumps({"type": "about:blank", "status": status, "title": title})
    return Response(body, status=status, content_type="application/problem+json")


def _problem_of(error: HTTPException) -> Response:
    return _problem(error.code or 500, error.description or error.name)


def _local_time(stamp: str | None) -> str:
    if not stamp:
        return "–"
    return datetime.fromisoformat(stamp).astimezone(UTC).astimezone().strftime("%Y-%m-%d %H.%M")
