"""The warning before a session ends, and what was typed when it did."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from time_machine import Traveller, travel

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


def pass_time(server: Traveller, page: Page, passed: timedelta) -> None:
    """The server's clock and the page's go on together."""
    server.shift(passed)
    page.clock.fast_forward(round(passed.total_seconds() * 1000))


def test_one_is_warned_may_go_on_and_finds_what_was_typed_after_a_new_login(
    session_of: Callable[..., Page], console: Any, settings: Any, live_server: Any
) -> None:
    made = make_case(CaseState.IN_PROGRESS)
    page = session_of(made.navigator)
    page.clock.install()
    address = f"/cases/{made.case.number}/do/note/"
    with travel(timezone.now(), tick=True) as server:
        warned_and_ended(page, address, server, settings.SESSION_IDLE, settings.SESSION_WARNING)
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


def warned_and_ended(
    page: Page, address: str, server: Traveller, idle: timedelta, warning_before: timedelta
) -> None:
    """The person types, is warned, goes on, and then leaves the page alone until it is over."""
    page.goto(address)
    warning = page.get_by_role("alertdialog", name="Du loggas snart ut")
    with page.expect_response("**/session/keep/"):
        page.get_by_role("textbox", name="Anteckning").press_sequentially(TEXT, delay=5)
    expect(warning).to_be_hidden()
    pass_time(server, page, idle - warning_before + timedelta(seconds=5))
    expect(warning).to_be_visible()
    go_on = warning.get_by_role("button", name="Fortsätt arbeta")
    expect(go_on).to_be_focused()
    assert Axe().run(page).response["violations"] == []
    assert KeptText.objects.get().fields == {"text": TEXT}

    with page.expect_response("**/session/keep/"):
        go_on.press("Enter")
    expect(warning).to_be_hidden()

    pass_time(server, page, idle - timedelta(minutes=1))
    expect(warning).to_be_visible()
    pass_time(server, page, timedelta(minutes=2))
    page.wait_for_url("**/login/?ended=1&next=*")
    expect(page.get_by_text("Det du skrev finns kvar")).to_be_visible()
