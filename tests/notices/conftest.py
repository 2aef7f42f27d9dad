"""The gateway as a real HTTP server beside the test, letters in a folder of their own."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from notices.simulator.app import create_app
from notices.simulator.book import Book
from notices.simulator.faults import Faults
from organisations import events, sweeps
from organisations.events import deliver_events

SECRET = "a secret that both know"


class Gateway:
    """The simulator of the gateway, running; its book tells what it was given."""

    def __init__(self, data_dir: Path) -> None:
        app = create_app(data_dir=data_dir, secret=SECRET)
        self.book: Book = app.extensions["book"]
        self.faults: Faults = app.extensions["faults"]
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What it took, the oldest first."""
        return self.book.messages()[::-1]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(autouse=True)
def _nothing_leaves_the_test(settings, tmp_path, monkeypatch) -> None:
    settings.GATEWAY_URL = "http://127.0.0.1:9"  # nobody listens on the discard port
    settings.GATEWAY_SECRET = SECRET
    settings.GATEWAY_TIMEOUT_SECONDS = 5
    settings.PRINT_DROP = tmp_path / "print"
    monkeypatch.setattr(events, "wake", lambda: None)


# Figures, the access log's seal and what grows old at the login: nothing that a notice waits for.
OF_NO_NOTICE = {"facts", "months", "frozen_months", "open_data", "delivery_plans"}
OF_NO_NOTICE |= {"access log", "sessions", "failed_logins", "kept_texts"}


@pytest.fixture(autouse=True)
def _due_work_is_that_of_notices(monkeypatch) -> None:
    """All sweeps together: tests/config/test_run_due.py and the whole ways by API and browser."""
    mine = [sweep for sweep in sweeps._sweeps if sweep.name not in OF_NO_NOTICE]
    assert len(mine) == len(sweeps._sweeps) - len(OF_NO_NOTICE)
    monkeypatch.setattr(sweeps, "_sweeps", mine)


@pytest.fixture
def gateway(settings, tmp_path) -> Iterator[Gateway]:
    running = Gateway(tmp_path / "gateway")
    settings.GATEWAY_URL = running.url
    yield running
    running.stop()


@pytest.fixture
def drop(settings) -> Path:
    return Path(settings.PRINT_DROP)


@pytest.fixture
def deliver() -> Callable[[datetime], None]:
    """Have the events reach the notices, without sending any."""

    def run(now: datetime) -> None:
        while deliver_events(now=now):
            pass

    return run
