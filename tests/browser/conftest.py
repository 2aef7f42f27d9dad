"""Sessions of people in a real browser, and the gateway simulator as a real process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from organisations.access import Actor
from organisations.models import User

ROOT = Path(__file__).resolve().parents[2]
SESSION = django_settings.SESSION_COOKIE_NAME


class Console:
    """What the browser complained of.

    A refused form (422) is no complaint, nor is an autosave that leaving the page cuts off.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message: object) -> None:
        kind, text = message.type, message.text  # type: ignore[attr-defined]
        if kind == "error" and "422" not in text and "htmx:sendError" not in text:
            self.complaints.append(text)


@pytest.fixture
def console() -> Iterator[Console]:
    console = Console()
    yield console
    assert console.complaints == []


@pytest.fixture
def session_of(
    browser: Browser, live_server: object, console: Console
) -> Iterator[Callable[..., Page]]:
    """``session_of(actor, width=…)``: a browser of its own where the actor is logged in."""
    contexts: list[BrowserContext] = []

    def open_session(actor: Actor | None, *, width: int = 1280) -> Page:
        context = browser.new_context(
            base_url=live_server.url,  # type: ignore[attr-defined]
            viewport={"width": width, "height": 900},
            locale="sv-SE",
            timezone_id="Europe/Stockholm",
        )
        contexts.append(context)
        if actor is not None:
            client = Client()
            client.force_login(User.objects.get(pk=actor.user_id))
            context.add_cookies(
                [
                    {
                        "name": SESSION,
                        "value": client.cookies[SESSION].value,
                        "url": live_server.url,  # type: ignore[attr-defined]
                    }
                ]
            )
        page = context.new_page()
        page.set_default_timeout(10_000)
        console.listen(page)
        return page

    yield open_session
    for context in contexts:
        context.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def simulator(tmp_path: Path, live_server: object, settings: object) -> Iterator[str]:
    """The gateway simulator as a process; the product is pointed at it. Gives its address."""
    port, smtp_port, secret = free_port(), free_port(), "browser-test-secret"
    address = f"http://127.0.0.1:{port}"
    settings.GATEWAY_URL = address  # type: ignore[attr-defined]
    settings.GATEWAY_SECRET = secret  # type: ignore[attr-defined]
    settings.BASE_URL = live_server.url  # type: ignore[attr-defined]
    settings.PRINT_DROP = tmp_path / "print"  # type: ignore[attr-defined]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "notices.simulator"),
            *("--port", str(port), "--smtp-port", str(smtp_port), "--data", str(tmp_path)),
        ],
        cwd=ROOT,
        env=os.environ | {"VARDLOTS_GATEWAY_SECRET": secret},
    )
    try:
        _wait_for(f"{address}/healthz", process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the simulator stopped"
        try:
            if httpx.get(url, timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the simulator did not answer")
