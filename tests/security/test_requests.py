"""What a request can say that it must not get: another page, method, field or character."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django import forms as django_forms
from django.apps import apps
from django.forms.models import BaseModelForm
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.test import APIClient

from config.api import ProblemSchemaGenerator
from organisations.login.views import _next
from organisations.models import ApiToken, User
from organisations.scopes import Scope
from referral.models import Case, CaseState, Offer
from referral.submission import Submission
from tests.access.test_every_route import all_routes
from tests.api.test_whole_way import form
from tests.factories import CareUnitFactory, MadeCase, clinic_actor, make_case, user_of

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "//testserver:80@evil.example",
    "http://[evil",
]


@pytest.mark.parametrize("goal", ELSEWHERE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_next_leads_to_our_own_pages_only(goal, method):
    request = getattr(RequestFactory(), method)("/login/", {"next": goal})
    assert _next(request).startswith("/")
    assert not _next(request).startswith(("//", "/\\"))
    user = user_of(make_case().navigator)
    client = Client()
    client.force_login(user)
    answer = client.get("/login/", {"next": goal})
    assert answer.status_code == 302
    assert answer.url.startswith("/")
    assert "evil" not in answer.url


def test_next_leads_on_to_a_page_of_ours():
    request = RequestFactory().get("/login/", {"next": "/cases/?view=all"})
    assert _next(request) == "/cases/?view=all"


def api_of(made: MadeCase) -> APIClient:
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(made.navigator), scopes=Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Method"]
)
def test_a_header_or_a_field_makes_no_other_method_of_a_request(header):
    made = make_case()
    api, address = api_of(made), f"/api/v1/cases/{made.case.number}/"
    read = api.get(address, headers={header: "DELETE"})
    assert read.status_code == 200
    assert api.post(address, {"_method": "DELETE"}, headers={header: "DELETE"}).status_code == 405
    take = f"{address}take/"
    assert api.get(take, headers={header: "POST"}).status_code == 405
    assert made.refresh().state == CaseState.RECEIVED


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_methods_that_nothing_uses_are_refused_everywhere(method):
    made = make_case(CaseState.ACCEPTED)
    pages, before = Client(), Case.objects.values().get()
    pages.force_login(user_of(made.navigator))
    api = api_of(made)
    for address in (f"/api/v1/cases/{made.case.number}/", "/api/v1/cases/", "/api/v1/me/"):
        answer = api.generic(method.upper(), address)
        assert answer.status_code == 405, address
    for name, keys in (("worklist", {}), ("case", {"number": made.case.number})):
        answer = getattr(pages, method)(reverse(name, kwargs=keys))
        assert answer.status_code in {200, 405}  # a page is shown, never changed
    assert Case.objects.values().get() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "text/x"])
def test_the_api_takes_json_alone(kind):
    made = make_case()
    answer = api_of(made).generic(
        "POST", f"/api/v1/cases/{made.case.number}/note/", b"text=x", content_type=kind
    )
    assert answer.status_code in {400, 415}
    assert answer["Content-Type"] == "application/problem+json"


# Mass assignment


def bodies() -> Iterator[tuple[str, str]]:
    """Every operation of the API that takes a body, and the serializer that reads it."""
    schema = ProblemSchemaGenerator().get_schema(request=None, public=True)
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:  # else none, or a file, which is no fields
                name = body["schema"].get("$ref", "").rpartition("/")[2]
                yield f"{method} {address}", name.removeprefix("Patched")


def below(kind: Any) -> Iterator[Any]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def test_no_body_is_read_straight_into_a_row():
    """A serializer of a model could set any column; bodies are read by plain ones alone."""
    of_rows = {
        reader.__name__.removesuffix("Serializer") for reader in below(serializers.ModelSerializer)
    }
    readers = {
        reader.__name__.removesuffix("Serializer") for reader in below(serializers.Serializer)
    }
    found = list(bodies())
    assert len(found) > 15
    for operation, name in found:
        assert name in readers, operation
        assert name not in of_rows, operation


def test_no_form_is_read_straight_into_a_row():
    ours = {config.name for config in apps.get_app_configs() if "." not in config.name}
    for form_type in below(BaseModelForm):
        assert form_type.__module__.split(".")[0] not in ours
    assert any(f.__module__.startswith("referral") for f in below(django_forms.Form))


EXTRA: dict[str, Any] = {
    "id": 1,
    "pk": 1,
    "number": "13-26-999999-9",
    "state": "closed",
    "from_state": "closed",
    "region": "14",
    "region_id": "14",
    "sending_unit_id": 1,
    "patient": 1,
    "patient_id": 1,
    "handler": 1,
    "handler_id": 1,
    "received_at": "2001-01-01T00:00:00Z",
    "guarantee_start": "2001-01-01",
    "guarantee_days": 1,
    "last_day": "2001-01-01",
    "actor": "system",
    "actor_name": "Någon annan",
    "role": "region_admin",
    "is_superuser": True,
    "price_sek": "1.00",
    "stands_until": "2099-01-01T00:00:00Z",
    "answered_at": "2001-01-01T00:00:00Z",
    "expected_wait_days": 0,
    "certificate": "x",
    "created_at": "2001-01-01T00:00:00Z",
    "_state": "x",
    "__class__": "x",
}
IN_A_WEEK = str(timezone.localdate() + timedelta(days=7))
LINE = "the line to offer"
# Tried as the form's own fields are: the same body, or one that is dates alone.
OTHERS = {"resubmit", "end-pause", "pause", "assign", "campaign-answer"}
VERBS: dict[str, tuple[CaseState, str, dict[str, Any]]] = {
    "take": (CaseState.RECEIVED, "navigator", {}),
    "park": (CaseState.IN_PROGRESS, "navigator", {"waits_for": "x", "review_on": IN_A_WEEK}),
    "review": (CaseState.WATCHED, "navigator", {"review_on": IN_A_WEEK}),
    "unpark": (CaseState.WATCHED, "navigator", {}),
    "offers": (
        CaseState.IN_PROGRESS,
        "navigator",
        {"line": LINE, "expected_wait_days": 30},
    ),
    "book": (CaseState.CONFIRMED, "provider", {"booked_for": f"{IN_A_WEEK}T08:00"}),
    "note": (CaseState.IN_PROGRESS, "navigator", {"text": "x"}),
    "calls": (CaseState.IN_PROGRESS, "navigator", {"about": "x"}),
    "return": (CaseState.IN_PROGRESS, "navigator", {"missing": "x"}),
    "end": (CaseState.IN_PROGRESS, "navigator", {"reason": "deceased"}),
    "leave-list": (CaseState.IN_PROGRESS, "navigator", {"channel": "phone"}),
    "withdraw-offer": (CaseState.OFFERED, "navigator", {"why": "x"}),
    "answer": (CaseState.OFFERED, "navigator", {"accepted": True, "channel": "phone"}),
    "confirm": (CaseState.ACCEPTED, "provider", {}),
    "reject": (
        CaseState.ACCEPTED,
        "provider",
        {"reason": "no_capacity", "comment": "x"},
    ),
    "treat": (CaseState.BOOKED, "provider", {"treated_on": str(timezone.localdate())}),
    "close": (CaseState.TREATED, "provider", {"back_referral": "x"}),
}
KEPT = ("number", "region_id", "sending_unit_id", "patient_id", "received_at", "guarantee_start")


def test_every_verb_of_the_api_is_tried():
    tried = VERBS.keys() | OTHERS
    verbs = {operation.split("/")[5] for operation, _name in bodies() if "{number}/" in operation}
    assert verbs - tried == set()


def untouched(made: MadeCase) -> dict[str, Any]:
    case = Case.objects.values(*KEPT, "guarantee_days").get(pk=made.case.pk)
    prices = list(Offer.objects.values_list("price_sek", "expected_wait_days", "case_id"))
    people = list(User.objects.order_by("pk").values_list("pk", "is_active"))
    return {"case": case, "offers": prices, "people": people}


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_does_not_ask_for_changes_nothing(verb):
    """The same verb with and without fields of the row that nobody may set."""
    state, who, body = VERBS[verb]
    made = make_case(state)
    before = untouched(made)
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(getattr(made, who)), scopes=Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    body = {name: made.line.pk if value == LINE else value for name, value in body.items()}
    hostile = {name: value for name, value in EXTRA.items() if name not in body}
    answer = client.post(f"/api/v1/cases/{made.case.number}/{verb}/", hostile | body)
    assert answer.status_code in {200, 201}, answer.content
    after = untouched(made)
    if verb == "offers":  # the contract's price, whatever the body said
        assert [price for price, _wait, _case in after.pop("offers")] == [made.line.price_sek]
        before.pop("offers")
    assert after == before
    assert made.case.log.filter(actor_name="Någon annan").count() == 0


def test_a_submitted_form_sets_no_more_than_it_asks_for():
    unit = CareUnitFactory(sends=True)
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(clinic_actor(unit)), scopes=Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    asked = set(Submission.field_names())
    answer = client.post(
        "/api/v1/cases/", form() | {n: v for n, v in EXTRA.items() if n not in asked}
    )
    assert answer.status_code == 201, answer.content
    case = Case.objects.get()
    assert (case.state, case.sending_unit_id) == (CaseState.RECEIVED, unit.pk)
    assert case.number != EXTRA["number"]
    assert case.received_at.year > 2001
    assert case.form.typed.keys() <= asked


def test_the_page_sets_no_more_than_its_form_asks_for():
    made = make_case(CaseState.IN_PROGRESS)
    before, client = untouched(made), Client()
    client.force_login(user_of(made.navigator))
    address = reverse("case-action", args=[made.case.number, "note"])
    assert client.post(address, EXTRA | {"text": "x"}).status_code == 302
    assert made.refresh().state == CaseState.IN_PROGRESS
    assert untouched(made) == before


# Characters that PostgreSQL's text cannot hold


@pytest.mark.parametrize("bad", ["a\x00b", "\x00", "\ud800", "a\udfffb"])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if VERBS[verb][2]])
def test_a_character_that_cannot_be_kept_is_refused_at_its_field_by_the_api(verb, bad):
    state, who, body = VERBS[verb]
    made = make_case(state)
    body = {name: made.line.pk if value == LINE else value for name, value in body.items()}
    client = APIClient()
    _row, token = ApiToken.objects.create(user_of(getattr(made, who)), scopes=Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    for name in body:
        answer = client.generic(
            "POST",
            f"/api/v1/cases/{made.case.number}/{verb}/",
            json.dumps(body | {name: bad}),
            content_type="application/json",
        )
        assert answer.status_code == 400, (name, answer.content)
        assert [error["field"] for error in answer.json()["errors"]] == [name]


@pytest.mark.parametrize("bad", ["a\x00b", "\ud800"])
def test_every_text_of_the_submitted_form_too(bad):
    client = APIClient()
    actor = clinic_actor(CareUnitFactory(sends=True))
    _row, token = ApiToken.objects.create(user_of(actor), scopes=Scope.values)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    for name in [*Submission.field_names(), "sending_unit", "attachments"]:
        answer = client.generic(
            "POST",
            "/api/v1/cases/",
            json.dumps(form() | {name: bad}),
            content_type="application/json",
        )
        assert answer.status_code == 400, (name, answer.content)
    assert not Case.objects.exists()


def test_names_of_fields_and_parameters_may_be_anything():
    made = make_case()
    client = api_of(made)
    for body in ('{"\\u0000": 1}', '{"\\ud800": 1, "text": "x"}', '{"__proto__": {}}'):
        answer = client.generic(
            "POST",
            f"/api/v1/cases/{made.case.number}/note/",
            body,
            content_type="application/json",
        )
        assert answer.status_code in {200, 400}
    pages = Client()
    pages.force_login(user_of(made.navigator))
    for query in ("%00=1", "q=%00", "view=%00", "after=%00", "sort=%00", "%ED%A0%80=%ED%A0%80"):
        for path in ("/cases/", "/contracts/", "/statistics/", "/api/v1/cases/", "/login/"):
            shown = pages.get(f"{path}?{query}")
            assert shown.status_code < 500, (path, query)


def test_no_address_breaks_on_a_character_that_cannot_be_kept():
    made = make_case()
    pages = Client()
    pages.force_login(user_of(made.navigator))
    for _name, pattern in all_routes():
        if "<str:" not in pattern and "(?P<" not in pattern:
            continue
        for bad in ("%00", "%ED%A0%80", "..%2f..%2f", "%0d%0aX:y", "'--", "9" * 40):
            path = pattern.replace("<int:", "<str:").replace("<str:", "<").split("$")[0]
            address = "/" + "".join(
                bad if part.startswith("<") else part
                for part in _pieces(path.replace("^", "").replace("\\", ""))
            )
            answer = pages.get(address)
            assert answer.status_code < 500, address
            assert "X" not in answer


def _pieces(path: str) -> Iterator[str]:
    """The path in pieces; what stands between ``<`` and ``>`` is one."""
    out = io.StringIO()
    for sign in path:
        if sign == "<":
            yield out.getvalue()
            out = io.StringIO()
        out.write(sign)
        if sign == ">":
            yield out.getvalue()
            out = io.StringIO()
    yield out.getvalue()
