"""The API's human documentation works under the product's content security policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_documentation_lists_the_cases(session_of: Callable[..., Page]) -> None:
    page = session_of(None)
    page.goto("/api/docs/")
    expect(page.get_by_text("/api/v1/cases/{number}/offers/").first).to_be_visible()


def test_an_operation_opens_and_tells_its_body_and_its_refusals(
    session_of: Callable[..., Page], live_server: object
) -> None:
    """The console and the policy are listened to while the page works, not only at its start."""
    page = session_of(None)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto("/api/docs/")
    operation = page.locator(".opblock", has_text="/api/v1/cases/{number}/answer/")
    operation.locator(".opblock-summary-control").click()
    expect(operation.get_by_text("Logga patientens svar per telefon eller brev.")).to_be_visible()
    expect(operation.locator(".opblock-section-request-body")).to_contain_text("accepted")
    expect(operation.locator('tr.response[data-code="409"]')).to_contain_text(
        "application/problem+json"
    )
    here = (live_server.url, "data:")  # type: ignore[attr-defined]
    assert [request.url for request in asked if not request.url.startswith(here)] == []
