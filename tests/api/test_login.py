"""Token login in the demonstration, and giving the token back."""

import pytest
from rest_framework.test import APIClient

from tests.factories import RegionFactory, navigator_actor, user_of

pytestmark = pytest.mark.django_db


def test_a_token_serves_until_it_is_given_back() -> None:
    user = user_of(navigator_actor(RegionFactory()))
    user.set_password("correct horse battery")
    user.save()
    client = APIClient()
    body = {"login": user.login, "password": "correct horse battery"}
    client.credentials(
        HTTP_AUTHORIZATION=client.post("/api/v1/login/", body).json()["authorization"]
    )
    assert client.get("/api/v1/me/").json()["login"] == user.login
    assert client.post("/api/v1/logout/").status_code == 204
    assert client.get("/api/v1/me/").status_code == 401


@pytest.mark.django_db(transaction=True)  # a refusal must not undo what was counted
def test_a_wrong_password_tells_nothing() -> None:
    user = user_of(navigator_actor(RegionFactory()))
    client = APIClient()
    refused = client.post("/api/v1/login/", {"login": user.login, "password": "wrong"})
    unknown = client.post("/api/v1/login/", {"login": "nobody", "password": "wrong"})
    assert refused.status_code == unknown.status_code == 401
    assert refused.json()["detail"] == unknown.json()["detail"]


def test_password_login_is_the_demonstrations_alone(settings: object) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    answer = APIClient().post("/api/v1/login/", {"login": "x", "password": "y"})
    assert answer.status_code == 404


def test_a_token_that_is_not_even_text_is_refused_as_any_other() -> None:
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION="Token å".encode().decode("latin1"))
    assert answer.status_code == 401
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION="Token \xe5")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
