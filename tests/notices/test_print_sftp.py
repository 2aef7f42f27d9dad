"""Letters by SFTP to a real server: known by its key, each delivery once, whole or not there."""

import asyncio
import csv
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.utils import timezone

from notices.gateways import GatewayError, Held, breaker, printing
from notices.gateways.printing import PrintSftp
from notices.letters import deliver_letters
from notices.models import LetterBatch, Notice, PrintedLetter
from notices.printing.reports import read_reports
from notices.simulator.faults import Faults
from notices.simulator.printing import PrintShop
from organisations.sweeps import run_due
from referral.models import CaseState
from tests.factories import make_case, stockholm

NOW = stockholm(2026, 3, 10, 9)
DUE = NOW + timedelta(days=14)


class Server:
    """An SFTP server in a folder of its own, with a key of its own."""

    def __init__(self, root: Path, client_key: asyncssh.SSHKey) -> None:
        self.root, self.key = root, asyncssh.generate_private_key("ssh-ed25519")
        root.mkdir()
        self._authorized = asyncssh.import_authorized_keys(client_key.export_public_key().decode())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener: Any = self._run(self._listen())
        self.port = self._listener.get_port()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _listen(self) -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self.key],
            authorized_client_keys=self._authorized,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(self.root)),
        )

    @property
    def known(self) -> str:
        public = self.key.export_public_key().decode().strip()
        return f"[127.0.0.1]:{self.port} {public}\n"

    def stop(self) -> None:
        self._listener.close()
        self._run(self._listener.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def server(settings, tmp_path) -> Iterator[Server]:
    ours = asyncssh.generate_private_key("ssh-ed25519")
    running = Server(tmp_path / "theirs", ours)
    (tmp_path / "key").write_bytes(ours.export_private_key())
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "known_hosts").write_text(running.known)
    (running.root / "in").mkdir()
    settings.DATA_DIR = tmp_path / "data"
    settings.PRINT_SFTP = f"sftp://vardlots@127.0.0.1:{running.port}/in"
    settings.PRINT_SFTP_KEY = str(tmp_path / "key")
    settings.PRINT_SFTP_KNOWN_HOSTS = str(tmp_path / "known_hosts")
    yield running
    running.stop()


def folder_to_send(tmp_path: Path, name: str = "brev-20260324-00000001") -> Path:
    folder = tmp_path / "out" / name
    folder.mkdir(parents=True)
    (folder / "a.pdf").write_bytes(b"letter")
    (folder / "index.csv").write_text("file\r\na.pdf\r\n")
    return folder


def delivered(server: Server) -> list[str]:
    return sorted(path.name for path in (server.root / "in").iterdir())


@pytest.mark.django_db
def test_letters_reach_the_server_and_what_it_acknowledges_is_read_back(gateway, server, tmp_path):
    for _ in range(3):
        make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    run_due(now=DUE)
    [batch] = LetterBatch.objects.all()
    folder = server.root / "in" / batch.folder_name
    with (folder / "index.csv").open(newline="") as file:
        index = {row["file"]: row["sha256"] for row in csv.DictReader(file, delimiter=";")}
    kept = {letter.file: letter.sha256 for letter in PrintedLetter.objects.all()}
    assert index == kept
    assert len(kept) == 3
    assert list((tmp_path / "data" / "print-out").iterdir()) == []

    shop = PrintShop(tmp_path / "shop.sqlite3", server.root / "in", Faults())
    shop.look()
    assert read_reports(now=timezone.now()) == 1
    assert {letter.state for letter in PrintedLetter.objects.all()} == {"posted"}
    assert read_reports(now=timezone.now()) == 0
    assert len(list((server.root / "in" / "reports" / "read").iterdir())) == 1


def test_a_delivery_that_lies_there_is_not_sent_again(server, tmp_path):
    name = "brev-20260324-00000001"
    PrintSftp().send(folder_to_send(tmp_path), key=name)
    again = folder_to_send(tmp_path)
    (again / "a.pdf").write_bytes(b"another letter")
    PrintSftp().send(again, key=name)
    assert delivered(server) == [name]
    assert (server.root / "in" / name / "a.pdf").read_bytes() == b"letter"
    assert PrintSftp().has(name)
    assert not PrintSftp().has("brev-20260324-00000002")


