"""Lists: cursor, filters, and queries that do not grow with rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from organisations.access import Actor
from organisations.models import AccessLog
from referral.models import CaseState
from tests.factories import ContractLineFactory, contract_owner_actor, make_case

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]


def count_queries(client: APIClient, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_case_list_takes_as_many_queries_for_many_as_for_one(api: Api) -> None:
    first = make_case()
    client = api(first.navigator)
    client.get("/api/v1/cases/")
    few = count_queries(client, "/api/v1/cases/")
    for _n in range(5):
        make_case(unit=first.unit, line=first.line)
    assert count_queries(client, "/api/v1/cases/") == few


def test_the_contract_list_takes_as_many_queries_for_many_as_for_one(api: Api) -> None:
    line = ContractLineFactory(kva="NGB")
    region = line.contract.owner_region
    client = api(contract_owner_actor(region))
    few = count_queries(client, "/api/v1/contracts/")
    for kva in ("NFB", "CJE", "UJF"):
        ContractLineFactory(kva=kva, contract__owner_region=region)
    assert count_queries(client, "/api/v1/contracts/") == few


def test_the_cursor_leads_through_all_cases_once(api: Api) -> None:
    first = make_case()
    for _n in range(4):
        make_case(unit=first.unit, line=first.line)
    client, seen, address = api(first.navigator), [], "/api/v1/cases/?page_size=2"
    while address:
        page = client.get(address).json()
        seen += [case["number"] for case in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_what_a_list_shows_is_in_the_access_log(api: Api) -> None:
    made = make_case()
    api(made.navigator).get("/api/v1/cases/")
    seen = AccessLog.objects.filter(what="list", user_id=made.navigator.user_id)
    assert [row.case_number for row in seen] == [made.case.number]


def test_filters_and_unknown_views(api: Api) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    client = api(made.navigator)
    assert len(client.get("/api/v1/cases/?state=in_progress").json()["results"]) == 1
    assert client.get("/api/v1/cases/?state=offered").json()["results"] == []
    assert client.get("/api/v1/cases/?view=nonsense").status_code == 400
    assert client.get("/api/v1/cases/?state=nonsense").status_code == 400
    assert client.get("/api/v1/cases/?cursor=nonsense").status_code == 404


def test_the_schema_is_whole(tmp_path: Any) -> None:
    target = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    assert "/api/v1/cases/{number}/offers/" in target.read_text()


def test_an_order_or_view_that_is_unknown_is_refused_at_its_field(api: Api) -> None:
    client = api(make_case().navigator)
    for name in ("sort", "view"):
        answer = client.get(f"/api/v1/cases/?{name}=x")
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [name]


def test_the_notices_of_a_number_with_a_wrong_digit_are_refused_with_the_reason(api: Api) -> None:
    case = make_case()
    wrong = case.case.number[:-1] + str((int(case.case.number[-1]) + 1) % 10)
    answer = api(case.navigator).get(f"/api/v1/cases/{wrong}/notices/")
    assert answer.status_code == 404
    assert "kontrollsiffra" in answer.json()["detail"]
