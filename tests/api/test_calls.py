"""Calls over the API: free times, a call asked for or booked, and how it ended."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.callbacks.times import Series, open_times
from notices.models import CallBack, PhoneTime
from organisations.access import Actor
from referral.models import CaseState
from tests.factories import MadeCase, RegionFactory, make_case, navigator_actor, provider_actor

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]
TIMES = "/api/v1/phone-times/"


def a_case() -> MadeCase:
    return make_case(CaseState.IN_PROGRESS, phone="070-123 45 67")


def wrong(answer: Any) -> list[str]:
    return [row["field"] for row in answer.json()["errors"]]


def two_times(actor: Actor) -> list[PhoneTime]:
    day = timezone.localdate() + timedelta(days=7)
    day -= timedelta(days=day.weekday())  # a Monday to come
    day += timedelta(days=7)
    hour = Series(first_day=day, last_day=day, start=time(9), end=time(10), minutes=30)
    return open_times(hour, actor=actor, now=timezone.now())


def test_a_call_is_booked_on_a_free_time_which_is_then_taken(api: Api) -> None:
    made = a_case()
    first, second = two_times(made.navigator)
    client = api(made.navigator)
    assert [row["id"] for row in client.get(TIMES).json()] == [first.pk, second.pk]
    calls = f"/api/v1/cases/{made.case.number}/calls/"
    answer = client.post(calls, {"about": "Resan", "time_id": first.pk}, format="json")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["state"] == "booked"
    assert answer.json()["phone"] == "070-123 45 67"
    assert [row["id"] for row in client.get(TIMES).json()] == [second.pk]
    again = client.post(calls, {"about": "Resan", "time_id": second.pk}, format="json")
    assert again.status_code == 409
    assert [row["time"]["id"] for row in client.get(calls).json()] == [first.pk]
    other = make_case(CaseState.IN_PROGRESS, line=made.line, phone="070-123 45 68")
    taken = api(other.navigator).post(
        f"/api/v1/cases/{other.case.number}/calls/",
        {"about": "Resan", "time_id": first.pk},
        format="json",
    )
    assert (taken.status_code, "time_id" in wrong(taken)) == (400, True)


@pytest.mark.parametrize(
    ("told", "state"),
    [({"ending": "done", "outcome": "Tackar ja."}, "done"), ({"ending": "cancelled"}, "cancelled")],
)
def test_a_call_asked_for_ends_as_told(api: Api, told: dict[str, str], state: str) -> None:
    made = a_case()
    client, calls = api(made.navigator), f"/api/v1/cases/{made.case.number}/calls/"
    asked = client.post(calls, {"about": "Resan"}, format="json").json()
    assert (asked["state"], asked["time"]) == ("asked", None)
    ended = client.post(f"{calls}{asked['id']}/end/", told, format="json")
    assert (ended.status_code, ended.json()["state"]) == (200, state)
    assert client.post(f"{calls}{asked['id']}/end/", told, format="json").status_code == 409


def test_nobody_answered_leaves_a_new_call_to_make(api: Api) -> None:
    made = a_case()
    client, calls = api(made.navigator), f"/api/v1/cases/{made.case.number}/calls/"
    asked = client.post(calls, {"about": "Resan"}, format="json").json()
    new = client.post(f"{calls}{asked['id']}/end/", {"ending": "missed"}, format="json").json()
    assert (new["state"], new["tries"]) == ("asked", 1)
    assert [row["state"] for row in client.get(calls).json()] == ["asked", "missed"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "about"),
        ({"about": " "}, "about"),
        ({"about": "x" * 201}, "about"),
        ({"about": "Resan", "phone": "ring mig"}, "phone"),
        ({"about": "Resan", "time_id": 10**30}, "time_id"),
        ({"about": "Resan", "time_id": 4711}, "time_id"),
        ({"about": "Resan", "time_id": None}, "time_id"),
    ],
)
def test_a_call_that_cannot_be_is_refused_at_the_field(
    api: Api, body: dict[str, Any], field: str
) -> None:
    made = a_case()
    client = api(made.navigator)
    answer = client.post(f"/api/v1/cases/{made.case.number}/calls/", body, format="json")
    assert (answer.status_code, field in wrong(answer)) == (400, True)
    assert not CallBack.objects.exists()


def test_a_done_call_needs_words_and_another_cases_call_is_not_found(api: Api) -> None:
    made, other = a_case(), a_case()
    client, calls = api(made.navigator), f"/api/v1/cases/{made.case.number}/calls/"
    asked = client.post(calls, {"about": "Resan"}, format="json").json()
    silent = client.post(f"{calls}{asked['id']}/end/", {"ending": "done"}, format="json")
    assert (silent.status_code, "outcome" in wrong(silent)) == (400, True)
    elsewhere = f"/api/v1/cases/{other.case.number}/calls/{asked['id']}/end/"
    assert (
        api(other.navigator).post(elsewhere, {"ending": "missed"}, format="json").status_code == 404
    )


def test_a_provider_and_another_region_have_no_part_in_it(api: Api) -> None:
    made = a_case()
    calls = f"/api/v1/cases/{made.case.number}/calls/"
    provider = api(provider_actor(made.line.contract.provider))
    assert provider.get(TIMES).status_code == 403
    assert provider.post(calls, {"about": "Resan"}, format="json").status_code == 403
    elsewhere = api(navigator_actor(RegionFactory(code="12")))
    assert elsewhere.get(calls).status_code == 404
    two_times(made.navigator)
    assert elsewhere.get(TIMES).json() == []
