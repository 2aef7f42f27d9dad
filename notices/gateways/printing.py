"""The print provider: deliveries to a folder that it watches, or to its SFTP server.

A delivery appears under its own name in one rename, when it is whole. The name is its key: one that
lies there is not delivered again, and the provider takes each name once.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar, cast
from urllib.parse import unquote, urlsplit

import asyncssh
from django.conf import settings
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from notices.gateways.breaker import guard
from notices.gateways.interface import GatewayError
from notices.gateways.rates import take_turn

Answer = TypeVar("Answer")

NAME = "letter"
REPORTS, READ = "reports", "read"
# The longest that one call may take, a delivery of 200 letters with it.
PATIENCE_SECONDS = 600
MAX_REPORT_BYTES = 10 * 1024 * 1024


class Printer(Protocol):
    """A way to the print provider. All but ``workshop`` raise ``GatewayError`` or ``Held``."""

    name: str
    # Letters in one delivery, which is made in one transaction.
    most_letters: int

    @property
    def workshop(self) -> Path:
        """Where the delivery's folder is written before it is sent."""
        ...

    def has(self, key: str) -> bool:
        """Whether the delivery lies at the provider."""
        ...

    def send(self, message: Path, *, key: str) -> str:
        """Deliver a finished folder under the name ``key``, once; returns the name."""
        ...

    def index(self, key: str, file: str) -> bytes:
        """A file of a delivery that lies there."""
        ...

    def reports(self) -> list[str]:
        """The names of the acknowledgement files that wait to be read."""
        ...

    def report(self, name: str) -> bytes:
        """One of them; of a file past ``MAX_REPORT_BYTES`` only so much and a byte."""
        ...

    def put_away(self, name: str) -> None:
        """The file has been read."""
        ...


class PrintDrop:
    """A folder on this machine or a mounted one."""

    name = NAME
    most_letters = 1_000

    @property
    def workshop(self) -> Path:
        return Path(settings.PRINT_DROP)

    def has(self, key: str) -> bool:
        return (self.workshop / key).exists()

    def send(self, message: Path, *, key: str) -> str:
        target = self.workshop / key
        if message != target and not target.exists():
            os.replace(message, target)
        return key

    def index(self, key: str, file: str) -> bytes:
        return self._reading(lambda: (self.workshop / key / file).read_bytes())

    def reports(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if _is_report(path.name))

    def report(self, name: str) -> bytes:
        def read() -> bytes:
            with (self._folder / name).open("rb") as file:
                return file.read(MAX_REPORT_BYTES + 1)

        return self._reading(read)

    def put_away(self, name: str) -> None:
        def move() -> None:
            (self._folder / READ).mkdir(exist_ok=True)
            os.replace(self._folder / name, self._folder / READ / name)

        self._reading(move)

    @property
    def _folder(self) -> Path:
        return self.workshop / REPORTS

    @staticmethod
    def _reading(act: Callable[[], Answer]) -> Answer:
        try:
            return act()
        except OSError as error:
            raise GatewayError(f"{type(error).__name__} in the print provider's folder") from error


class PrintSftp:
    """The provider's server: ``sftp://user@host:port/folder``, by key, its host key known."""

    name = NAME
    # Their cases are held while they are sent.
    most_letters = 200

    @property
    def workshop(self) -> Path:
        return Path(settings.DATA_DIR) / "print-out"

    def has(self, key: str) -> bool:
        return self._call(lambda sftp: sftp.exists(str(self._root / key)))

    def send(self, message: Path, *, key: str) -> str:
        take_turn(self.name)
        work, target = str(self._root / f".{key}"), str(self._root / key)

        async def deliver(sftp: asyncssh.SFTPClient) -> None:
            if await sftp.exists(target):
                return
            if await sftp.exists(work):  # of a delivery that broke off
                await sftp.rmtree(work)
            await sftp.mkdir(work)
            await sftp.put([str(path) for path in sorted(message.iterdir())], work)
            await sftp.rename(work, target)

        self._call(deliver)
        shutil.rmtree(message, ignore_errors=True)
        return key

    def index(self, key: str, file: str) -> bytes:
        return self._call(lambda sftp: _read(sftp, str(self._root / key / file)))

    def reports(self) -> list[str]:
        async def listed(sftp: asyncssh.SFTPClient) -> list[str]:
            if not await sftp.isdir(str(self._folder)):
                return []
            return [str(name) for name in await sftp.listdir(str(self._folder))]

        return sorted(name for name in self._call(listed) if _is_report(name))

    def report(self, name: str) -> bytes:
        return self._call(lambda sftp: _read(sftp, str(self._folder / name)))

    def put_away(self, name: str) -> None:
        async def move(sftp: asyncssh.SFTPClient) -> None:
            await sftp.makedirs(str(self._folder / READ), exist_ok=True)
            await sftp.posix_rename(str(self._folder / name), str(self._folder / READ / name))

        self._call(move)

    @property
    def _root(self) -> PurePosixPath:
        path = unquote(urlsplit(settings.PRINT_SFTP).path)
        return PurePosixPath(path.removeprefix("/") or ".")

    @property
    def _folder(self) -> PurePosixPath:
        return self._root / REPORTS

    def _call(self, act: Callable[[asyncssh.SFTPClient], Awaitable[Answer]]) -> Answer:
        with guard(self.name):
            try:
                answer = asyncio.run(asyncio.wait_for(_with_server(act), PATIENCE_SECONDS))
            except (asyncssh.Error, OSError, TimeoutError) as error:
                raise GatewayError(f"{type(error).__name__} from the print provider") from error
        return answer


async def _with_server(act: Callable[[asyncssh.SFTPClient], Awaitable[Answer]]) -> Answer:
    attempts = AsyncRetrying(
        stop=stop_after_attempt(2),
        wait=wait_exponential_jitter(multiplier=0.1, max=1),
        retry=retry_if_exception_type((OSError, asyncssh.ConnectionLost)),
        reraise=True,
    )
    connection: asyncssh.SSHClientConnection = await attempts(_connected)
    async with connection, connection.start_sftp_client() as sftp:
        answer = await act(sftp)
    return answer


async def _connected() -> asyncssh.SSHClientConnection:
    place = urlsplit(settings.PRINT_SFTP)
    return await asyncssh.connect(
        place.hostname or "",
        place.port or 22,
        username=unquote(place.username or ""),
        client_keys=[settings.PRINT_SFTP_KEY],
        known_hosts=settings.PRINT_SFTP_KNOWN_HOSTS,
        preferred_auth="publickey",
        # Nothing of the machine's own user has a say in where letters go.
        config=None,
        agent_path=None,
        connect_timeout=settings.GATEWAY_TIMEOUT_SECONDS,
        login_timeout=settings.GATEWAY_TIMEOUT_SECONDS,
        keepalive_interval=15,
        keepalive_count_max=2,
    )


async def _read(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    async with sftp.open(path, "rb") as file:
        return cast(bytes, await file.read(MAX_REPORT_BYTES + 1))


def _is_report(name: str) -> bool:
    return name.endswith(".csv") and not name.startswith(".") and "/" not in name


def printer() -> Printer:
    """The way to the print provider that the settings name."""
    return PrintSftp() if settings.PRINT_SFTP else PrintDrop()
