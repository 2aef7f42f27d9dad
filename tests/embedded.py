"""A pytest plugin: one PostgreSQL and one Valkey for the run, gone when it ends.

It stands in ``addopts`` since a conftest comes too late: pytest-django reads the settings before.
The processes of pytest-xdist share the servers. Each has its own database (by pytest-django), its
own number in Valkey and its own data directory.
"""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest

from config.embedded import Services
from config.embedded.places import Places
from config.embedded.urls import DATABASE, postgres_url, valkey_url

DIRECTORY_PREFIX = "vardlots-test-"
OLD_SECONDS = 600
_DIRECTORY_VARIABLE = "VARDLOTS_TEST_DIRECTORY"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the servers, in the first process only, and point the settings at them."""
    options = early_config.known_args_namespace
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not (worker or options.help or options.version):
        _start(early_config)
    if _DIRECTORY_VARIABLE in os.environ:
        _use(Path(os.environ[_DIRECTORY_VARIABLE]), worker)
    return (yield)


def _start(config: pytest.Config) -> None:
    _clear_up_after_killed_runs()
    directory = Path(tempfile.mkdtemp(prefix=DIRECTORY_PREFIX))
    services = Services(
        directory,
        postgres=not os.environ.get("DATABASE_URL"),
        valkey=not os.environ.get("REDIS_URL"),
        durable=False,
    )
    os.environ[_DIRECTORY_VARIABLE] = os.fspath(directory)

    def stop() -> None:
        os.environ.pop(_DIRECTORY_VARIABLE, None)
        services.stop()
        shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(Places(directory).sockets, ignore_errors=True)

    # Runs whatever happens to the tests, Ctrl-C and a broken configuration included.
    config.add_cleanup(stop)
    signal.signal(signal.SIGTERM, _end)
    services.start()


def _use(directory: Path, worker: str) -> None:
    places = Places(directory)
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    data = directory / (worker or "main")
    data.mkdir(exist_ok=True)
    os.environ.update(VARDLOTS_ENV="test", VARDLOTS_DATA=os.fspath(data))
    # To make the database; tests/conftest.py steps down before the first test.
    os.environ["VARDLOTS_AS_OWNER"] = "true"
    # Only what was started here: someone else's servers keep the addresses given for them.
    if places.postgres_socket.exists():
        os.environ["DATABASE_URL"] = postgres_url(places, database=DATABASE)
    if places.valkey_socket.exists():
        os.environ["REDIS_URL"] = valkey_url(places, number=number)
    # A test that asks a thousand times is no attacker; the limits' own tests set them.
    for name in ("API_USER", "API_ADDRESS", "BAD_TOKENS", "LOGIN_PAGES", "BAD_CALLBACKS"):
        os.environ.setdefault(f"VARDLOTS_RATE_{name}", "1000000")
    # A live server's threads must not keep the database from being dropped.
    os.environ["CONN_MAX_AGE"] = "0"
    # Playwright's synchronous interface runs an event loop in the thread that also uses the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def _clear_up_after_killed_runs() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = directory.stat()
            # A young one may belong to a run that has not come to starting its servers.
            old = time.time() - status.st_mtime > OLD_SECONDS
            if old and status.st_uid == os.geteuid() and Services(directory).stop_abandoned():
                shutil.rmtree(directory, ignore_errors=True)


def _end(signum: int, frame: FrameType | None) -> None:
    # As Ctrl-C does, so that pytest ends in order.
    raise KeyboardInterrupt
