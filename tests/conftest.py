"""What all tests share. The servers they need are started by ``tests/embedded.py``."""

import gc
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management.commands import flush as flush_command
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from notices.gateways import breaker
from organisations.acting import Product, act_as
from tests import emptying

# A busy machine is no fault of the code; what was found wrong becomes a test of its own.
settings.register_profile(
    "vardlots",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("vardlots")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_CHROMIUM = f"No chromium on this machine (looked for {', '.join(CHROMIUM_NAMES)})."


def chromium_path() -> str | None:
    """Return the program of the machine's own chromium; Playwright's builds are not used."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


# A password's hash is slow on purpose; none of the tests' passwords is worth guessing.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Tests prepare and look as the product; what a person may see is asked as that person.
act_as(Product("tests"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database is made by its owner; the tests then work as the application's role."""
    options = connection.settings_dict["OPTIONS"]
    with django_db_blocker.unblock():
        connection.close()
        options["assume_role"] = django_settings.DATABASE_APP_ROLE
        yield
        connection.close()
        del options["assume_role"]


@pytest.fixture(scope="session", autouse=True)
def tables_are_emptied_row_by_row() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", emptying.execute_sql_flush)
        patch.setattr(flush_command, "emit_post_migrate_signal", lambda *_args, **_options: None)
        yield


def pytest_collection_finish() -> None:
    """Let what has been loaded be, and look for cycles among what the tests make more seldom.

    Else every few hundred objects Python walks through all of Django and of the tests again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and chromium_path() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_CHROMIUM, pytrace=False)
        pytest.skip(NO_CHROMIUM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} browser tests skipped: {NO_CHROMIUM}", yellow=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window, one for each module: Playwright's loop, which runs as long as it
    does, stands in the way of tests that run loops of their own. Each test makes contexts."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _gateways_begin_well(settings: Any) -> Iterator[None]:
    """No breaker of one test holds what the next one sends; those of breakers set their own."""
    settings.GATEWAY_BREAKER_FAILURES = 0
    settings.GATEWAY_BREAKER_CACHE = "process"
    breaker.forget()
    yield
    breaker.forget()
