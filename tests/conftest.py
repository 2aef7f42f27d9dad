"""What all tests share. The servers they need are started by ``tests/embedded.py``."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from notices.gateways import breaker
from organisations.acting import Product, act_as

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
def append_only_tables_can_be_emptied() -> Iterator[None]:
    """Let the tests, and nothing else, empty the append-only tables.

    Django empties all tables after a transactional test; the database refuses that for these.
    """
    plain = DatabaseOperations.sql_flush

    def sql_flush(operations: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        statements = plain(operations, *args, **options)
        with operations.connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
                " WHERE NOT tgisinternal AND tgtype & 32 <> 0"  # the server's TRIGGER_TYPE_TRUNCATE
            )
            guarded = [table for (table,) in cursor.fetchall()]
        return [
            "RESET ROLE",
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in guarded),
            *statements,
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in guarded),
            f"SET ROLE {django_settings.DATABASE_APP_ROLE}",
        ]

    flush = DatabaseOperations.execute_sql_flush

    def execute_sql_flush(operations: DatabaseOperations, sql_list: list[str]) -> None:
        # A page that was left may still be saving when its test ends; then the emptying waits for
        # it and it for the emptying, and PostgreSQL ends one of them.
        for _try in range(3):
            try:
                return flush(operations, sql_list)
            except OperationalError:
                operations.connection.close()
        return flush(operations, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


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
