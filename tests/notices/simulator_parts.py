"""What the tests of the gateway simulator share."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from notices.simulator import signature

SECRET = "a secret that both know"
PATIENT = "191212121212"
CASE = "20-26-000123-4"
REASONS = [{"code": "travel", "text": "Resan"}, {"code": "other", "text": "Annat"}]
NOWHERE = "http://127.0.0.1:9/"  # nobody listens on the discard port


def a_message(**changes: Any) -> dict[str, Any]:
    return {
        "recipient": PATIENT,
        "sender_hsa_id": "SE2321000180-K001",
        "sender_name": "Ortopedkliniken Falun",
        "subject": "Erbjudande om vård",
        "body": "Hej!\nDu kan få vård tidigare på annan ort.",
        "language": "sv",
        "reference": CASE,
        "thread": "17",
        "answerable": True,
        "answer_options": {"decline_reasons": REASONS},
        "callback_url": "",
    } | changes


class Receiver:
    """Stands where Vårdlots takes callbacks; answers with the statuses it is given, then 200."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.signed: list[bool] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                header = self.headers[signature.HEADER]
                receiver.signed.append(signature.verify(header, body, SECRET))
                receiver.taken.append(json.loads(body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def types(self) -> list[str]:
        return [payload["type"] for payload in self.taken]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Program:
    """A program that speaks the gateway's protocol with the application."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def post(self, path: str, content: Any, *, secret: str = SECRET, **headers: str) -> Any:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {signature.HEADER: signature.sign(body, secret)} | headers
        return self.client.post(path, data=body, headers=headers)

    def offer(self, message: Any = None, *, key: str = "", **changes: Any) -> TestResponse:
        """Hand a message over."""
        content = a_message(**changes) if message is None else message
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        answer: TestResponse = self.post("/1177/messages", content, **headers)
        return answer

    def sent(self, **changes: Any) -> str:
        """Hand a message over and give its id."""
        answer = self.offer(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["message_id"])


def is_problem(answer: TestResponse, status: int) -> bool:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    return bool(answer.get_json()["status"] == status)
