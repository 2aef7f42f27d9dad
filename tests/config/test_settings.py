"""Production runs on given secrets and addresses, or not at all."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import REQUIRED_IN_PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "VARDLOTS_ENV": "production",
    "SECRET_KEY": "zu7Gq0pTkdV3mY9nB1xLwE5rJ8sCfH2aKtPiQoUyNvMjXbZeWgDhRl64",
    "DATABASE_URL": "postgresql://vardlots:secret@database.example/vardlots",
    "REDIS_URL": "redis://broker.example/0",
    "ALLOWED_HOSTS": "vardlots.example",
    "VARDLOTS_BASE_URL": "https://vardlots.example",
    "VARDLOTS_DATA": "/srv/vardlots",
    "VARDLOTS_ENCRYPTION_KEYS": "k2:" + "C" * 42 + "A=,k1:" + "D" * 42 + "A=",
    "VARDLOTS_HASH_KEYS": "k1:" + "E" * 42 + "A=",
    "VARDLOTS_GATEWAY_URL": "https://gateway.example",
    "VARDLOTS_GATEWAY_SECRET": "secret",
    "VARDLOTS_LOG_KEYS": "2:new-secret,1:old-secret",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
    "VARDLOTS_OIDC_ISSUER": "https://idp.example",
    "VARDLOTS_OIDC_CLIENT_ID": "vardlots",
    "VARDLOTS_OIDC_CLIENT_SECRET": "secret",
}


def read_settings(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> dict[str, Any]:
    for name in (*PRODUCTION, *REAL_EID, "DEBUG", "VARDLOTS_DEMO", "CONN_MAX_AGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "config" / "settings.py"))


def test_production_starts_with_everything_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(monkeypatch, PRODUCTION)

    assert settings["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]
    assert settings["DATABASES"]["default"]["HOST"] == "database.example"
    assert settings["DEMO"] is False


@pytest.mark.parametrize("name", REQUIRED_IN_PRODUCTION)
def test_production_refuses_to_start_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        read_settings(monkeypatch, {k: v for k, v in PRODUCTION.items() if k != name})


def test_production_has_no_debug_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(monkeypatch, PRODUCTION | {"DEBUG": "true"})["DEBUG"] is False


def test_production_refuses_demo_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="VARDLOTS_DEMO"):
        read_settings(monkeypatch, PRODUCTION | {"VARDLOTS_DEMO": "true"})


REAL_EID = {
    "VARDLOTS_IDENTITY_ISSUER": "https://eid.example",
    "VARDLOTS_IDENTITY_CLIENT_ID": "vardlots",
    "VARDLOTS_IDENTITY_CLIENT_SECRET": "secret",
}


def test_production_takes_an_e_identification(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(monkeypatch, PRODUCTION | REAL_EID)
    assert settings["IDENTITY_ISSUER"] == "https://eid.example"


@pytest.mark.parametrize(
    "wrong",
    [
        {"VARDLOTS_IDENTITY_ISSUER": "http://eid.example"},
        {"VARDLOTS_IDENTITY_ISSUER": "https://gateway.example/simulated-eid"},
        {"VARDLOTS_IDENTITY_ISSUER": "https://gateway.example/simulated-eid/"},
        {"VARDLOTS_IDENTITY_CLIENT_SECRET": ""},
        {"VARDLOTS_IDENTITY_CLIENT_ID": ""},
    ],
)
def test_production_refuses_a_simulated_or_open_e_identification(
    wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured):
        read_settings(monkeypatch, PRODUCTION | REAL_EID | wrong)


def test_another_database_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="PostgreSQL"):
        read_settings(monkeypatch, {"DATABASE_URL": "sqlite:///vardlots.sqlite3"})


def test_what_start_saved_is_used_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saved = {"VARDLOTS_GATEWAY_URL": "http://127.0.0.1:1", "SECRET_KEY": "saved"}
    (tmp_path / "environment.json").write_text(json.dumps(saved))

    settings = read_settings(
        monkeypatch, {"VARDLOTS_DATA": str(tmp_path), "SECRET_KEY": "from the environment"}
    )

    assert settings["GATEWAY_URL"] == "http://127.0.0.1:1"
    assert settings["SECRET_KEY"] == "from the environment"


def test_what_start_saved_is_nothing_to_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "environment.json").write_text(json.dumps({"SECRET_KEY": "saved"}))
    environment = PRODUCTION | {"VARDLOTS_DATA": str(tmp_path)}
    del environment["SECRET_KEY"]

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        read_settings(monkeypatch, environment)


def test_the_deployment_check_is_clean() -> None:
    environment = os.environ | PRODUCTION
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # for browser tests only

    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
