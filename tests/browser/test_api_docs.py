"""The API's human documentation works under the product's content security policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_documentation_lists_the_cases(session_of: Callable[..., Page]) -> None:
    page = session_of(None)
    page.goto("/api/docs/")
    expect(page.get_by_text("/api/v1/cases/{number}/offers/").first).to_be_visible()
