"""A provider for the run, and a browser's walk through it."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client
from rest_framework.test import APIClient

from organisations.access import Actor
from organisations.login import openid
from organisations.models import ApiToken, CareUnit
from organisations.scopes import Scope
from tests.factories import CareUnitFactory, user_of
from tests.organisations.login.provider import CLIENT_ID, CLIENT_SECRET, LOA3, TestProvider

BASE_URL = "http://testserver"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[TestProvider]:
    with TestProvider().running() as provider:
        provider.register(f"{BASE_URL}/login/siths/callback/")
        yield provider


@pytest.fixture
def provider(running_provider: TestProvider, settings: Any) -> TestProvider:
    """The provider in good order, with the settings that lead to it."""
    settings.OIDC_ISSUER = running_provider.issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.BASE_URL = BASE_URL
    running_provider.claims, running_provider.userinfo = {}, {}
    running_provider.tamper = None
    running_provider.signs_with_another_key = running_provider.unsigned = False
    running_provider.cancels = running_provider.ends_sessions = False
    # A client keeps the metadata that it has fetched.
    openid.client_for.cache_clear()
    running_provider.token_requests = 0
    return running_provider


@pytest.fixture
def api() -> Callable[..., APIClient]:
    """``api(actor, *scopes)``: a client with a token for the scopes, or for all of them."""

    def client_for(actor: Actor, *scopes: str, **token: Any) -> APIClient:
        user = user_of(actor)
        _row, secret = ApiToken.objects.create(user, scopes=scopes or Scope.values, **token)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        return client

    return client_for


@pytest.fixture
def clinic() -> CareUnit:
    return CareUnitFactory.create(sends=True)


def claims_of(unit: CareUnit, **changes: Any) -> dict[str, Any]:
    """What Inera's provider says of someone with a commission for care at the unit."""
    claims = {
        "acr": LOA3,
        "employeeHsaId": "SE2321000000-P001",
        "name": "Åsa Öhman",
        "commissionHsaId": unit.hsa_id,
        "commissionPurpose": "Vård och behandling",
        "commissionRight": ["Läsa;alla;SJF"],
        "healthCareProviderHsaId": "SE2321000000-VG01",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def to_the_callback(client: Client, **query: str) -> str:
    """Begin a login and walk through the provider; the address it sends the browser back to."""
    away = client.get("/login/siths/", query)
    assert away.status_code == 302, away.content.decode()
    back = httpx.get(away["Location"], follow_redirects=False)
    assert back.status_code == 302, back.text
    parts = urlsplit(back.headers["Location"])
    return f"{parts.path}?{parts.query}"


def log_in(client: Client, **query: str) -> Any:
    return client.get(to_the_callback(client, **query))
