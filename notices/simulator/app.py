"""The simulator's HTTP side: the gateway protocol and the pages where one plays the patient."""

import hashlib
import logging
import random
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from notices.simulator.book import Book, Callback, now
from notices.simulator.callbacks import CallbackSender
from notices.simulator.choices import choice_of
from notices.simulator.faults import WORDS, Faults
from notices.simulator.identity import add_identity
from notices.simulator.misbehaving import misbehave
from notices.simulator.printing import PrintShop, print_pages
from notices.simulator.wire import (
    answer_of,
    check_signature,
    digital_letter_of,
    json_answer,
    message_of,
    object_sent,
    problem,
    signed_object,
)

logger = logging.getLogger("simulator")

MAX_BYTES = 256 * 1024
SHOWN = 200
MOST_LOOKED_UP = 500
SHUFFLE_SECONDS = 1.5
SWEDEN = ZoneInfo("Europe/Stockholm")
NOT_AN_ANSWER = "accepted, with a no one of the message's reasons, or one of its choices is needed"
HUMAN_PAGES = ("/meddelanden/", "/e-post", "/fel", "/tryckeri")


def create_app(*, data_dir: Path, secret: str, drop: Path | None = None) -> Flask:
    """The application; ``app.extensions`` holds its ``book``, ``faults``, ``sender`` and
    ``print_shop``, which watches the folder ``drop``."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.jinja_env.filters["local"] = _local_time
    book, faults = Book(data_dir / "simulator.sqlite3"), Faults()
    sender = CallbackSender(book, secret, faults)
    app.extensions |= {"book": book, "faults": faults, "sender": sender, "secret": secret}
    patient = Patient(book, sender, faults)
    _gateway_routes(app, book, faults, secret)
    _pages(app, book, patient)
    _steering(app, book, faults, patient)
    misbehave(app, faults)
    _fault_page(app, faults)
    print_shop = PrintShop(data_dir / "print.sqlite3", drop or data_dir / "print", faults)
    app.extensions["print_shop"] = print_shop
    print_pages(app, print_shop)
    add_identity(app, book)
    app.register_error_handler(HTTPException, _refusal)
    return app


class Patient:
    """Opens and answers messages; Vårdlots is told of both."""

    def __init__(self, book: Book, sender: CallbackSender, faults: Faults) -> None:
        self.book, self.sender, self.faults = book, sender, faults

    def open(self, message: dict[str, Any]) -> None:
        """Mark the message as read, the first time."""
        self.book.mark_read(message["message_id"], self._callback(message, "message.read"))
        self.sender.wake()

    def answer(self, message: dict[str, Any], given: dict[str, Any]) -> bool:
        """Answer the message; False when it is answered or takes no answer."""
        callback = self._callback(message, "message.answered", given)
        if not message["content"]["answerable"]:
            return False
        done = self.book.answer(message["message_id"], given, callback)
        self.sender.wake()
        return done

    def ask_for_call(self, message: dict[str, Any], call: dict[str, str]) -> bool:
        """Ask to be called about the message; False when nobody is to be told."""
        callback = self._callback(message, "call.requested", call=call)
        if callback is None:
            return False
        self.book.queue(message["message_id"], callback)
        self.sender.wake()
        return True

    def _callback(
        self, message: dict[str, Any], kind: str, answer: dict[str, Any] | None = None, **more: Any
    ) -> Callback | None:
        content = message["content"]
        if not content["callback_url"]:
            return None
        payload = {
            "delivery_id": str(uuid.uuid4()),
            "type": kind,
            "occurred_at": now(),
            "message_id": message["message_id"],
            "thread": content["thread"],
            "reference": content["reference"],
            **more,
        }
        if answer is not None:
            payload["answer"] = answer
        # Only callbacks that wait a little can overtake each other.
        wait = random.uniform(0, SHUFFLE_SECONDS) if self.faults.shuffle_callbacks else 0.0  # noqa: S311  # nosec B311 # jitter, not a secret
        wait += self.faults.late_callbacks_seconds
        return Callback(content["callback_url"], payload, time.time() + wait)


def _gateway_routes(app: Flask, book: Book, faults: Faults, secret: str) -> None:
    @app.post("/1177/recipients/lookup")
    def lookup() -> Response:
        return look_up("active", book.is_active, fault="fail_lookups")

    @app.post("/1177/messages")
    def messages() -> Response:
        return take("1177", message_of)

    @app.post("/digital-post/recipients/lookup")
    def mailbox() -> Response:
        return look_up("reachable", book.has_mailbox)

    @app.post("/digital-post/messages")
    def digital_letters() -> Response:
        return take("digital", digital_letter_of)

    def look_up(
        answer: str, ask: Callable[[str], bool], *, fault: Literal["fail_lookups"] | None = None
    ) -> Response:
        """About one recipient, or about each of a list."""
        asked = signed_object(secret)
        one, many = asked.get("identity_number"), asked.get("identity_numbers")
        numbers: Any = [one] if many is None else many
        listed = isinstance(numbers, list) and len(numbers) <= MOST_LOOKED_UP
        if not listed or not all(isinstance(number, str) for number in numbers):
            return problem(400, "identity_number or identity_numbers is missing or malformed")
        if fault and faults.spend(fault):
            return problem(503, "told to fail")
        if many is None:
            return json_answer({answer: ask(numbers[0])})
        found = [{"identity_number": number, answer: ask(number)} for number in numbers]
        return json_answer({"recipients": found})

    def take(
        channel: str, read: Callable[[dict[str, Any]], tuple[dict[str, Any], list[str]]]
    ) -> Response:
        """Take a message once per key, and misbehave as told."""
        if faults.delay_seconds:
            time.sleep(faults.delay_seconds)
        content, wrong = read(signed_object(secret))
        content["channel"] = channel
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= 200:
            wrong.append("Idempotency-Key")
        if wrong:
            return problem(400, f"missing or malformed: {', '.join(wrong)}")
        if faults.spend("fail_next"):
            return problem(503, "told to fail")
        body_hash = hashlib.sha256(request.get_data()).hexdigest()
        message, outcome = book.take(key, body_hash, content)
        if message is None:
            return problem(404, "recipient-not-active")
        logger.info(
            "message case %s: %s [%s]",
            _one_line(content["reference"]),
            outcome,
            _one_line(request.headers.get("X-Request-ID", "-"))[:36],
        )
        if faults.spend("lose_answer_next"):
            return problem(503, "told to lose the answer")
        if outcome == "other":
            return problem(409, "the key was used for another message")
        receipt = {
            "message_id": message["message_id"],
            "received_at": message["received_at"],
            "duplicate": outcome == "same",
        }
        return json_answer(receipt, status=201 if outcome == "new" else 200)

    @app.get("/1177/messages/<message_id>")
    def status(message_id: str) -> Response:
        check_signature(secret)
        message = book.message(message_id)
        if message is None:
            return problem(404, "no such message")
        return json_answer({key: message[key] for key in ("message_id", "read_at", "answer")})


def _pages(app: Flask, book: Book, patient: Patient) -> None:
    @app.get("/")
    def inbox() -> str:
        reference = request.args.get("reference", "").strip()
        found = book.messages(reference, limit=SHOWN)
        return render_template("inbox.html", messages=found, reference=reference, shown=SHOWN)

    @app.get("/meddelanden/<message_id>")
    def read(message_id: str) -> str:
        patient.open(_found(book.message(message_id)))
        return _message_page(book, message_id)

    @app.post("/meddelanden/<message_id>")
    def answer(message_id: str) -> BaseResponse | tuple[str, int]:
        message = _found(book.message(message_id))
        given = choice_of(message, request.form.get("choice")) or answer_of(
            message,
            accepted={"yes": True, "no": False}.get(request.form.get("answer", "")),
            reason=request.form.get("reason"),
            comment=request.form.get("comment", ""),
        )
        refusal = ""
        if not message["content"]["answerable"]:
            refusal = "Det här meddelandet går inte att svara på."
        elif message["answer"] is None and given is None:
            choices = message["content"]["answer_options"].get("choices")
            refusal = "Välj ett av svaren." if choices else "Välj varför du tackar nej."
        elif given is None or not patient.answer(message, given):
            refusal = "Du har redan svarat. Ring vårdlotsen om du vill ändra dig."
        if refusal:
            return _message_page(book, message_id, refusal=refusal), 422
        return redirect(url_for("read", message_id=message_id))

    @app.get("/meddelanden/<message_id>/uppringning")
    def call_page(message_id: str) -> str:
        return render_template("call.html", message=_found(book.message(message_id)))

    @app.post("/meddelanden/<message_id>/uppringning")
    def ask_for_call(message_id: str) -> BaseResponse | tuple[str, int]:
        phone = request.form.get("phone", "").strip()[:30]
        about = request.form.get("about", "").strip()[:200]
        if not patient.ask_for_call(
            _found(book.message(message_id)), {"phone": phone, "about": about}
        ):
            refusal = "Det går inte att be om uppringning här. Ring vårdlotsen."
            return _message_page(book, message_id, refusal=refusal), 422
        return redirect(url_for("read", message_id=message_id))

    @app.get("/e-post")
    def emails() -> str:
        return render_template("emails.html", emails=book.emails())

    @app.get("/e-post/<int:number>")
    def email(number: int) -> str:
        return render_template("email.html", email=_found(book.email(number)))


def _steering(app: Flask, book: Book, faults: Faults, patient: Patient) -> None:
    """How a program plays the patient and has the simulator misbehave."""

    @app.get("/healthz")
    def healthz() -> Response:
        return json_answer({"status": "ok"})

    @app.get("/book.json")
    def whole_book() -> Response:
        return json_answer({"messages": book.messages(), "emails": book.emails()})

    @app.post("/faults")
    def set_faults() -> Response:
        refused = faults.change(object_sent())
        if refused:
            return problem(400, f"not known or out of range: {', '.join(refused)}")
        return json_answer(faults.as_json())

    @app.post("/recipients.json")
    def recipients() -> Response:
        wanted = object_sent()
        number = wanted.get("identity_number")
        places = {name: wanted[name] for name in ("active", "mailbox") if name in wanted}
        told = places and all(isinstance(value, bool) for value in places.values())
        if not isinstance(number, str) or not told:
            return problem(400, "identity_number and active or mailbox are needed")
        if "active" in places:
            book.set_active(number, places["active"])
        if "mailbox" in places:
            book.set_mailbox(number, places["mailbox"])
        return json_answer({"status": "ok"})

    @app.post("/answer.json")
    def answer_json() -> Response:
        wanted = object_sent()
        message = book.message(str(wanted.get("message_id")))
        if message is None:
            return problem(404, "no such message")
        given = choice_of(message, wanted.get("choice")) or answer_of(
            message,
            accepted=wanted.get("accepted"),
            reason=wanted.get("reason"),
            comment=wanted.get("comment") or "",
        )
        if given is None:
            return problem(400, NOT_AN_ANSWER)
        if not patient.answer(message, given):
            return problem(409, "the message is answered or takes no answer")
        return json_answer(given)


def _fault_page(app: Flask, faults: Faults) -> None:
    @app.get("/fel")
    def fault_page() -> str:
        return render_template("faults.html", words=WORDS, values=faults.as_json(), wrong=[])

    @app.post("/fel")
    def change_faults() -> BaseResponse | tuple[str, int]:
        wrong = faults.from_form(request.form)
        if wrong:
            page = render_template("faults.html", words=WORDS, values=request.form, wrong=wrong)
            return page, 422
        return redirect(url_for("fault_page"))


def _message_page(book: Book, message_id: str, *, refusal: str = "") -> str:
    return render_template(
        "message.html",
        message=_found(book.message(message_id)),
        callbacks=book.callbacks_of(message_id),
        problem=refusal,
        form=request.form,
    )


def _found(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        abort(404)
    return row


def _refusal(error: HTTPException) -> Response | tuple[str, int]:
    """Problem details to programs, a page to people."""
    code = error.code or 500
    if request.path.startswith(HUMAN_PAGES):
        return render_template("refusal.html", missing=code == 404), code
    return problem(code, error.description or error.name)


def _one_line(text: str) -> str:
    """A caller's text as it may stand in the log."""
    return "".join(character if character.isprintable() else " " for character in text)[:40]


def _local_time(stamp: str | None) -> str:
    if not stamp:
        return "–"
    return datetime.fromisoformat(stamp).astimezone(SWEDEN).strftime("%Y-%m-%d %H.%M")
