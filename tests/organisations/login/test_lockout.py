"""Failed logins lock for a while; limits answer with how long to wait."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from organisations.login.lockout import (
    ADDRESS_LIMIT,
    LOGIN_LIMIT,
    PAIR_LIMIT,
    WINDOW,
    attempt,
    sweep_failed_logins,
)
from organisations.models import FailedLogin, User
from organisations.throttling import API_USER, client_address
from tests.concurrency import together
from tests.factories import RegionFactory, navigator_actor, stockholm, user_of

NOW = stockholm(2026, 3, 10, 9)
PASSWORD = "correct horse battery"


@pytest.fixture
def user(db: None) -> User:
    user = user_of(navigator_actor(RegionFactory()))
    user.set_password(PASSWORD)
    user.save()
    return user


def test_after_five_wrong_passwords_not_even_the_right_one_lets_in(user: User) -> None:
    client = Client()
    for _n in range(PAIR_LIMIT):
        wrong = client.post("/login/", {"username": user.login, "password": "wrong"})
        assert wrong.status_code == 200
    locked = client.post("/login/", {"username": user.login, "password": PASSWORD})
    assert locked.status_code == 429
    assert 0 < int(locked["Retry-After"]) <= WINDOW.total_seconds() + 1
    assert "Vänta en stund" in locked.content.decode()


@pytest.mark.django_db(transaction=True)  # a refusal must not undo what was counted
def test_the_api_locks_in_the_same_way_and_says_it_as_a_problem(user: User) -> None:
    client, body = APIClient(), {"login": user.login, "password": "wrong"}
    answers = [client.post("/api/v1/login/", body) for _n in range(PAIR_LIMIT + 1)]
    assert [a.status_code for a in answers] == [401] * PAIR_LIMIT + [429]
    assert answers[-1].json()["title"] == "För många förfrågningar"
    assert int(answers[-1]["Retry-After"]) > 0


def test_the_right_password_forgets_the_failures(user: User) -> None:
    client = Client()
    for _n in range(PAIR_LIMIT - 1):
        client.post("/login/", {"username": user.login, "password": "wrong"})
    assert client.post("/login/", {"username": user.login, "password": PASSWORD}).status_code == 302
    assert not FailedLogin.objects.exists()


@pytest.mark.django_db
def test_someone_elses_tries_from_elsewhere_do_not_lock_me_out() -> None:
    for _n in range(PAIR_LIMIT + 1):
        attempt(login="me", address="198.51.100.1", now=NOW)
    assert attempt(login="me", address="198.51.100.1", now=NOW).wait_seconds
    assert not attempt(login="me", address="192.0.2.1", now=NOW).wait_seconds
    assert not attempt(login="you", address="198.51.100.1", now=NOW).wait_seconds


@pytest.mark.django_db
def test_many_addresses_on_one_login_lock_it() -> None:
    tries = [attempt(login="me", address=f"192.0.2.{n}", now=NOW) for n in range(LOGIN_LIMIT + 1)]
    assert [bool(t.wait_seconds) for t in tries] == [False] * LOGIN_LIMIT + [True]


@pytest.mark.django_db
def test_many_logins_from_one_address_lock_it() -> None:
    tries = [attempt(login=f"u{n}", address="192.0.2.1", now=NOW) for n in range(ADDRESS_LIMIT + 1)]
    assert [bool(t.wait_seconds) for t in tries] == [False] * ADDRESS_LIMIT + [True]


@pytest.mark.django_db
def test_the_lock_ends_when_it_said_and_not_before() -> None:
    for _n in range(PAIR_LIMIT):
        attempt(login="me", address="192.0.2.1", now=NOW)
    wait = attempt(login="me", address="192.0.2.1", now=NOW).wait_seconds
    early, due = NOW + timedelta(seconds=wait - 2), NOW + timedelta(seconds=wait)
    assert attempt(login="me", address="192.0.2.1", now=early).wait_seconds
    assert not attempt(login="me", address="192.0.2.1", now=due).wait_seconds


class NeverMoreThanTheLimit(TestCase):
    @examples(max_examples=25)
    @given(st.lists(st.integers(0, 1800), min_size=6, max_size=20))
    def test_in_any_quarter_no_more_than_five_tries_are_judged(self, seconds: list[int]) -> None:
        judged = []
        for second in sorted(seconds):
            now = NOW + timedelta(seconds=second)
            if not attempt(login="me", address="192.0.2.1", now=now).wait_seconds:
                judged.append(now)
        for start in judged:
            assert sum(start <= t < start + WINDOW for t in judged) <= PAIR_LIMIT


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_get_no_further_than_tries_in_a_row() -> None:
    now = timezone.now()
    tries = together([lambda: attempt(login="me", address="192.0.2.1", now=now).wait_seconds] * 12)
    assert sum(wait == 0 for wait in tries) <= PAIR_LIMIT


@pytest.mark.django_db
def test_what_was_typed_as_login_is_not_stored() -> None:
    attempt(login="MyPasswordByMistake", address="192.0.2.1", now=NOW)
    assert "mypassword" not in FailedLogin.objects.get().login.lower()


@pytest.mark.django_db
def test_failures_that_count_no_more_are_deleted() -> None:
    attempt(login="me", address="192.0.2.1", now=NOW)
    assert sweep_failed_logins(now=NOW + WINDOW - timedelta(seconds=1)) == 0
    assert sweep_failed_logins(now=NOW + WINDOW) == 1


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "no address", "unknown"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_address_is_what_the_trusted_proxy_saw(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == address


@pytest.mark.django_db
@pytest.mark.parametrize("rate", ["api_user", "api_address"])
def test_the_api_is_limited_by_user_and_by_address(
    user: User, settings: Any, api: Any, rate: str
) -> None:
    caches["default"].clear()
    settings.RATES = settings.RATES | {rate: 2}
    client = api(navigator_actor(RegionFactory()))
    answers = [client.get("/api/v1/me/") for _n in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60


@pytest.mark.django_db
def test_tokens_cannot_be_tried_without_end(settings: Any) -> None:
    caches["default"].clear()
    settings.RATES = settings.RATES | {"bad_tokens": 2}
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token " + "a" * 64)
    assert [client.get("/api/v1/me/").status_code for _n in range(4)] == [401, 401, 429, 429]


@pytest.mark.django_db
def test_callbacks_without_a_signature_are_limited(settings: Any) -> None:
    caches["default"].clear()
    settings.RATES = settings.RATES | {"bad_callbacks": 1}
    answers = [
        Client().post("/gateway/1177/callback/", b"{}", content_type="application/json")
        for _n in range(2)
    ]
    assert [a.status_code for a in answers] == [401, 429]


@pytest.mark.django_db
def test_the_login_pages_are_limited(settings: Any) -> None:
    caches["default"].clear()
    settings.RATES = settings.RATES | {"login_pages": 1}
    answers = [Client().get("/login/siths/callback/?error=access_denied") for _n in range(2)]
    assert [a.status_code for a in answers] == [403, 429]


@pytest.mark.django_db
def test_without_redis_the_api_answers_and_still_limits(settings: Any, api: Any) -> None:
    client = api(navigator_actor(RegionFactory()))
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"},
        "process": settings.CACHES["process"] | {"LOCATION": "without redis"},
    }
    settings.RATES = settings.RATES | {"api_user": 2}
    assert [client.get("/api/v1/me/").status_code for _n in range(3)] == [200, 200, 429]
    assert API_USER.wait("nobody") == 0
