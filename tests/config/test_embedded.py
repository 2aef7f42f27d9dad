"""The embedded servers start, are shared, survive being killed and stop with their last user."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import (
    Services,
    celery_broker_url,
    database_url,
    ensure_secrets,
    redis_url,
    saved_environment,
    services_for_command,
)
from config.embedded.places import Places

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_addresses_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "VARDLOTS_ENV"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data() -> Iterator[Path]:
    """An empty data directory; pytest's own are too deep for a socket's path."""
    with tempfile.TemporaryDirectory(
        prefix="vardlots-embedded-", ignore_cleanup_errors=True
    ) as name:
        directory = Path(name) / "var"
        yield directory
        if directory.exists():
            Services(directory).stop_abandoned()
            shutil.rmtree(Places(directory).sockets, ignore_errors=True)


def services(data: Path) -> Services:
    return Services(data, durable=False)


def runs(data: Path) -> bool:
    try:
        psycopg.connect(database_url(data)).close()
    except psycopg.OperationalError:
        return False
    return True


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().split()[0]))


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_until_gone(process: psutil.Process) -> None:
    deadline = time.monotonic() + 10
    while not gone(process):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_data_is_there_after_a_restart(data: Path) -> None:
    with services(data), psycopg.connect(database_url(data)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'å' AS letter")
    assert not runs(data)

    with services(data), psycopg.connect(database_url(data)) as connection:
        assert connection.execute("SELECT letter FROM kept").fetchone() == ("å",)


def test_the_products_role_is_bound_by_row_level_security(data: Path) -> None:
    with services(data), psycopg.connect(database_url(data)) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

    assert row == (False, False)


def test_the_same_letters_and_order_on_every_machine(data: Path) -> None:
    with services(data), psycopg.connect(database_url(data)) as connection:
        row = connection.execute(
            "SELECT upper('åäö'), current_setting('timezone'), datlocprovider, datlocale"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()

    assert row == ("ÅÄÖ", "UTC", "b", "C.UTF-8")


def test_valkey_answers_the_cache_and_the_broker(data: Path) -> None:
    from kombu import Connection

    with services(data):
        with contextlib.closing(redis.Redis.from_url(redis_url(data))) as client:
            assert client.ping()
        with Connection(celery_broker_url(redis_url(data))) as connection:
            connection.ensure_connection(max_retries=1)
            assert connection.connected


def test_the_last_user_stops_the_servers(data: Path) -> None:
    first, second = services(data), services(data)
    first.start()
    second.start()

    first.stop()
    assert runs(data)
    second.stop()
    assert not runs(data)


def test_racing_starters_share_one_server(data: Path) -> None:
    racers = [services(data) for _ in range(4)]
    with ThreadPoolExecutor(len(racers)) as pool:
        list(pool.map(Services.start, racers))
        server = postmaster(data)
        assert runs(data)
        list(pool.map(Services.stop, racers))

    assert gone(server)


def test_a_killed_server_with_its_number_reused_does_not_stand_in_the_way(data: Path) -> None:
    user = services(data)
    user.start()
    server = postmaster(data)
    server.send_signal(signal.SIGKILL)
    wait_until_gone(server)
    pid_file = data / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    # As after a reboot: the number belongs to a living process of somebody else's.
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    assert user.ensure_running() == ["Postgres"]

    assert runs(data)
    user.stop()


def test_servers_of_a_killed_starter_are_taken_over_and_stopped(data: Path) -> None:
    program = (
        "import pathlib, sys, time; from config.embedded import Services;"
        "Services(pathlib.Path(sys.argv[1]), durable=False).start();"
        "print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(data)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        starter.kill()
    server = postmaster(data)

    with services(data):
        assert postmaster(data) == server

    assert gone(server)


def test_an_interrupted_first_start_leaves_nothing_half_made(data: Path) -> None:
    half = data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with services(data):
        assert runs(data)


@pytest.mark.parametrize("name", ["Åsas data, 2026", "d" * 120, "it's"])
def test_any_data_directory_will_do(data: Path, name: str) -> None:
    directory = data / name

    with services(directory):
        assert runs(directory)
        with contextlib.closing(redis.Redis.from_url(redis_url(directory))) as client:
            assert client.ping()

    shutil.rmtree(Places(directory).sockets, ignore_errors=True)


def test_data_of_another_version_is_refused_in_words(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(Exception, match="PostgreSQL 17"):
        services(data).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs the servers as someone else.")
def test_for_root_the_servers_run_as_another_user_and_nothing_is_opened_to_others(
    data: Path,
) -> None:
    data.parent.chmod(0o700)

    with services(data):
        assert postmaster(data).uids().real != 0

    for directory in (data.parent, data, data / "run"):
        assert not directory.stat().st_mode & stat.S_IRWXO


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    first = saved_environment(tmp_path)
    ensure_secrets(tmp_path)

    assert saved_environment(tmp_path) == first
    assert len(first["SECRET_KEY"]) >= 50
    assert first["SECRET_KEY"] != first["VARDLOTS_GATEWAY_SECRET"]
    assert stat.S_IMODE((tmp_path / "environment.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("command", ["check", "start", "makemessages", "--help", "--version"])
def test_commands_without_a_database_start_none(
    command: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VARDLOTS_DATA", str(data))

    with services_for_command(["manage.py", command]):
        assert not data.exists()


def test_a_command_borrows_the_servers_and_gives_them_back(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VARDLOTS_DATA", str(data))

    with services_for_command(["manage.py", "run_due"]):
        assert runs(data)
    assert not runs(data)

    with services(data):
        with services_for_command(["manage.py", "run_due"]):
            pass
        assert runs(data)


def test_given_addresses_are_used_and_nothing_is_started(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VARDLOTS_DATA", str(data))
    monkeypatch.setenv("DATABASE_URL", "postgresql://database.example/vardlots")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example/0")

    with services_for_command(["manage.py", "migrate"]):
        assert not data.exists()
    assert database_url(data) == "postgresql://database.example/vardlots"
    assert celery_broker_url(redis_url(data)) == "redis://broker.example/0"
