"""Input that once broke the API, kept as tests (design 5.7)."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from organisations.access import Actor
from referral.models import CaseState
from tests.factories import MadeCase, make_case

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.CONFIRMED)


def assert_refused(answer: Any, status: int) -> None:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("place", ["abc", "1", "9" * 24, "\x00"])
@pytest.mark.parametrize("path", ["cases/?sort=received&", "cases/?", "care-units/?"])
def test_a_cursor_to_no_place_is_not_found(api: Api, made: MadeCase, path: str, place: str) -> None:
    cursor = b64encode(f"p={place}".encode()).decode()
    answer = api(made.navigator).get(f"/api/v1/{path}cursor={cursor}")
    if answer.status_code != 200:  # a number is a place among care units
        assert_refused(answer, 404)


def test_json_nested_too_deep_is_refused(api: Api, made: MadeCase) -> None:
    client = api(made.provider)
    for path in (f"cases/{made.case.number}/book/", "login/"):
        answer = client.post(f"/api/v1/{path}", b"[" * 100_000, content_type="application/json")
        assert_refused(answer, 400)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_time_at_the_end_of_the_calendar_never_breaks(
    api: Api, made: MadeCase, moment: str
) -> None:
    answer = api(made.provider).post(
        f"/api/v1/cases/{made.case.number}/book/", {"booked_for": moment}
    )
    if answer.status_code != 200:
        assert_refused(answer, 400)


def test_half_a_surrogate_pair_is_refused_at_its_field(api: Api, made: MadeCase) -> None:
    answer = api(made.navigator).post(
        f"/api/v1/cases/{made.case.number}/end/",
        b'{"reason": "\\ud800"}',
        content_type="application/json",
    )
    assert_refused(answer, 400)
    assert answer.json()["errors"][0]["field"] == "reason"
