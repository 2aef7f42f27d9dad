"""The product's own programs as processes of one data directory, to be started, killed and counted.

For benchmarks, and for the tests that need the whole product running: the same commands as
``manage.py start``, but each held by itself so that one may be killed without the others.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from config.embedded import saved_environment

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PATIENCE_SECONDS = 60.0


class Machine:
    """The programs of one data directory, by name; all are gone when the block ends."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        web, gateway, smtp = free_ports(3)
        self.base_url, self.gateway_url = f"http://{HOST}:{web}", f"http://{HOST}:{gateway}"
        self.environment = {
            **saved_environment(data),
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "VARDLOTS_DATA": os.fspath(data),
            "VARDLOTS_BASE_URL": self.base_url,
            "VARDLOTS_GATEWAY_URL": self.gateway_url,
            "EMAIL_URL": f"smtp://{HOST}:{smtp}",
            **environment,
        }
        celery = ["-m", "celery", "--quiet", "-A", "config"]
        alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._commands = {
            "simulator": [
                *("-m", "notices.simulator", "--data", os.fspath(data)),
                *("--port", str(gateway), "--smtp-port", str(smtp)),
            ],
            "web": [
                *("-W", "ignore:No directory at", "-m", "gunicorn", "-c", "python:config.gunicorn"),
                *("--bind", f"{HOST}:{web}", "--workers", "1", "--log-level", "warning"),
            ],
            "worker": [
                *("-W", "ignore:You're running the worker", *celery, "worker"),
                *("--concurrency", "1", "--loglevel", "WARNING", *alone),
            ],
            "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, kind: str, name: str = "", *extra: str) -> None:
        """Start a program of the kind; a web server or simulator answers when this returns."""
        name = name or kind
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *self._commands[kind], *extra],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        url = {"web": f"{self.base_url}/healthz", "simulator": f"{self.gateway_url}/healthz"}
        if kind in url:
            self._wait_for(name, url[kind])

    def kill(self, name: str) -> None:
        """End the program and its children at whatever instruction they are."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_child(self, name: str) -> None:
        """End the process that works, and leave the one that watches over it."""
        for child in psutil.Process(self.running[name].pid).children():
            child.kill()

    def log(self, name: str) -> Path:
        return self.data / f"{name}.log"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in list(self.running):
            self.kill(name)

    def _wait_for(self, name: str, url: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                httpx.get(url, timeout=5)
                return
            except httpx.TransportError as error:
                if self.running[name].poll() is not None or time.monotonic() > deadline:
                    said = self.log(name).read_text(errors="replace")
                    raise RuntimeError(f"{name} does not answer:\n{said[-2000:]}") from error
                time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
