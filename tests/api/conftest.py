"""Clients of the API, each with a token of its own."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from organisations.access import Actor
from organisations.models import ApiToken, User
from organisations.scopes import Scope


@pytest.fixture
def api() -> Callable[[Actor], APIClient]:
    """``api(actor)``: a client that bears the actor's token."""

    def client_for(actor: Actor) -> APIClient:
        user = User.objects.get(pk=actor.user_id)
        _row, token = ApiToken.objects.create(user, scopes=Scope.values)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return client_for
