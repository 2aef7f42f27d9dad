"""Who starts the embedded servers, and who stops them.

Everyone who uses the servers of a data directory holds a shared lock on ``<data>/run/users.lock``
meanwhile; starting and stopping happens under ``<data>/run/change.lock``. Whoever leaves last
stops them. The kernel drops the locks of a process that dies, however it dies, so nothing is ever
left locked, and servers left behind by a killed process are taken over by the next.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Self

from config.embedded.environment import ensure_secrets
from config.embedded.errors import EmbeddedServiceError
from config.embedded.places import Account, Places
from config.embedded.postgres import EmbeddedPostgres
from config.embedded.valkey import EmbeddedValkey

ROOT = Path(__file__).resolve().parent.parent.parent

# Commands that start the servers themselves or do without a database.
_WITHOUT_DATABASE = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "spectacular",
        "start",
        "startapp",
        "startproject",
        "state_machine_doc",
        "test",
        "validate_waiting_times",
        "version",
    }
)


class Services:
    """The embedded servers of a data directory, held while this process needs them."""

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
    ) -> None:
        """Name the servers that are wanted; ``durable=False`` is for tests."""
        self.places = Places(data_dir)
        self._servers: list[EmbeddedPostgres | EmbeddedValkey] = [
            EmbeddedPostgres(self.places, durable=durable),
            EmbeddedValkey(self.places),
        ]
        self._wanted = [
            server
            for server, wanted in zip(self._servers, (postgres, valkey), strict=True)
            if wanted
        ]
        self._user: IO[bytes] | None = None

    def start(self) -> None:
        """Start what is wanted and does not run yet, or join those who use it already."""
        try:
            account = self._prepare()
            with self._changing():
                self._user = self._user or self._open("users.lock")
                fcntl.flock(self._user, fcntl.LOCK_SH)
                for server in self._wanted:
                    server.start(account)
        except BaseException:
            self.stop()
            raise

    def ensure_running(self) -> list[str]:
        """Start again what has died; return the names of those servers, for telling."""
        dead = [server for server in self._wanted if not server.is_running]
        if dead:
            self.start()
        return [type(server).__name__.removeprefix("Embedded") for server in dead]

    def stop(self) -> None:
        """Leave, and stop the servers when nobody else uses them."""
        if self._user is None:
            return
        user, self._user = self._user, None
        with user, self._changing():
            try:
                fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            account = Account.of(self.places)
            for server in reversed(self._servers):
                server.stop(account)

    def stop_abandoned(self) -> bool:
        """Stop servers that a killed process left; return False when someone uses them."""
        if not self.places.run.is_dir():
            return True
        self._user = self._open("users.lock")
        self.stop()
        return not any(server.is_running for server in self._servers)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _prepare(self) -> Account:
        account = Account.of(self.places)
        self.places.make(account)
        return account

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._open("change.lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _open(self, name: str) -> IO[bytes]:
        try:
            return (self.places.run / name).open("ab")
        except PermissionError as error:
            raise EmbeddedServiceError(f"{self.places.data} tillhör en annan användare.") from error


@contextlib.contextmanager
def services_for_command(argv: Sequence[str]) -> Iterator[None]:
    """Lend the embedded servers to one ``manage.py`` command that needs them.

    They are used as they run, or started for the command alone. Commands that need no database,
    production and set addresses (``DATABASE_URL``, ``REDIS_URL``) are left in peace.
    """
    _apply_data_option(argv)
    postgres = not os.environ.get("DATABASE_URL")
    valkey = not os.environ.get("REDIS_URL")
    production = os.environ.get("VARDLOTS_ENV") == "production"
    if production or not (postgres or valkey) or not _needs_database(argv):
        yield
        return
    data = Path(os.environ.get("VARDLOTS_DATA") or ROOT / "var").resolve()
    services = Services(data, postgres=postgres, valkey=valkey)
    # TERM ends the command as an error would, so that it leaves the servers behind in order.
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        with services:
            ensure_secrets(data)
            yield
    except EmbeddedServiceError as error:
        sys.exit(f"Vårdlots: {error}")
    finally:
        signal.signal(signal.SIGTERM, before)


def _needs_database(argv: Sequence[str]) -> bool:
    arguments = list(argv[1:])
    if not arguments or {"-h", "--help"} & set(arguments):
        return False
    command = arguments[0].lstrip("-")
    return command not in _WITHOUT_DATABASE or "--database" in arguments


def _apply_data_option(argv: Sequence[str]) -> None:
    """Let ``manage.py start --data DIR`` name the data directory before settings are read."""
    if list(argv[1:2]) == ["start"]:
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("--data")
        options, _ = parser.parse_known_args(argv[2:])
        if options.data:
            os.environ["VARDLOTS_DATA"] = os.fspath(Path(options.data).expanduser().resolve())


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(128 + signum)
