"""Whatever is sent, the API answers as its schema says and never breaks (design 5.7)."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from organisations.access import Actor
from referral.models import CaseState
from tests.factories import MadeCase, integration_actor, make_case

pytestmark = pytest.mark.django_db

Api = Callable[[Actor], APIClient]

EXAMPLES = 5
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ROLES: dict[str, Callable[[MadeCase], Actor]] = {
    "clinic": lambda made: made.clinic,
    "navigator": lambda made: made.navigator,
    "provider": lambda made: made.provider,
    "integration": lambda made: integration_actor(made.unit.region),
}


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request through WSGI must not close the connection that holds the test's rows."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


@pytest.fixture
def cases() -> list[MadeCase]:
    """One case in every state, all of one clinic, one navigator and one provider."""
    first = make_case()
    rest = [
        make_case(state, unit=first.unit, line=first.line, navigator=first.navigator)
        for state in CaseState
        if state != first.case.state
    ]
    return [first, *rest]


@cache
def the_schema() -> Any:
    """As the product gives it out, the same for every role."""
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.mark.parametrize("role", ROLES)
def test_whatever_is_sent_is_answered_as_the_schema_says(
    api: Api, cases: list[MadeCase], role: str, subtests: pytest.Subtests
) -> None:
    # A provider knows of the case from acceptance on, so everyone is from that case.
    accepted = next(made for made in cases if made.case.state == CaseState.ACCEPTED)
    token = api(ROLES[role](accepted))._credentials["HTTP_AUTHORIZATION"]
    numbers = [made.case.number for made in cases]
    for result in the_schema().get_all_operations():
        operation = result.ok()
        with subtests.test(operation.label):
            _try(operation, token, numbers)


def _try(operation: Any, token: str, numbers: list[str]) -> None:
    """Send examples that the schema allows and ones that it does not; leave nothing behind."""
    sent = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=sent, number=st.sampled_from([None, *numbers]))
    def send(case: Case, number: str | None) -> None:
        if number and "number" in case.path_parameters:
            case.path_parameters["number"] = number
        with transaction.atomic():
            response = case.call(headers={"Authorization": token})
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    send()
