"""``manage.py start`` runs the whole product, once, and leaves nothing behind but its data."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from config.embedded import Services
from config.embedded.places import Places
from config.embedded.urls import DATABASE, postgres_url
from config.management.commands.start import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
STOP_SECONDS = 25


class Product:
    """A data directory and the commands of a person who uses it from a terminal."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port(0)
        self.address = f"http://127.0.0.1:{self.port}"
        taken = ("DATABASE_URL", "REDIS_URL", "VARDLOTS_ENV", "VARDLOTS_DATA", "CONN_MAX_AGE")
        self.environment = {k: v for k, v in os.environ.items() if k not in taken}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    def start(self) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            self.command("start", *self.options),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert started.stdout is not None
        shown = []
        patience = threading.Timer(START_SECONDS, started.terminate)
        patience.start()
        for line in started.stdout:
            shown.append(line)
            if self.address in line:
                patience.cancel()
                return started
        raise AssertionError("".join(shown))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment | {"VARDLOTS_DATA": str(self.data)},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    @property
    def options(self) -> list[str]:
        return ["--no-demo", "--port", str(self.port), "--data", str(self.data)]

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this data directory, but for what is dead already."""
        found = []
        for process in psutil.process_iter():
            try:
                command = " ".join(process.cmdline())
                environment = process.environ()
            except psutil.Error:
                continue
            ours = environment.get("VARDLOTS_DATA") == str(self.data) or str(self.data) in command
            if ours and process.pid != os.getpid():
                found.append(process)
        return found


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Where the first who starts makes the database, and the others find it."""
    with tempfile.TemporaryDirectory(prefix="vardlots-start-", ignore_cleanup_errors=True) as name:
        yield Path(name) / "var"


@pytest.fixture
def product(data: Path) -> Iterator[Product]:
    product = Product(data)
    yield product
    for process in product.processes():
        process.kill()
    Services(product.data).stop_abandoned()


def stop(started: subprocess.Popen[str], number: signal.Signals) -> str:
    started.send_signal(number)
    output, _ = started.communicate(timeout=STOP_SECONDS)
    assert started.returncode == 0, output
    return output


def test_start_use_and_stop_from_the_terminal(product: Product) -> None:
    started = product.start()

    assert httpx.get(product.address, follow_redirects=True).status_code == 200
    programs = " ".join(" ".join(process.cmdline()) for process in product.processes())
    for program in ("gunicorn", "worker", "beat", "notices.simulator", "postgres", "valkey"):
        assert program in programs

    # A second start says that and where it runs, and other commands find the same database.
    again = product.run("start", *product.options)
    assert (again.returncode, product.address in again.stdout) == (0, True), again.stderr
    statement = (
        "from django.db import connection; connection.cursor().execute('CREATE TABLE kept ()')"
    )
    marked = product.run("shell", "-c", statement)
    assert marked.returncode == 0, marked.stderr
    saved = json.loads((product.data / "environment.json").read_text())
    assert httpx.get(saved["VARDLOTS_GATEWAY_URL"], follow_redirects=True).status_code < 500

    stop(started, signal.SIGTERM)
    assert product.processes() == []

    # The data is there after a restart, and Ctrl-C stops as TERM does.
    started = product.start()
    address = postgres_url(Places(product.data), database=DATABASE)
    with psycopg.connect(address) as connection:
        connection.execute("SELECT FROM kept")
    stop(started, signal.SIGINT)
    assert product.processes() == []


def test_a_taken_port_is_said_in_words(product: Product) -> None:
    with socket.create_server(("127.0.0.1", product.port)):
        refused = product.run("start", *product.options)

    assert refused.returncode == 1
    assert f"Port {product.port} är upptagen" in refused.stderr


def test_killed_outright_it_leaves_nothing_in_the_way_of_the_next(product: Product) -> None:
    started = product.start()
    started.kill()
    started.communicate()

    started = product.start()

    # Of the first one nothing is left but the servers, which the second took over.
    deadline = time.monotonic() + STOP_SECONDS
    while sum("beat" in process.cmdline() for process in product.processes()) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    stop(started, signal.SIGTERM)
    assert product.processes() == []
