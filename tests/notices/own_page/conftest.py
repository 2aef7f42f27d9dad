"""A patient with a code, a browser without scripts, and somewhere to identify."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.test import Client

from notices.own_page.codes import answer_code
from notices.simulator.identity import CLIENT_ID, ROOT
from organisations.login import openid
from tests.factories import MadeCase
from tests.notices.conftest import Gateway

BASE_URL = "http://testserver"


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    caches["default"].clear()
    caches["process"].clear()


@pytest.fixture
def provider(gateway: Gateway, settings: Any) -> str:
    """The simulated e-identification over HTTP; gives its issuer."""
    settings.BASE_URL = BASE_URL
    settings.IDENTITY_ISSUER = gateway.url + ROOT
    settings.IDENTITY_CLIENT_ID, settings.IDENTITY_CLIENT_SECRET = CLIENT_ID, ""
    openid.client_for.cache_clear()
    return str(settings.IDENTITY_ISSUER)


def code_of(made: MadeCase) -> str:
    return answer_code(made.case.number, serial=1)


def give_code(client: Client, made: MadeCase, **changes: str) -> Any:
    typed = {"number": made.case.number, "code": code_of(made)} | changes
    return client.post("/svar/", typed)


def to_the_provider(client: Client) -> str:
    away = client.post("/svar/identify/")
    assert away.status_code == 302, away.content.decode()
    return str(away["Location"])


def back_from(address: str, *, number: str, answer: str = "yes") -> str:
    """What the provider sends the browser back to, once the person has identified."""
    said = httpx.post(address, data={"identity_number": number, "answer": answer})
    assert said.status_code == 302, said.text
    parts = urlsplit(said.headers["Location"])
    return f"{parts.path}?{parts.query}"


def identify(client: Client, number: str, **more: str) -> Any:
    return client.get(back_from(to_the_provider(client), number=number, **more))


def walk_in(made: MadeCase, client: Client | None = None) -> Client:
    """A browser where the patient has come in."""
    client = client or Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "sv"
    assert give_code(client, made).status_code == 302
    done = identify(client, made.patient.identity_number)
    assert (done.status_code, done.get("Location")) == (302, "/svar/case/"), done.content.decode()
    return client


@pytest.fixture
def enter(provider: str) -> Callable[..., Client]:
    return walk_in
