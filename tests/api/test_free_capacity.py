"""Free places over the API: posted by providers' systems, read by navigators'."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from capacity.models import FreeCapacity
from capacity.slots.weeks import iso_week
from organisations.access import Actor
from organisations.models import ApiToken, Role, User
from referral.models import CaseState
from tests.factories import (
    CareUnitFactory,
    ContractLineFactory,
    FreeCapacityFactory,
    actor_with,
    clinic_actor,
    make_case,
    navigator_actor,
    provider_actor,
)

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]
ADDRESS = "/api/v1/free-capacity/"


def body(unit: Any, **values: Any) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=14)
    return {
        "care_unit": unit.hsa_id,
        "kva": "ngb49",
        "first_week": iso_week(day),
        "last_week": iso_week(day),
        "offered": 4,
        "book_by": str(day - timedelta(days=7)),
    } | values


@pytest.mark.parametrize("who", ["the provider", "the unit's system"])
def test_a_providers_system_posts_changes_and_withdraws(api: Api, who: str) -> None:
    unit = CareUnitFactory()
    system = actor_with(Role.INTEGRATION, region=unit.region, care_unit=unit)
    client = api(provider_actor(unit.provider) if who == "the provider" else system)
    made = client.post(ADDRESS, body(unit), format="json")
    assert (made.status_code, made.json()["left"], made.json()["kva"]) == (201, 4, "NGB49")
    again = client.post(ADDRESS, body(unit), format="json")
    assert (again.status_code, FreeCapacity.objects.count()) == (400, 1)
    one = f"{ADDRESS}{made.json()['id']}/"
    assert client.patch(one, {"offered": 6}, format="json").json()["offered"] == 6
    assert client.post(f"{one}withdraw/", {}, format="json").json()["withdrawn_at"]
    assert client.patch(one, {"offered": 7}, format="json").status_code == 409
    assert len(client.get(ADDRESS).json()["results"]) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"first_week": "vecka 50"}, "first_week"),
        ({"first_week": {"a": 1}}, "first_week"),
        ({"offered": 0}, "offered"),
        ({"asa_ceiling": 5}, "asa_ceiling"),
        ({"kva": "knä"}, "kva"),
        ({"care_unit": "SE1"}, "care_unit"),
        ({"book_by": "2020-01-01"}, "book_by"),
        ({"note": "x" * 301}, "note"),
    ],
)
def test_bad_input_is_answered_at_its_field(api: Api, values: Any, field: str) -> None:
    unit = CareUnitFactory()
    answer = api(provider_actor(unit)).post(ADDRESS, body(unit, **values), format="json")
    assert (answer.status_code, field in str(answer.json())) == (400, True)
    assert not FreeCapacity.objects.exists()


def test_others_do_not_post_and_do_not_find_what_is_not_theirs(api: Api) -> None:
    slot = FreeCapacityFactory()
    stranger = CareUnitFactory()
    clients = {
        api(navigator_actor(stranger.region)): 403,
        api(provider_actor(stranger)): 400,
        api(clinic_actor(stranger)): 403,
    }
    for client, status in clients.items():
        assert client.post(ADDRESS, body(slot.care_unit), format="json").status_code == status
        changed = client.patch(f"{ADDRESS}{slot.pk}/", {"offered": 9}, format="json")
        assert changed.status_code in {403, 404}
    assert FreeCapacity.objects.get().offered == slot.offered


def test_a_token_without_the_scope_may_not_post(api: Api) -> None:
    unit = CareUnitFactory()
    user = User.objects.get(pk=provider_actor(unit).user_id)
    _row, token = ApiToken.objects.create(user, scopes=["free-capacity:read"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.post(ADDRESS, body(unit), format="json").status_code == 403
    assert client.get(ADDRESS).status_code == 200


def test_a_navigator_reads_what_can_be_booked_in_any_order(api: Api) -> None:
    line = ContractLineFactory()
    slot = FreeCapacityFactory(care_unit=line.care_unit)
    yesterday = timezone.localdate() - timedelta(days=1)
    FreeCapacityFactory(book_by=yesterday)
    client = api(navigator_actor(line.contract.owner_region))
    for query in ("", "?q=NGB49", f"?week={iso_week(slot.first_day)}", "?sort=-unit", "?sort=left"):
        assert [row["id"] for row in client.get(ADDRESS + query).json()["results"]] == [slot.pk]
    assert client.get(f"{ADDRESS}?week=50").status_code == 400


def test_an_offer_over_the_api_takes_a_place(api: Api) -> None:
    line = ContractLineFactory()
    slot = FreeCapacityFactory(care_unit=line.care_unit, offered=1)
    made = make_case(CaseState.IN_PROGRESS, line=line)
    client = api(made.navigator)
    offers = f"/api/v1/cases/{made.case.number}/offers/"
    missing = client.post(offers, {"line": line.pk, "slot": slot.pk + 1}, format="json")
    assert missing.status_code == 400
    assert client.post(offers, {"line": line.pk, "slot": slot.pk}, format="json").status_code == 201
    slot.refresh_from_db()
    assert slot.left == 0
