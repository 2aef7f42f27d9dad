"""The warning before a session ends, and what was typed when it did."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect

from organisations.models import KeptText
from referral.models import CaseState
from tests.browser.conftest import SESSION
from tests.factories import make_case, user_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXT = "Patienten vill helst ha en tid på förmiddagen."


def log_in_again(page: Page, actor: Any, url: str) -> None:
    client = Client()
    client.force_login(user_of(actor))
    cookie = {"name": SESSION, "value": client.cookies[SESSION].value, "url": url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]


def test_one_is_warned_may_go_on_and_finds_what_was_typed_after_a_new_login(
    session_of: Callable[..., Page], console: Any, settings: Any, live_server: Any
) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    settings.SESSION_IDLE, settings.SESSION_WARNING = timedelta(seconds=24), timedelta(seconds=14)
    page = session_of(made.navigator)
    address = f"/cases/{made.case.number}/do/note/"
    page.goto(address)
    warning = page.get_by_role("alertdialog", name="Du loggas snart ut")
    expect(warning).to_be_hidden()
    page.get_by_role("textbox", name="Anteckning").press_sequentially(TEXT, delay=5)
    expect(warning).to_be_visible(timeout=30_000)
    go_on = warning.get_by_role("button", name="Fortsätt arbeta")
    expect(go_on).to_be_focused()
    assert Axe().run(page).response["violations"] == []
    assert KeptText.objects.get().fields == {"text": TEXT}

    go_on.press("Enter")
    expect(warning).to_be_hidden()

    page.wait_for_url("**/login/?ended=1&next=*", timeout=40_000)
    expect(page.get_by_text("Det du skrev finns kvar")).to_be_visible()
    settings.SESSION_IDLE, settings.SESSION_WARNING = timedelta(minutes=15), timedelta(minutes=2)
    log_in_again(page, made.navigator, live_server.url)
    page.goto(address)
    field = page.get_by_role("textbox", name="Anteckning")
    expect(field).to_have_value(TEXT)
    expect(page.get_by_text("har återställts")).to_be_visible()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert TEXT not in stored
    assert made.patient.family_name not in stored

    field.locator("xpath=ancestor::form").locator("button[type=submit]").click()
    expect(page.get_by_text(TEXT)).to_be_visible()
    page.goto(address)
    expect(page.get_by_role("textbox", name="Anteckning")).to_have_value("")
    assert not KeptText.objects.exists()
