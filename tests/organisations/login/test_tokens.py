"""API tokens: scopes, a last day, who issues and revokes them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.views import APIView

from organisations.errors import InvalidInput, NotAllowed
from organisations.login.tokens import (
    MAX_DAYS_PERSON,
    grants_for,
    issue_token,
    revoke_token,
    visible_tokens,
)
from organisations.models import ApiToken, Assignment, Role
from organisations.scopes import ANY_TOKEN, Scope, required_scope
from referral.models import CaseState
from tests.factories import (
    LONG_AGO,
    RegionFactory,
    integration_actor,
    make_case,
    navigator_actor,
    operator_actor,
    region_admin_actor,
    stockholm,
    user_of,
)

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)


def assignment_of(actor: Any) -> Assignment:
    return Assignment.objects.get(user_id=actor.user_id)


def issue(actor: Any, **changes: Any) -> tuple[ApiToken, str]:
    values = {"name": "Prov", "scopes": ["cases:read"], "days": 30, "actor": actor, "now": NOW}
    assignment = changes.pop("assignment", None) or assignment_of(actor)
    return issue_token(assignment, **(values | changes))


def test_a_token_does_what_its_scopes_say_and_nothing_more(api: Any) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    client = api(made.navigator, "cases:read")
    number = made.case.number
    assert client.get(f"/api/v1/cases/{number}/").status_code == 200
    refused = client.post(f"/api/v1/cases/{number}/note/", {"text": "x"})
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
    assert "cases:write" in refused.json()["detail"]
    assert client.get("/api/v1/statistics/").status_code == 403
    assert client.get("/api/v1/me/").json()["scopes"] == ["cases:read"]


def api_views(resolver: URLResolver, at: str = "") -> Any:
    for pattern in resolver.url_patterns:
        place = at + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from api_views(pattern, place)
        elif isinstance(pattern, URLPattern) and place.startswith("api/v1/"):
            view = getattr(pattern.callback, "cls", None)
            if view is not None:
                yield place, view


def test_every_address_of_the_api_names_its_scope_or_says_that_it_needs_none() -> None:
    found = list(api_views(get_resolver()))
    assert len(found) > 20
    nameless = [place for place, view in found if not hasattr(view, "scope_area")]
    assert nameless == []


def test_a_view_that_names_no_scope_lets_no_token_in(monkeypatch: Any, api: Any) -> None:
    from organisations.api import RegionList

    client = api(navigator_actor(RegionFactory()))
    assert client.get("/api/v1/regions/").status_code == 200
    monkeypatch.delattr(RegionList, "scope_area")
    assert client.get("/api/v1/regions/").status_code == 403


def test_read_and_write_are_different_scopes() -> None:
    class View(APIView):
        scope_area = "cases"

    assert required_scope(View(), "GET") == required_scope(View(), "HEAD") == "cases:read"
    assert required_scope(View(), "POST") == required_scope(View(), "DELETE") == "cases:write"
    View.scope_area = ANY_TOKEN
    assert required_scope(View(), "POST") == ANY_TOKEN


def test_a_person_in_a_session_has_no_scopes_its_role_decides() -> None:
    client = APIClient()
    client.force_login(user_of(navigator_actor(RegionFactory())))
    assert client.get("/api/v1/regions/").status_code == 200
    assert client.get("/api/v1/me/").json()["scopes"] == Scope.values


def test_the_schema_names_the_scope_of_each_operation(client: Client) -> None:
    schema = client.get("/api/schema/?format=json").json()
    assert schema["paths"]["/api/v1/cases/"]["get"]["x-required-scope"] == "cases:read"
    assert schema["paths"]["/api/v1/cases/"]["post"]["x-required-scope"] == "cases:write"
    assert "`cases:write`" in schema["paths"]["/api/v1/cases/"]["post"]["description"]
    scheme = schema["components"]["securitySchemes"]["token"]
    assert all(scope in scheme["description"] for scope in Scope.values)


def test_a_token_serves_until_its_last_day_and_not_after(api: Any) -> None:
    client = api(navigator_actor(RegionFactory()), expiry=timedelta(days=2))
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=2, minutes=-1)):
        assert client.get("/api/v1/me/").status_code == 200
    with time_machine.travel(now + timedelta(days=2, minutes=1)):
        assert client.get("/api/v1/me/").status_code == 401


def test_the_database_refuses_a_token_without_a_last_day() -> None:
    user = user_of(navigator_actor(RegionFactory()))
    with pytest.raises(IntegrityError, match="api_token_expires"), transaction.atomic():
        ApiToken.objects.create(user, expiry=None)


def test_a_token_ends_with_the_assignment_that_it_was_issued_for() -> None:
    actor = navigator_actor(RegionFactory())
    token, secret = issue(actor, now=timezone.now())
    Assignment.objects.create(
        user_id=actor.user_id, role=Role.MANAGER, region_id=actor.region, starts_at=LONG_AGO
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert client.get("/api/v1/me/").json()["role"] == Role.NAVIGATOR
    assignment = token.assignment
    assignment.ends_at = timezone.now()
    assignment.save()
    assert client.get("/api/v1/me/").status_code == 403


def test_when_it_was_last_used_is_told_to_the_minute(api: Any) -> None:
    client = api(navigator_actor(RegionFactory()))
    now = timezone.now()
    for seconds, shown in ((1, 1), (30, 1), (90, 90)):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            client.get("/api/v1/me/")
        used = ApiToken.objects.get().last_used_at
        assert round((used - now).total_seconds()) == shown


def test_the_secret_is_not_stored() -> None:
    token, secret = issue(navigator_actor(RegionFactory()))
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values())


def test_everyone_issues_for_the_own_assignment_only() -> None:
    actor, colleague = navigator_actor(RegionFactory()), navigator_actor(RegionFactory())
    assert [g.assignment for g in grants_for(actor, now=NOW)] == [assignment_of(actor)]
    with pytest.raises(NotAllowed):
        issue(actor, assignment=assignment_of(colleague))


def test_an_administrator_issues_for_the_regions_integrations_and_no_one_elses() -> None:
    admin = region_admin_actor(RegionFactory())
    ours, theirs = integration_actor(RegionFactory()), integration_actor(RegionFactory(code="25"))
    token, _secret = issue(admin, assignment=assignment_of(ours), days=365)
    assert (token.user_id, token.issued_by_id) == (ours.user_id, admin.user_id)
    with pytest.raises(NotAllowed):
        issue(admin, assignment=assignment_of(theirs))
    with pytest.raises(NotAllowed):
        issue(admin, assignment=assignment_of(navigator_actor(RegionFactory())))


def test_an_operator_gets_no_token() -> None:
    assert grants_for(operator_actor(), now=NOW) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"days": MAX_DAYS_PERSON + 1}, "days"),
        ({"days": 0}, "days"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
    ],
)
def test_what_may_not_be_issued_is_said_at_its_field(changes: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        issue(navigator_actor(RegionFactory()), **changes)
    assert field in refused.value.fields


def test_an_administrator_sees_and_revokes_the_regions_integrations() -> None:
    admin, ours = region_admin_actor(RegionFactory()), integration_actor(RegionFactory())
    colleague = navigator_actor(RegionFactory())
    token, _secret = issue(ours)
    other, _secret = issue(colleague)
    assert list(visible_tokens(admin)) == [token]
    revoke_token(token, actor=admin)
    with pytest.raises(NotAllowed):
        revoke_token(other, actor=admin)
    assert list(ApiToken.objects.all()) == [other]


def test_the_page_shows_the_secret_once_and_the_key_serves() -> None:
    actor = navigator_actor(RegionFactory())
    client = Client()
    client.force_login(user_of(actor))
    answer = client.post(
        "/account/",
        {
            "grant": assignment_of(actor).pk,
            "name": "Kalkylblad",
            "scopes": ["places:read"],
            "days": "30",
        },
    )
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "Kalkylblad" in client.get("/account/").content.decode()
    assert secret not in client.get("/account/").content.decode()
    holder = APIClient()
    holder.credentials(HTTP_AUTHORIZATION=secret)
    assert holder.get("/api/v1/regions/").status_code == 200
    client.post(f"/account/tokens/{ApiToken.objects.get().token_key}/revoke/")
    assert holder.get("/api/v1/regions/").status_code == 401


def test_a_form_that_does_not_hold_says_so_at_the_field() -> None:
    client = Client()
    client.force_login(user_of(navigator_actor(RegionFactory())))
    answer = client.post("/account/", {"grant": "999", "days": "7", "scopes": ["x"]})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"grant", "name", "scopes", "days"}


def test_another_users_key_is_not_found() -> None:
    token, _secret = issue(navigator_actor(RegionFactory()))
    client = Client()
    client.force_login(user_of(navigator_actor(RegionFactory())))
    assert client.post(f"/account/tokens/{token.token_key}/revoke/").status_code == 404
