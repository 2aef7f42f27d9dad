"""The gateway simulator as people start it: a process with HTTP, SMTP and callbacks."""

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.supervisor import STOP_SECONDS
from notices.simulator import signature
from tests.notices.simulator_parts import (
    CASE,
    PATIENT,
    SECRET,
    Receiver,
    a_message,
)

ROOT = Path(__file__).parents[2]
REQUEST_ID = "0b0c8a3e-5a0f-4c83-9d3a-2f7c5d1e9b40"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


class Process:
    """The simulator as people start it."""

    def __init__(self, data_dir: Path) -> None:
        self.port, self.smtp_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data_dir / "log"
        self._errors = data_dir / "errors"
        with self._log.open("wb") as log, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "notices.simulator", "--data", str(data_dir)),
                    *("--port", str(self.port), "--smtp-port", str(self.smtp_port)),
                ],
                cwd=ROOT,
                env=os.environ | {"VARDLOTS_GATEWAY_SECRET": SECRET},
                stdout=log,
                stderr=errors,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.errors
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def offer(self, content: dict[str, Any], *, key: str) -> httpx.Response:
        body = json.dumps(content).encode()
        headers = {signature.HEADER: signature.sign(body, SECRET), "Idempotency-Key": key}
        headers["X-Request-ID"] = REQUEST_ID
        return httpx.post(f"{self.url}/1177/messages", content=body, headers=headers)


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def eventually(holds: Callable[[], object], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Process]:
    running = Process(tmp_path)
    try:
        eventually(running.is_up)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait(10)


def an_email() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "vardlots@example.org", "mottagning@example.org"
    mail["Subject"] = f"Ny patient i ärende {CASE}"
    mail["Message-ID"] = "<one@example.org>"
    mail.set_content("Logga in för att se ärendet. Vänliga hälsningar från vårdlotsen på orten.")
    return mail


class TestProcess:
    def test_a_message_is_answered_and_called_back_and_the_log_names_the_case_only(
        self, simulator, receiver
    ):
        offered = simulator.offer(a_message(callback_url=receiver.url), key="k-1")
        message_id = offered.json()["message_id"]
        httpx.get(f"{simulator.url}/meddelanden/{message_id}")
        eventually(lambda: receiver.types == ["message.read"], seconds=5)
        answer = {"message_id": message_id, "accepted": True, "comment": "Tack så mycket"}
        assert httpx.post(f"{simulator.url}/answer.json", json=answer).status_code == 200
        eventually(lambda: receiver.types == ["message.read", "message.answered"], seconds=5)
        assert all(receiver.signed)
        assert receiver.taken[-1]["answer"]["comment"] == "Tack så mycket"
        eventually(lambda: simulator.log.count("\n") >= 3, seconds=5)
        assert simulator.log.splitlines() == [
            f"message case {CASE}: new [{REQUEST_ID}]",
            f"callback message.read case {CASE}: 200",
            f"callback message.answered case {CASE}: 200",
        ]
        assert PATIENT not in simulator.log + simulator.errors

    def test_e_mail_is_kept_and_shown(self, simulator):
        mail = an_email()
        mail.add_alternative("<p>Logga in</p>", subtype="html")
        with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10) as smtp:
            smtp.send_message(mail)
            # Nonsense is kept too: an unknown character set, bytes that are no text.
            smtp.sendmail(
                "a@example.org",
                ["b@example.org"],
                b"Subject: \xff\xfe\r\nContent-Type: text/plain; charset=none\r\n\r\n\xff\r\n",
            )
        listed = httpx.get(f"{simulator.url}/e-post").text
        assert f"Ny patient i ärende {CASE}" in listed
        first = httpx.get(f"{simulator.url}/e-post/1").text
        assert "Vänliga hälsningar från vårdlotsen" in first
        assert "mottagning@example.org" in first
        assert httpx.get(f"{simulator.url}/e-post/2").status_code == 200
        emails = httpx.get(f"{simulator.url}/book.json").json()["emails"]
        assert emails[-1]["message_id"] == "<one@example.org>"
        assert simulator.log.splitlines() == ["e-mail received"] * 2

    @pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
    def test_it_stops_before_it_is_killed_though_somebody_is_connected(self, simulator, by):
        with (
            httpx.Client() as kept_alive,
            smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10),
        ):
            kept_alive.get(f"{simulator.url}/healthz")
            simulator.process.send_signal(by)
            assert simulator.process.wait(STOP_SECONDS) == 0
        assert "Traceback" not in simulator.errors

    def test_it_listens_to_its_own_machine_only(self, simulator):
        listening = Path(f"/proc/{simulator.process.pid}/net/tcp")
        if not listening.exists():
            pytest.skip("no /proc on this machine")
        ports = {f"{port:04X}" for port in (simulator.port, simulator.smtp_port)}
        local = [line.split()[1] for line in listening.read_text().splitlines()[1:]]
        mine = {address.split(":")[0] for address in local if address.split(":")[1] in ports}
        assert mine == {"0100007F"}
