"""Probes are told whether the product lives and is ready, and nothing else."""

import json

import pytest
import redis
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client

from config.monitoring import probes
from organisations.models import AccessLog

pytestmark = pytest.mark.django_db

SECRET = "redis://:secret@broker.example"


def ready() -> tuple[int, dict[str, str]]:
    answer = Client().get("/readyz")
    return answer.status_code, json.loads(answer.content)


def test_the_process_lives_without_asking_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_all_well_is_ready():
    parts = dict.fromkeys(("database", "migrations", "redis", "keys", "static"), "ok")
    assert ready() == (200, {"status": "ready"} | parts)
    assert not AccessLog.objects.exists()


def test_without_the_database_it_is_not_ready(monkeypatch):
    def away(*args: object) -> None:
        raise OperationalError(SECRET)

    monkeypatch.setattr(connection, "cursor", away)
    status, parts = ready()
    assert status == 503
    assert (parts["database"], parts["migrations"]) == ("not ready", "not ready")
    assert parts["keys"] == "ok"


def test_with_a_migration_to_run_it_is_not_ready():
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)"
        )
    status, parts = ready()
    assert (status, parts["database"], parts["migrations"]) == (503, "ok", "not ready")


def test_without_redis_it_is_not_ready(monkeypatch):
    def away(*args: object) -> None:
        raise redis.ConnectionError(SECRET)

    monkeypatch.setattr(type(caches["default"]), "get", away)
    status, parts = ready()
    assert (status, parts["redis"], parts["database"]) == (503, "not ready", "ok")


@pytest.mark.parametrize("name", ["ENCRYPTION_KEYS", "HASH_KEYS"])
def test_with_a_key_that_cannot_be_read_it_is_not_ready(name, settings):
    setattr(settings, name, "k1:c2hvcnQ=")
    status, parts = ready()
    assert (status, parts["keys"]) == (503, "not ready")


def test_why_it_is_not_ready_is_never_told(monkeypatch):
    def away() -> bool:
        raise ValueError(SECRET)

    monkeypatch.setattr(probes, "CHECKS", dict.fromkeys(probes.CHECKS, away))
    assert "secret" not in Client().get("/readyz").content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_asks_by_address_without_tls(path, settings):
    settings.ALLOWED_HOSTS = ["vardlots.example"]
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(path, headers={"host": "10.0.0.7:8000"})
    assert answer.status_code == 200
    assert Client().get("/login/", headers={"host": "10.0.0.7:8000"}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_never_asked_to_wait(path, settings):
    settings.RATES = dict.fromkeys(settings.RATES, 0)
    assert {Client().get(path).status_code for _ in range(5)} == {200}
    assert Client().post(path).status_code == 405
