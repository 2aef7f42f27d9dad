"""What the patient looks at and does on the own page stands in the access log, as the patient."""

from typing import Any

import pytest
from django.test import Client

from organisations.access import as_product
from organisations.models import AccessLog
from referral.models import CaseState
from tests.factories import MadeCase, make_case

pytestmark = pytest.mark.django_db
CALL = {"time_id": "", "phone": "070-123 45 67", "about": "Resan"}


@pytest.fixture
def made() -> MadeCase:
    return make_case(CaseState.OFFERED)


@pytest.fixture
def client(made: MadeCase, enter: Any) -> Client:
    return enter(made)


VISITS: dict[str, tuple[str, dict[str, Any] | None, set[str]]] = {
    "case": ("", None, {"own_page"}),
    "accept": ("accept/", None, {"own_page_answer"}),
    "accepted": ("accept/", {"serial": 1}, {"own_page_answer", "accept"}),
    "decline": ("decline/", None, {"own_page_answer"}),
    "declined": (
        "decline/",
        {"serial": 1, "reason": "travel"},
        {"own_page_answer", "decline"},
    ),
    "refused": ("decline/", {"serial": 1}, {"own_page_answer"}),
    "receipt": ("receipt/", None, {"own_page"}),
    "call": ("call/", None, {"own_page_call"}),
    "called": ("call/", CALL, {"own_page_call", "call_asked"}),
    "cancelled": ("call/cancel/", {}, {"own_page_call"}),
}


@pytest.mark.parametrize("name", VISITS)
def test_each_page_leaves_its_row(made, client, name):
    path, sent, wanted = VISITS[name]
    address = f"/svar/case/{path}"
    with as_product("test"):
        before = AccessLog.objects.latest("pk").pk
    client.get(address) if sent is None else client.post(address, sent)
    with as_product("test"):
        rows = list(AccessLog.objects.filter(pk__gt=before))
    assert {row.what for row in rows} == wanted
    assert {(row.case_number, row.role, row.user_id) for row in rows} == {
        (made.case.number, "patient", None)
    }


@pytest.mark.parametrize("path", ["/svar/", "/svar/identify/", "/svar/identified/", "/svar/leave/"])
def test_what_shows_nobody_writes_nothing(made, path):
    client = Client()
    client.get(path)
    client.post(path)
    client.get(f"/svar/{made.case.number}/")
    with as_product("test"):
        assert not AccessLog.objects.filter(what__startswith="own_page").exists()