def test_what_a_broken_off_delivery_left_is_cleared_away_first(server, tmp_path):
    name = "brev-20260324-00000001"
    left = server.root / "in" / f".{name}"
    left.mkdir()
    (left / "old.pdf").write_bytes(b"half a letter")
    PrintSftp().send(folder_to_send(tmp_path), key=name)
    assert delivered(server) == [name]
    assert sorted(path.name for path in (server.root / "in" / name).iterdir()) == [
        "a.pdf",
        "index.csv",
    ]


def test_another_servers_key_is_refused_and_gets_no_letter(server, tmp_path, settings):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    Path(settings.PRINT_SFTP_KNOWN_HOSTS).write_text(f"[127.0.0.1]:{server.port} {other}")
    with pytest.raises(GatewayError, match="HostKeyNotVerifiable"):
        PrintSftp().send(folder_to_send(tmp_path), key="brev-20260324-00000001")
    assert delivered(server) == []


def test_a_key_that_the_server_does_not_know_is_let_in_nowhere(server, tmp_path, settings):
    Path(settings.PRINT_SFTP_KEY).write_bytes(
        asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    )
    with pytest.raises(GatewayError, match="PermissionDenied"):
        PrintSftp().has("brev-20260324-00000001")


@pytest.mark.django_db
def test_a_server_that_is_away_delays_the_letters_and_loses_none(gateway, server, settings):
    make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    up, settings.PRINT_SFTP = settings.PRINT_SFTP, "sftp://vardlots@127.0.0.1:9/in"
    run_due(now=DUE)
    batch = LetterBatch.objects.get()
    letter = Notice.objects.get(channel="letter")
    assert (letter.state, batch.delivered_at, batch.attempts) == ("batched", None, 1)
    settings.PRINT_SFTP = up
    run_due(now=batch.due_at)
    letter.refresh_from_db()
    assert letter.state == "sent"
    assert delivered(server) == [batch.folder_name]


@pytest.mark.django_db
def test_while_it_is_left_alone_no_try_is_used_up(gateway, server, settings):
    settings.GATEWAY_BREAKER_FAILURES = 1
    breaker.forget()
    make_case(CaseState.OFFERED, now=NOW)
    run_due(now=NOW)
    with pytest.raises(GatewayError), breaker.guard("letter"):
        raise GatewayError("down")
    with pytest.raises(Held):
        PrintSftp().reports()
    deliver_letters(now=DUE)
    batch = LetterBatch.objects.get()
    assert (batch.attempts, batch.due_at) == (0, DUE)


UPLOAD = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
import asyncssh
from notices.gateways.printing import PrintSftp
settings.PRINT_SFTP, settings.PRINT_SFTP_KEY, settings.PRINT_SFTP_KNOWN_HOSTS = sys.argv[1:4]
if sys.argv[5] == "killed":
    async def killed(self, *arguments):
        os.kill(os.getpid(), signal.SIGKILL)
    asyncssh.SFTPClient.rename = killed
PrintSftp().send(Path(sys.argv[4]), key=Path(sys.argv[4]).name)
"""


def test_a_kill_between_upload_and_rename_does_no_harm(server, tmp_path, settings):
    folder = folder_to_send(tmp_path)
    command = [sys.executable, "-c", UPLOAD, settings.PRINT_SFTP, settings.PRINT_SFTP_KEY]
    command += [settings.PRINT_SFTP_KNOWN_HOSTS, str(folder)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    root = Path(printing.__file__).parents[2]
    ended = subprocess.run([*command, "killed"], cwd=root, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert delivered(server) == [f".{folder.name}"]  # which the provider does not look at
    assert folder.exists()
    subprocess.run([*command, ""], cwd=root, env=environment, check=True)
    assert delivered(server) == [folder.name]
    assert not folder.exists()
